"""The autonomy levels of a class of actions: five words for how much is reviewed; who moves between them is decided elsewhere."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """How much freedom a class of actions has."""

    SHADOW = 0
    """The agent proposes, nothing runs, decisions are recorded."""
    SUPERVISED = 1
    """Every action is reviewed; where every class begins."""
    CERTIFIED = 2
    """What is confident enough passes; a fifth of it is audited."""
    MONITORED = 3
    """The same under a looser promise, with a window to veto or undo; a tenth is audited."""
    SAMPLED = 4
    """What passes is audited by a small sample only."""


SHARES = {Level.SHADOW: 0.0, Level.SUPERVISED: 0.0, Level.CERTIFIED: 0.2, Level.MONITORED: 0.1, Level.SAMPLED: 0.02}
"""The share of the allowed that is audited."""

WORDS = {level: level.name.lower() for level in Level}

_HIGHEST = {
    "read": Level.SAMPLED,
    "reversible": Level.SAMPLED,
    "costly": Level.CERTIFIED,
    "irreversible": Level.CERTIFIED,
}


def ceiling_of(consequence: str | None, stated: Level | None = None) -> Level:
    """Return the highest level that a class can reach; `stated` is what the policy says of its tool.

    What cannot be taken back is supervised unless the policy states a ceiling, and what costs something has no looser promise than
    `certified` whatever is stated; an unknown consequence is supervised.
    """
    highest = _HIGHEST.get(consequence or "", Level.SUPERVISED)
    if stated is None:
        return Level.SUPERVISED if consequence == "irreversible" else highest
    return min(stated, highest)


EARNED = (Level.CERTIFIED, Level.MONITORED, Level.SAMPLED)
"""The levels at which something passes without a person; each needs a certificate and a signature."""
