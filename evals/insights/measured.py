"""Figures of one class from what people decided about it; pure functions over rows, which promise nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...graph.authority.probing import outcome_of
from ...graph.autonomy.scoring import Features, Head, features_of
from ...graph.store.classes import Decided
from ..diagnostics import calibration_error, reliability, risk_coverage
from ..heads import LEAST_ERRORS, LEAST_LABELS
from .shapes import Curve, Diagram, Promise, Week

COUNTED = ("action", "audit", "shadow")
"""The reviews that say how the agent does: known-answer items and second looks measure the reviewers instead."""

LEAST = 10
"""With fewer labels a diagram would show noise."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A decided action: what was measured of it before, and whether a person found it right."""

    features: Features
    correct: bool
    at: datetime
    seconds: float | None = None


def labelled(rows: Iterable[Decided]) -> list[Labelled]:
    """Return the decisions that say right or wrong, oldest first; an answer in the tool's place says neither."""
    found: list[Labelled] = []
    for decision, action, kind in rows:
        outcome = outcome_of(decision.type, action.args, decision.args, action.args_schema)
        if kind in COUNTED and outcome != "left out":
            features = features_of(action.tool, action.readings, action.reasons)
            found.append(Labelled(features, outcome == "correct", decision.created_at))
    return sorted(found, key=lambda one: one.at)


def raw_diagram(rows: Sequence[Labelled], feature: str = "agreement") -> Diagram:
    """Return how far a signal can be taken at its word."""
    known = [(value, row.correct) for row in rows if (value := row.features.get(feature)) is not None and 0 <= value <= 1]
    return _diagram(known, f"decided actions with a measured {feature}")


def calibrated_diagram(rows: Sequence[Labelled], head: Head | None) -> Diagram:
    """Return how far the fitted confidence can be taken at its word; without a fitted head it says what fitting one needs."""
    if head is None or head.raw:
        wrong = sum(not row.correct for row in rows)
        needs = f"that needs {LEAST_LABELS} decided actions, {LEAST_ERRORS} of them wrong"
        note = f"Nothing is fitted yet: {needs}; there are {len(rows)} and {wrong}."
        return Diagram(note=note, n=0)
    known = [(score, row.correct) for row in rows if (score := head.score(row.features)) is not None]
    return _diagram(known, "decided actions with a confidence")


def _diagram(known: Sequence[tuple[float, bool]], what: str) -> Diagram:
    if len(known) < LEAST:
        return Diagram(n=len(known), note=f"{LEAST - len(known)} more {what} until this can be drawn.")
    scores, correct = [score for score, _ in known], [right for _, right in known]
    return Diagram(reliability(scores, correct), len(known), calibration_error(scores, correct))


def curve(rows: Sequence[Labelled], head: Head | None, certified: Promise | None) -> Curve:
    """Return what would have passed at each threshold of these rows, and how much of it was wrong."""
    score = head.score if head is not None else _agreement
    known = [(value, row.correct) for row in rows if (value := score(row.features)) is not None]
    if len(known) < LEAST:
        return Curve(n=len(known), note=f"{LEAST - len(known)} more decided actions with a confidence until this can be drawn.")
    points = risk_coverage([value for value, _ in known], [right for _, right in known])
    return Curve(points, len(known), certified)


def _agreement(features: Features) -> float | None:
    return features.get("agreement")


def weeks(rows: Iterable[Decided]) -> tuple[Week, ...]:
    """Return what was decided week by week (UTC), oldest first; weeks without a decision are left out."""
    counts: dict[str, Counter[str]] = {}
    for decision, _, kind in rows:
        if kind in COUNTED:
            day = decision.created_at.date()
            counts.setdefault((day - timedelta(days=day.weekday())).isoformat(), Counter())[decision.type] += 1
    return tuple(
        Week(monday, found.total(), found["approve"], found["edit"], found["reject"], found["respond"])
        for monday, found in sorted(counts.items())
    )


def queue(rows: Sequence[Labelled], head: Head | None, promise: Promise | None) -> tuple[int, int] | None:
    """Return how many of the actions below a certificate's threshold were wrong, and how many there were."""
    if promise is None:
        return None
    score = head.score if head is not None else _agreement
    below = [row for row in rows if (value := score(row.features)) is None or value < promise.threshold]
    return sum(not row.correct for row in below), len(below)
