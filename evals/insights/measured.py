"""Figures of one class from what people decided about it; pure functions over rows, which promise nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ...graph.autonomy.scoring import AGREEMENT, Features, Head
from ...graph.store.classes import Decided
from ..certify.diagnostics import calibration_error, reliability, risk_coverage
from ..certify.heads import LEAST_ERRORS, LEAST_LABELS
from ..certify.labels import Label, Labels, of_one_chance, one_each, split
from .shapes import Curve, Diagram, Promise, Week

COUNTED = ("action", "audit", "shadow")
"""The reviews that say how the agent does: known-answer items and second looks measure the reviewers instead."""

LEAST = 10
"""With fewer labels a diagram would show noise."""

_DRAWN = 400
"""So many points of a curve are kept."""


def certifying(labels: Labels | None, *, fitted: bool, report: Mapping[str, Any] | None = None) -> tuple[Label, ...]:
    """Return the rows that figures are drawn from, oldest first: rows of one chance, of a `fitted` head only those it never saw.

    Args:
        labels: what is known of the class.
        fitted: whether a fitted head is shown; it saw what is older than the rows it was tried on, and half of these if need be.
        report: of the try that fitted it.
    """
    if labels is None:
        return ()
    report, key = report or {}, labels.key.digest()
    begun = datetime.fromisoformat(report["since"]) if fitted and report.get("since") else None
    since = replace(labels, rows=tuple(row for row in labels.rows if begun is None or row.at >= begun))
    rows = of_one_chance(since)
    kept = one_each(split(rows, key)[1] if fitted and report.get("halved", True) else rows, key)
    return tuple(sorted(kept, key=lambda row: row.at))


def raw_diagram(rows: Sequence[Label], feature: str = "agreement") -> Diagram:
    """Return how far a signal can be taken at its word."""
    known = [(value, row.correct) for row in rows if (value := _value(row.features, feature)) is not None]
    return _diagram(known, f"decided actions with a measured {feature}")


def calibrated_diagram(rows: Sequence[Label], head: Head | None, labels: Labels | None) -> Diagram:
    """Return how far the fitted confidence can be taken at its word; without a fitted head it says what fitting one needs."""
    if head is None or head.raw:
        known = labels.rows if labels is not None else ()
        wrong = sum(not row.correct for row in known)
        needs = f"{2 * LEAST_LABELS} decided actions, with {LEAST_ERRORS} wrong ones in the half that is fitted on"
        return Diagram(note=f"Agreement is taken as it is. A head is fitted from {needs}; there are {len(known)} and {wrong}.")
    scored = [(score, row.correct) for row in rows if (score := head.score(row.features)) is not None]
    return _diagram(scored, "decided actions with a confidence")


def _value(features: Features, name: str) -> float | None:
    value = features.get(name)
    return value if value is not None and 0 <= value <= 1 else None


def _diagram(known: Sequence[tuple[float, bool]], what: str) -> Diagram:
    if len(known) < LEAST:
        return Diagram(n=len(known), note=_wanting(len(known), what))
    scores, correct = [score for score, _ in known], [right for _, right in known]
    return Diagram(reliability(scores, correct), len(known), calibration_error(scores, correct))


def _wanting(have: int, what: str) -> str:
    return f"{LEAST - have} more {what} until this can be drawn."


def curve(rows: Sequence[Label], head: Head | None, certified: Promise | None) -> Curve:
    """Return what would have passed at each threshold of these rows, and how much of it was wrong."""
    score = (head or AGREEMENT).score
    known = [(value, row.correct) for row in rows if (value := score(row.features)) is not None]
    if len(known) < LEAST:
        return Curve(n=len(known), note=_wanting(len(known), "decided actions with a confidence"))
    points = risk_coverage([value for value, _ in known], [right for _, right in known])
    step = max(1, -(-len(points) // _DRAWN))
    kept = [point for place, point in enumerate(points) if place % step == 0 or place == len(points) - 1]
    return Curve(tuple(kept), len(known), certified)


def weeks(rows: Iterable[Decided]) -> tuple[Week, ...]:
    """Return what was decided week by week (UTC), oldest first; weeks without a decision are left out."""
    counts: dict[str, Counter[str]] = {}
    for one in rows:
        if one.kind in COUNTED:
            day = one.at.date()
            counts.setdefault((day - timedelta(days=day.weekday())).isoformat(), Counter())[one.type] += 1
    return tuple(
        Week(monday, found.total(), found["approve"], found["edit"], found["reject"], found["respond"])
        for monday, found in sorted(counts.items())
    )
