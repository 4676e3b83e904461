"""From the labels of a class to a certificate for its next level, or to none; it offers nothing and signs nothing.

A class is tried again as its labels grow, and every try could pass by luck. So the tries for one level under one key share delta:
the j-th spends delta / (j (j + 1)), which sums to at most delta however many there are (a union bound). Each level is a promise of
its own with a delta of its own. When a try is made is told by counting rows
and scores alone, never by labels: when enough rows could pass (`rows_needed`), and half as many again as at the last try.

With few labels nothing is fitted: agreement is taken as it is, the thresholds are fixed beforehand, and all conversations certify.
From 400 labels on, half of the conversations fit a head and give the thresholds, and the other half certify. Once something has
passed, what was labelled before fits the head, and all conversations since certify (see `labels`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...graph.autonomy.levels import Level
from ...graph.autonomy.scoring import AGREEMENT, Head
from .certificate import Certified, candidates, certify
from .diagnostics import auroc, calibration_error, reliability, risk_coverage
from .heads import LEAST_LABELS, fit_head
from .labels import Label, Labels, one_each, split, uniform
from .left_out import left_out

DELTA = 0.10
"""The chance that any certificate of a class for one level under one key breaks its promise."""

GROWTH = 1.5
"""So many times the rows of the last try make the next one worth its delta."""

PATIENCE = 3
"""So many times the rows that a faultless test needs are waited for above `certified`."""

FIXED = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""The thresholds for agreement as it is, fixed beforehand."""

POINTS = 60
"""So many points of the risk-coverage curve are kept."""


def promised(level: Level, consequence: str) -> float:
    """Return alpha, the greatest share of wrong ones among what passes that a level promises.

    5% for what can be undone and 1% for the rest; 10% at `monitored`, where a person can still veto and undo.
    """
    if level == Level.MONITORED:
        return 0.10
    return 0.05 if consequence in ("read", "reversible") else 0.01


def rows_needed(level: Level, alpha: float, delta: float, last: int) -> int:
    """Return how many rows have to be able to pass before a try is worth its delta.

    With fewer than log(delta) / log(1 - alpha) not even rows without an error could pass the test. Above `certified` three times as
    many are waited for: what is certified on few audits lets little pass, and may be signed for long. Later, half as many again.

    Args:
        level: that is tried.
        alpha: what it promises.
        delta: what the try may spend.
        last: how many could pass at the last try; 0 before any.
    """
    least = math.ceil(math.log(delta) / math.log1p(-alpha))
    return max(least * (PATIENCE if level > Level.CERTIFIED else 1), math.ceil(GROWTH * last))


def spent(delta: float, number: int) -> float:
    """Return what the `number`-th try spends of delta, counted from 1."""
    return delta / (number * (number + 1))


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try came to."""

    level: Level
    head: Head
    certified: Certified
    report: Mapping[str, Any]
    """Plain JSON: labels and decisions by kind, how rows were chosen, and diagnostics of the rows that certify."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A head, the thresholds it goes with, and the rows to certify on; none of the latter had a part in the former."""

    head: Head
    thresholds: tuple[float, ...]
    rows: tuple[Label, ...]
    fitted_on: int
    halved: bool = False

    @property
    def scores(self) -> list[float]:
        """The score of each row; NaN where it cannot be told, or a signal that counts could not be read: it never passes."""
        return [math.nan if (score := _score(self.head, row)) is None else score for row in self.rows]

    @property
    def could_pass(self) -> int:
        """How many rows the loosest threshold accepts."""
        least = min(self.thresholds, default=math.inf)
        return sum(score >= least for score in self.scores)


def _score(head: Head, row: Label) -> float | None:
    return head.score(row.features) if row.readable else None


@dataclass(frozen=True, slots=True)
class Parted:
    """The labels of a class in two parts that share no conversation."""

    fit: tuple[Label, ...]
    """What a head is fitted on; empty where there is too little to fit one."""
    certify: tuple[Label, ...]
    """What certifies: one row of each conversation, all of one chance."""
    halved: bool = False
    """Whether half of the conversations that could certify had to be fitted on."""


