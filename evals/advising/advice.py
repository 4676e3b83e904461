"""The oversight mode that evidence advises for a type of actions: consequence, volume, accuracy with its bound; it changes nothing.

A looser mode is advised only where all of this holds, and among what is left the cheapest in the worst case, the stricter at a tie:

* its ceiling allows it: an irreversible tool stays in the loop unless your policy states more, a costly one is automatic only with
  a certificate, and on the loop needs an undo or a veto window;
* the upper bound U of the share of errors among what would pass is at most alpha: U = BetaInv(1 - DELTA; k + 1, n - k);
* the labels can be trusted: people's decisions count as labels only where the lower bound of their catch rate is .8 or more;
* nothing says that the evidence is about another time (drift);
* at `worst_rates`, errors at their upper bounds and reviewers at their best, it costs no more than asking a person.

So too little evidence means in the loop. What is missing is counted by the same rules: the fewest further right actions, or caught
known-answer items, with which they would allow the mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .action_types import DELTA, MODES, ActionType, Mode
from .obstacles import Missing, better_numbers, obstacles
from .oversight_costs import Costs, Expected, expected, expense, worst_rates

CEILINGS: dict[str, Mode] = {"read": "automatic", "reversible": "automatic", "costly": "automatic", "irreversible": "in the loop"}
"""The loosest mode of a consequence unless the policy states another."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised for one type of actions, and on what."""

    kind: ActionType
    mode: Mode
    ceiling: Mode
    reason: str
    expected: tuple[Expected, ...]
    """What each mode costs per 1,000 actions, in the order of MODES."""
    missing: tuple[Missing, ...]

    def of(self, mode: Mode) -> Expected:
        """Return what one mode costs."""
        return self.expected[MODES.index(mode)]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON."""
        kind = self.kind
        return {
            **asdict(kind),
            "wrong_share": list(kind.wrong_share),
            "passed_share": list(kind.passed_share),
            "catch_rate": list(kind.catch),
            "edit_share": list(kind.edits),
            "mode": self.mode,
            "ceiling_mode": self.ceiling,
            "reason": self.reason,
            "risk": list(self.of(self.mode).risk),
            "expected": [one.as_json() for one in self.expected],
            "missing": [asdict(one) for one in self.missing],
        }


def advise_all(kinds: Iterable[ActionType], costs: Costs | None = None) -> list[Advice]:
    """Return the advice for several types, those with the most volume first."""
    ordered = sorted(kinds, key=lambda kind: (-kind.volume, kind.agent, kind.tool))
    return [advise(kind, costs) for kind in ordered]


def advise(kind: ActionType, costs: Costs | None = None) -> Advice:
    """Return the recommended mode of a type of actions, what each mode costs, and what evidence is missing."""
    costs = costs or Costs()
    missing: list[Missing] = []
    allowed: list[Mode] = ["in the loop"]
    for mode in MODES[1:]:
        found = obstacles(kind, costs, mode) if _below(mode, ceiling_of(kind)) else None
        if found == []:
            allowed.append(mode)
        missing += found or []
    mode = min(allowed, key=lambda one: (_worst(kind, costs, one), MODES.index(one)))
    every = tuple(expected(kind, costs, one) for one in MODES)
    rest = [one for one in missing if one.mode is not None and not _below(one.mode, mode)]
    return Advice(kind, mode, ceiling_of(kind), _reason(kind, mode, allowed), every, (*rest, *better_numbers(kind, costs)))


def ceiling_of(kind: ActionType) -> Mode:
    """Return the loosest mode that a type may ever have: what the policy states, else that of its consequence."""
    return kind.ceiling or CEILINGS[kind.consequence]


def _below(mode: Mode, other: Mode) -> bool:
    return MODES.index(mode) <= MODES.index(other)


def _worst(kind: ActionType, costs: Costs, mode: Mode) -> float:
    # to a millionth: what differs by the last digits of a sum is a tie
    return round(expense(kind, costs, mode, worst_rates(kind)).money, 6)


def _reason(kind: ActionType, mode: Mode, allowed: list[Mode]) -> str:
    if mode != "in the loop":
        shown = "reading changes nothing"
        if kind.consequence != "read":
            shown = f"at most {kind.passed_share[1]:.1%} of what passes is wrong ({1 - DELTA:.0%} sure)"
        return f"{shown}; it is the cheapest in the worst case"
    if ceiling_of(kind) == "in the loop":
        final = kind.consequence == "irreversible"
        why = "it cannot be taken back, and your policy states no more" if final else "your policy says so"
        return f"nothing looser is open to it: {why}"
    if kind.labelled == 0 and kind.certificate is None:
        return "nothing is measured yet"
    return (
        "asking a person is the cheapest in the worst case"
        if len(allowed) > 1
        else "the evidence is not enough for anything looser"
    )
