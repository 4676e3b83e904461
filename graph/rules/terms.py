"""The terms under which an action is asked about or runs: how many people, of which role, until when; they let nothing run.

Every rule may state terms; what applies to an action is the strictest of all that rules said about it, whatever their order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Decider = Literal["operator", "lead", "admin"]
"""The roles that may decide, from the lowest to the highest."""

DECIDERS: tuple[Decider, ...] = get_args(Decider)

LARGEST_QUORUM = 100
LONGEST = 10 * 366 * 86_400.0
"""Seconds; a longer time is a mistake."""

DURATIONS = ("due", "warn", "escalate", "valid", "veto", "undo")


@dataclass(frozen=True, slots=True)
class Terms:
    """What has to be fulfilled; raises ValueError for what nobody can mean. Times are in seconds."""

    quorum: int = 1
    """How many distinct people have to approve the same digest."""
    role: Decider = "operator"
    """The role a decision needs."""
    second_for_edits: bool = False
    """Whether an edit needs somebody besides its author."""
    due: float | None = None
    """After so long without a decision it is expired and does not happen; None: never."""
    warn: float | None = None
    """So long before it is due, people are warned."""
    escalate: float | None = None
    """After so long without a decision it is escalated."""
    escalate_to: str = "role:lead"
    """To whom: `role:lead`, `role:admin` or `user:NAME`."""
    valid: float | None = None
    """So long an approval can be used; None: until it is taken back."""
    veto: float | None = None
    """So long an allowed action is held, and anybody may veto it."""
    undo: float | None = None
    """So long an action that ran without a person can be undone."""

    def __post_init__(self) -> None:
        if isinstance(self.quorum, bool) or not isinstance(self.quorum, int) or not 1 <= self.quorum <= LARGEST_QUORUM:
            raise ValueError(f"quorum is a whole number from 1 to {LARGEST_QUORUM}, not {self.quorum!r}")
        if self.role not in DECIDERS:
            raise ValueError(f"role is one of {', '.join(DECIDERS)}, not {self.role!r}")
        if not isinstance(self.second_for_edits, bool):
            raise ValueError(f"second_for_edits is true or false, not {self.second_for_edits!r}")
        for name in DURATIONS:
            _check_duration(name, getattr(self, name))
        _check_target(self.escalate_to)

    def as_json(self) -> dict[str, Any]:
        """Return what differs from the default terms, as plain JSON."""
        return {name: value for name, value in asdict(self).items() if value != getattr(DEFAULT, name)}


def _check_duration(name: str, seconds: object) -> None:
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise ValueError(f"{name} is a number of seconds, not {seconds!r}")
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{name} is above 0 and at most {LONGEST:.0f} seconds, not {seconds!r}")


def _check_target(target: object) -> None:
    kind, _, name = target.partition(":") if isinstance(target, str) else ("", "", "")
    if not (kind == "role" and name in DECIDERS) and not (kind == "user" and name.strip()):
        raise ValueError(f"escalate_to is role:lead, role:admin or user:NAME, not {target!r}")


DEFAULT = Terms()


def of_json(stored: Mapping[str, Any]) -> Terms:
    """Return the terms that `Terms.as_json` wrote."""
    return Terms(**stored)


def rank(role: str) -> int:
    """Return how high a role is among those that decide; -1 for one that does not."""
    return DECIDERS.index(role) if role in DECIDERS else -1


def combined(several: Iterable[Terms]) -> Terms:
    """Return the strictest of several terms: most people, highest role, shortest times to act, longest times to stop it."""
    every = (DEFAULT, *several)
    return Terms(
        quorum=max(one.quorum for one in every),
        role=max((one.role for one in every), key=rank),
        second_for_edits=any(one.second_for_edits for one in every),
        due=_least(min, every, "due"),
        warn=_least(min, every, "warn"),
        escalate=_least(min, every, "escalate"),
        escalate_to=min(every, key=_escalation).escalate_to,
        valid=_least(min, every, "valid"),
        veto=_least(max, every, "veto"),
        undo=_least(max, every, "undo"),
    )


def _least(pick: Callable[[list[float]], float], every: Iterable[Terms], name: str) -> float | None:
    stated = [seconds for one in every if (seconds := getattr(one, name)) is not None]
    return pick(stated) if stated else None


def _escalation(terms: Terms) -> tuple[float, int, str]:
    """Order by who is asked first, then by the higher role, so that the order of rules means nothing."""
    _, _, name = terms.escalate_to.partition(":")
    return (math.inf if terms.escalate is None else terms.escalate, -rank(name), terms.escalate_to)