def parted(labels: Labels) -> Parted:
    """Return what a head is fitted on and what certifies, told by counting rows, never by looking at a label.

    What is labelled in other conversations than those that can certify, as the rows of the time before something passed, fits the
    head where it is enough; then all of the latter certify. Else half of them fit, if there are 400, or nothing does.
    """
    key, rows = labels.key.digest(), uniform(labels)
    apart = _apart(labels, rows)
    if len(apart) >= LEAST_LABELS:
        return Parted(apart, one_each(rows, key))
    if len(rows) < 2 * LEAST_LABELS:
        return Parted((), one_each(rows, key))
    _, certify = split(rows, key)
    return Parted(_apart(labels, certify), one_each(certify, key), halved=True)


def _apart(labels: Labels, rows: Iterable[Label]) -> tuple[Label, ...]:
    groups = {row.group for row in rows}
    return tuple(row for row in labels.rows if row.group not in groups)


def prepared(labels: Labels) -> Prepared:
    """Return what a try would test, without looking at a label of the rows that certify."""
    return _fitted(parted(labels))


def _fitted(part: Parted) -> Prepared:
    known = part.fit
    if not known:
        return Prepared(AGREEMENT, FIXED, part.certify, 0)
    head = fit_head([row.features for row in known], [row.correct for row in known], groups=[row.group for row in known])
    found = [score for row in known if row.draw < row.share and (score := _score(head, row)) is not None]
    return Prepared(head, candidates(found), part.certify, len(known), part.halved)


def tried(
    labels: Labels, level: Level, number: int, last: int, *, delta: float = DELTA, alpha: float | None = None
) -> Tried | None:
    """Try to certify a class for a level; None while it is too early to spend a try on it.

    Args:
        labels: what is known of the class.
        level: for which level.
        number: the how-manieth try under this key for this level, from 1.
        last: how many rows could pass at the last try; 0 before any.
        delta: shared by all tries.
        alpha: what is promised, if it is not what the level promises.
    """
    if labels.stated or not labels.rows:
        return None
    share, alpha = spent(delta, number), promised(level, labels.consequence) if alpha is None else alpha
    needed, part = rows_needed(level, alpha, share, last), parted(labels)
    if len(part.certify) < needed or (found := _fitted(part)).could_pass < needed:
        return None
    return certified(labels, found, level, alpha, share, {"try": number, "delta_of_all_tries": delta})


def certified(
    labels: Labels, found: Prepared, level: Level, alpha: float, delta: float, more: Mapping[str, Any] | None = None
) -> Tried:
    """Certify prepared rows once, and measure them."""
    scores, correct = found.scores, [row.correct for row in found.rows]
    result = certify(scores, correct, alpha=alpha, delta=delta, thresholds=found.thresholds)
    report = {
        "version": 1,
        **(more or {}),
        "could_pass": found.could_pass,
        "fitted_on": found.fitted_on,
        "halved": found.halved,
        "head": "agreement as it is" if found.head.raw else "fitted",
        "labels": dict(labels.counts),
        "left_out": left_out(labels.counts, result),
        "decisions": dict(labels.decisions),
        "override_rate": _override(labels),
        "share": labels.share,
        "since": labels.begun.isoformat() if labels.begun is not None else None,
        "tested": [asdict(one) for one in result.tested],
        "more": asdict(result.more) if result.more else None,
        **_measured(scores, correct, result.threshold),
    }
    return Tried(level, found.head, result, report)


def _override(labels: Labels) -> float:
    total = sum(labels.decisions.values())
    return (total - labels.decisions.get("approve", 0)) / total if total else 0.0


def _measured(scores: Sequence[float], correct: Sequence[bool], threshold: float | None) -> dict[str, Any]:
    """Return how well scores tell right from wrong on these rows, and how much is wrong of what is reviewed."""
    rows = [(score, right) for score, right in zip(scores, correct, strict=True) if math.isfinite(score)]
    known, right = [score for score, _ in rows], [yes for _, yes in rows]
    queue = [yes for score, yes in zip(scores, correct, strict=True) if threshold is None or not score >= threshold]
    points = risk_coverage(known, right)
    kept = points[:: max(1, math.ceil(len(points) / POINTS))]
    return {
        "measured": len(known),
        "wrong": len(correct) - sum(correct),
        "queue_error": sum(not yes for yes in queue) / len(queue) if queue else 0.0,
        "auroc": auroc(known, right),
        "calibration_error": calibration_error(known, right),
        "reliability": [{**asdict(one), "interval": list(one.interval)} for one in reliability(known, right)],
        "risk_coverage": [asdict(one) for one in kept],
    }
