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
from dataclasses import asdict, dataclass, replace
from typing import Any

from .action_types import CATCH_LEVEL, DELTA, MODES, MOST, ActionType, CertifiedShare, Mode, fewest_rows
from .oversight_costs import Costs, Expected, expected, expense, worst_rates

ALPHAS: dict[Mode, dict[str, float]] = {
    "in the loop": {"read": 1.0, "reversible": 1.0, "costly": 1.0, "irreversible": 1.0},
    "on the loop": {"read": 1.0, "reversible": 0.10, "costly": 0.01, "irreversible": 0.01},
    "automatic": {"read": 1.0, "reversible": 0.05, "costly": 0.01, "irreversible": 0.01},
}
"""The largest share of errors that may pass unreviewed; reading changes nothing, so nothing has to be shown for it."""

CEILINGS: dict[str, Mode] = {"read": "automatic", "reversible": "automatic", "costly": "automatic", "irreversible": "in the loop"}
"""The loosest mode of a consequence unless the policy states another."""

LEAST_CATCH = 0.80
"""What the lower bound of the reviewers' catch rate has to reach before their decisions count as labels."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something without which a mode is not advised, or without which the numbers are wider than they need be."""

    mode: Mode | None
    """The mode it stands in the way of; None: of none, it would make the numbers better."""
    kind: str
    """`labels`, `certificate`, `catch`, `window`, `drift`, `cost`, `time` or `volume`."""
    text: str
    count: int | None = None
    """How much more of it; None where no number of it helps or it is no number."""


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
    return Advice(kind, mode, ceiling_of(kind), _reason(kind, mode, allowed), every, (*rest, *_better_numbers(kind, costs)))


def ceiling_of(kind: ActionType) -> Mode:
    """Return the loosest mode that a type may ever have: what the policy states, else that of its consequence."""
    return kind.ceiling or CEILINGS[kind.consequence]


def obstacles(kind: ActionType, costs: Costs, mode: Mode) -> list[Missing]:
    """Return what stands between a type and a looser mode within its ceiling; nothing where the mode is open to it."""
    found = [_window(kind, mode), _certificate(kind, mode), _drift(kind, mode), _catch(kind, mode), _labels(kind, costs, mode)]
    return [one for one in found if one is not None]


def _below(mode: Mode, other: Mode) -> bool:
    return MODES.index(mode) <= MODES.index(other)


def _worst(kind: ActionType, costs: Costs, mode: Mode) -> float:
    return expense(kind, costs, mode, worst_rates(kind)).money


def _window(kind: ActionType, mode: Mode) -> Missing | None:
    if mode != "on the loop" or kind.undo or kind.veto_seconds is not None:
        return None
    return Missing(
        mode, "window", "an undo of the tool, or a veto window in the policy: without one there is nothing a watcher can do"
    )


def _certificate(kind: ActionType, mode: Mode) -> Missing | None:
    if mode != "automatic" or kind.consequence not in ("costly", "irreversible") or kind.certificate is not None:
        return None
    alpha = ALPHAS[mode][kind.consequence]
    count = fewest_rows(alpha, 0)
    promise = f"(alpha {alpha:.0%}, delta {DELTA:.0%})"
    text = f"a certificate: it takes {_told(count)} uniformly sampled labels above its threshold without an error {promise}"
    return Missing(mode, "certificate", text, count)


def _drift(kind: ActionType, mode: Mode) -> Missing | None:
    if not kind.drift or kind.consequence == "read":
        return None
    return Missing(mode, "drift", "evidence from after the drift: what was measured before it is about another time")


def _catch(kind: ActionType, mode: Mode) -> Missing | None:
    low = kind.catch[0]
    if kind.consequence == "read" or kind.labels == "truth" or low >= LEAST_CATCH:
        return None
    return Missing(mode, "catch", *_known_items(kind))


def _known_items(kind: ActionType) -> tuple[str, int | None]:
    rows = fewest_rows(1 - LEAST_CATCH, kind.known - kind.caught, (1 - CATCH_LEVEL) / 2)
    count = None if rows is None else max(1, rows - kind.known)
    if not kind.known:
        return f"no measured catch rate of reviewers: {_told(count)} known-answer items more, all of them caught", count
    seen = (
        f"reviewers caught {kind.caught} of {kind.known} known-answer items, which shows a catch rate of {kind.catch[0]:.0%} only"
    )
    return f"{seen}: {_told(count)} more, all of them caught, would show {LEAST_CATCH:.0%}", count


