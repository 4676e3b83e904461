"""What oversight costs: errors that stay, review and waiting per 1,000 actions of a type in each mode; it recommends nothing.

With q the share of errors in the queue, U that among what passes, cov the share that passes, c the reviewers' catch rate, w the
share of what passes that is watched, and C the money that one error costs, of 1,000 proposed actions

    errors that stay      in the loop   1000 (cov U + (1 - cov) q) (1 - c)
                          on the loop   1000 (cov U (1 - w c) + (1 - cov) q (1 - c))
                          automatic     1000 (cov U + (1 - cov) q (1 - c))          the system risk (certify/system_risk.py)
    money of errors       C for one that stays; C (1 - s) for one that is caught, where s is what catching it saves
    reviews               1000 ((1 - cov) + cov a), a = 1 in the loop, w and the audits on the loop, the audits alone automatic

Without a certificate everything passes in the looser modes: cov = 1 and U = q. Catching saves s = 1 by an edit, less by a rejection
(somebody has to do it over), and least by an undo, because what happened was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...graph.autonomy.levels import SHARES, Level
from ...tools.declaration import CONSEQUENCES
from ..certify.system_risk import system_risk
from .action_types import ActionType, Mode

PER = 1000


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost, in one currency; every number is an assumption until yours stands in its place. Raises ValueError."""

    wrong: Mapping[str, float] = field(
        default_factory=lambda: {"read": 0.0, "reversible": 10.0, "costly": 100.0, "irreversible": 1000.0}
    )
    """What one wrong action that stays costs, by consequence."""
    reviewer_hour: float = 40.0
    waiting_hour: float = 2.0
    """What it costs that one action waits for an hour."""
    review_seconds: float = 30.0
    """How long a review takes where nobody measured it."""
    wait_seconds: float = 600.0
    """How long an action waits for its decision where nobody measured it."""
    watched: float = 0.5
    """The share of what runs on the loop that somebody really looks at in time."""
    reject_saves: float = 0.5
    """What a rejection or a veto saves of the cost of an error, where an edit saves all of it."""
    undo_saves: float = 0.4
    """What an undo saves of it."""

    def __post_init__(self) -> None:
        if set(self.wrong) != set(CONSEQUENCES):
            raise ValueError(f"say what a wrong action costs for each of {', '.join(CONSEQUENCES)}, and for nothing else")
        money = (*self.wrong.values(), self.reviewer_hour, self.waiting_hour, self.review_seconds, self.wait_seconds)
        if not all(0 <= one < float("inf") for one in money):
            raise ValueError("a cost or a time is a number from 0 on")
        if not 0 <= self.watched <= 1:
            raise ValueError("watched is a share from 0 to 1")
        if not 0 <= self.undo_saves <= self.reject_saves <= 1:
            raise ValueError(
                "0 <= undo_saves <= reject_saves <= 1: an undo saves at most what a rejection saves, and an edit saves all"
            )

    def as_json(self) -> dict[str, Any]:
        """Return every number as plain JSON."""
        return {**asdict(self), "wrong": {name: self.wrong[name] for name in CONSEQUENCES}}


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares at which a mode is reckoned: errors in the queue and among what passes, those caught, and of these those edited."""

    queue: float
    passed: float
    catch: float
    edits: float


@dataclass(frozen=True, slots=True)
class Expense:
    """What one mode costs per 1,000 proposed actions, at some rates."""

    mode: Mode
    errors: float
    """Wrong actions that stay."""
    error_money: float
    review_minutes: float
    waiting_hours: float
    money: float
    """Errors, reviews and waiting together."""


def expense(kind: ActionType, costs: Costs, mode: Mode, rates: Rates) -> Expense:
    """Return what a mode costs per 1,000 proposed actions of a type, if the shares are these."""
    reach = kind.reach
    review = rates.edits + (1 - rates.edits) * costs.reject_saves
    seen, saves = _seen(kind, costs, mode, review)
    errors = PER * system_risk(reach, rates.passed * (1 - seen * rates.catch), rates.queue, rates.catch)
    kept = PER * system_risk(reach, rates.passed * (1 - seen * rates.catch * saves), rates.queue, rates.catch * review)
    minutes = (
        PER
        * ((1 - reach) + reach * (1.0 if mode == "in the loop" else seen + audited_share(kind, mode)))
        * review_seconds(kind, costs)
        / 60
    )
    hours = PER * ((1 - reach) * wait_seconds(kind, costs) + reach * _held(kind, costs, mode)) / 3600
    error_money = kept * costs.wrong[kind.consequence]
    money = error_money + minutes / 60 * costs.reviewer_hour + hours * costs.waiting_hour
    return Expense(mode, errors, error_money, minutes, hours, money)


def audited_share(kind: ActionType, mode: Mode) -> float:
    """Return the share of what passes that is audited blind: that of the level which gives the mode.

    What is costly has no level above `certified`, where a fifth is audited.
    """
    if mode == "in the loop":
        return 0.0
    if mode == "automatic" and kind.consequence in ("costly", "irreversible"):
        return SHARES[Level.CERTIFIED]
    return SHARES[Level.MONITORED if mode == "on the loop" else Level.SAMPLED]


def _seen(kind: ActionType, costs: Costs, mode: Mode, review: float) -> tuple[float, float]:
    """Return how much of what passes a person sees in time, and what it saves to catch an error then."""
    if mode == "in the loop":
        return 1.0, review
    if mode == "automatic":
        return 0.0, 0.0
    return costs.watched, costs.undo_saves if kind.undo else costs.reject_saves


def _held(kind: ActionType, costs: Costs, mode: Mode) -> float:
    """Return how many seconds an action that passes waits; with an undo it need not be held."""
    if mode == "in the loop":
        return wait_seconds(kind, costs)
    return (kind.veto_seconds or 0.0) if mode == "on the loop" and not kind.undo else 0.0


def review_seconds(kind: ActionType, costs: Costs) -> float:
    """Return the seconds of one review, measured or assumed."""
    return costs.review_seconds if kind.review_seconds is None else kind.review_seconds


def wait_seconds(kind: ActionType, costs: Costs) -> float:
    """Return the seconds an action waits for its decision, measured or assumed."""
    return costs.wait_seconds if kind.wait_seconds is None else kind.wait_seconds


def worst_rates(kind: ActionType) -> Rates:
    """Return the rates at which letting things run looks worst: errors at their upper bounds, reviewers at their best.

    Whatever a person would have caught is the loss of not asking one, so the better reviewers may be, the stricter the advice.
    """
    return Rates(kind.wrong_share[1], kind.passed_share[1], kind.catch[1], kind.edits[1])


@dataclass(frozen=True, slots=True)
class Expected:
    """What one mode costs per 1,000 proposed actions, from the better end of every bound to the worse."""

    low: Expense
    high: Expense
    beyond: float
    """What it costs beyond asking a person every time, where that looks best: at `worst_rates`."""

    @property
    def mode(self) -> Mode:
        """The mode."""
        return self.low.mode

    @property
    def risk(self) -> tuple[float, float]:
        """The share of all proposed actions that are wrong and stay."""
        return self.low.errors / PER, self.high.errors / PER

    def as_json(self) -> dict[str, Any]:
        """Return both ends as plain JSON; reviews and waiting have one."""
        return {
            "mode": self.mode,
            "errors": [self.low.errors, self.high.errors],
            "error_money": [self.low.error_money, self.high.error_money],
            "review_minutes": self.low.review_minutes,
            "waiting_hours": self.low.waiting_hours,
            "money": [self.low.money, self.high.money],
            "beyond_asking": self.beyond,
        }


def expected(kind: ActionType, costs: Costs, mode: Mode) -> Expected:
    """Return what a mode costs, with its range: few errors and good reviewers at one end, many and bad ones at the other."""
    (queue, passed, catch, edits) = kind.wrong_share, kind.passed_share, kind.catch, kind.edits
    low = expense(kind, costs, mode, Rates(queue[0], passed[0], catch[1], edits[1]))
    high = expense(kind, costs, mode, Rates(queue[1], passed[1], catch[0], edits[0]))
    return Expected(low, high, beyond_asking(kind, costs, mode, worst_rates(kind)))


def beyond_asking(kind: ActionType, costs: Costs, mode: Mode, rates: Rates) -> float:
    """Return what a mode costs per 1,000 actions beyond asking a person every time, if the shares are these."""
    return expense(kind, costs, mode, rates).money - expense(kind, costs, "in the loop", rates).money
