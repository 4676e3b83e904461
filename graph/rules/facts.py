"""What a check may know about a proposed action, as plain values; it reads no database and decides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from ...tools.declaration import CONSEQUENCES, Consequence

DEEPEST = 32
"""Arguments and context nested deeper than this are not checked but reviewed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a check may know; every check gets its own copy."""

    tool: str
    args: dict[str, Any]
    """Plain JSON arguments, canonical, defaults filled in."""
    consequence: Consequence | None
    """None, or a word that is no consequence, counts as `irreversible`."""
    requester: str
    tenant: str
    agent: str
    thread: str
    context: dict[str, Any] = field(default_factory=dict)
    """Plain JSON: `text` (the requester's latest message), `evidence` (what the dry run said), `earlier` (how many
    actions of this thread came before), `choices_legal` (whether the arguments are among the enumerated ones)."""


def copied(facts: Facts) -> Facts:
    """Return a deep copy with the consequence made definite; raises ValueError if anything in it is not plain JSON."""
    consequence: Consequence = "irreversible"
    if facts.consequence in CONSEQUENCES:
        consequence = facts.consequence
    return replace(facts, consequence=consequence, args=_mapping(facts.args, 0), context=_mapping(facts.context, 0))


def _mapping(value: Any, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError("arguments and context must be mappings with text as keys")
    return {key: _plain(item, depth + 1) for key, item in value.items()}


def _plain(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"a value is nested more than {DEEPEST} levels deep")
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list():
            return [_plain(item, depth + 1) for item in value]
        case dict():
            return _mapping(value, depth)
    raise ValueError(f"{value!r:.80} is not plain JSON")