def _labels(kind: ActionType, costs: Costs, mode: Mode) -> Missing | None:
    limit, bound = _limit(kind, costs, mode), kind.passed_share[1]
    if limit is not None and bound <= limit:
        return None
    seen = kind.certificate or CertifiedShare(1.0, bound, kind.labelled, kind.wrong)
    rows = fewest_rows(limit, seen.wrong) if limit is not None else None
    if limit is None or rows is None:
        return Missing(mode, "cost", f"asking a person costs less than the errors of {mode}, however few they are shown to be")
    count = max(1, rows - seen.n)
    alpha = ALPHAS[mode][kind.consequence]
    worth = f"{alpha:.1%} is allowed" if limit == alpha else f"more than {limit:.1%} would cost more than asking a person"
    what = "certified rows" if kind.certificate else "audited actions"
    text = f"{count:,} more {what} without an error would allow {mode}{_months(kind, count)}: {bound:.1%} may be wrong, and {worth}"
    return Missing(mode, "labels", text, count)


def _limit(kind: ActionType, costs: Costs, mode: Mode) -> float | None:
    """Return the largest bound of the errors that pass at which a mode keeps its promise and costs no more than asking.

    What a mode costs beyond asking a person is linear in that bound and rises with it. None where no bound is small enough.
    """
    alpha = ALPHAS[mode][kind.consequence]
    none, every = (_dearer(kind, costs, mode, bound) for bound in (0.0, 1.0))
    if none > 0:
        return None
    return alpha if every <= 0 else min(alpha, -none / (every - none))


def _dearer(kind: ActionType, costs: Costs, mode: Mode, bound: float) -> float:
    """Return what a mode costs beyond asking a person if so much of what passes is wrong and reviewers are at their best."""
    rates = replace(worst_rates(kind), passed=bound)
    return expense(kind, costs, mode, rates).money - expense(kind, costs, "in the loop", rates).money


def _months(kind: ActionType, count: int) -> str:
    months = count / kind.volume if kind.volume else 0.0
    return f" (about {months:,.1f} months of volume)" if months >= 0.05 else ""


def _told(count: int | None) -> str:
    return f"{count:,}" if count is not None else f"more than {MOST:,}"


def _reason(kind: ActionType, mode: Mode, allowed: list[Mode]) -> str:
    if mode != "in the loop":
        cheapest = "it is the cheapest in the worst case" if len(allowed) > 1 else ""
        shown = (
            f"at most {kind.passed_share[1]:.1%} of what passes is wrong ({1 - DELTA:.0%} sure)"
            if kind.consequence != "read"
            else ""
        )
        return "; ".join(one for one in (shown or "reading changes nothing", cheapest) if one)
    if ceiling_of(kind) == "in the loop":
        return "nothing looser is open to it: " + ("your policy says so" if kind.ceiling else "it cannot be taken back")
    if kind.labelled == 0 and kind.certificate is None:
        return "nothing is measured yet"
    return (
        "asking a person is the cheapest in the worst case"
        if len(allowed) > 1
        else "the evidence is not enough for anything looser"
    )


def _better_numbers(kind: ActionType, costs: Costs) -> list[Missing]:
    """Return what would make the numbers better without standing in the way of a mode."""
    found = []
    if kind.labels == "truth" and not kind.known and kind.consequence != "read":
        text, count = _known_items(kind)
        found.append(Missing(None, "catch", f"{text}; until then what stays wrong after a review is anywhere in its range", count))
    if kind.review_seconds is None:
        found.append(Missing(None, "time", f"how long a review takes is not measured: {costs.review_seconds:g} s are assumed"))
    if kind.wait_seconds is None:
        found.append(Missing(None, "time", f"how long an action waits is not measured: {costs.wait_seconds:g} s are assumed"))
    if not kind.volume:
        found.append(Missing(None, "volume", "how many a month is not known"))
    return found
