"""Guaranteed autonomy: how much passes under a certificate from few labels, and whether the promise was kept on the other rows.

Per class of actions and split: so many labels are drawn by group, the certificate is made from them by `certify`, and every
other row is scored. No candidate and no weight has seen a certifying label. The promise is rejected in a split when an exact
one-sided test at 5 % on the other rows rejects "what passes is wrong at most alpha of the time".
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...graph.autonomy.scoring import Head
from ..certificate import candidates, certify, passes
from ..heads import STRENGTH, fit_head

LABELS, SPLITS, ALPHA, DELTA = 320, 500, 0.05, 0.10
MOST_LABELLED = 0.6
"""At most so much of a class is labelled, so that there is something left to score."""
LEAST_FIT = 100
"""A class with fewer fitted rows takes its candidates from all fitted rows."""
SIGNIFICANT = 0.05

Threshold = Callable[[Sequence[float], Sequence[bool], Sequence[float]], float | None]
"""From scores and labels of the drawn rows, and scores of fitted rows, to the threshold; None lets nothing through."""


@dataclass(frozen=True, slots=True)
class Scorable:
    """One decided action."""

    kind: str
    """Its class of actions; each has a certificate of its own."""
    group: str
    correct: bool
    features: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Scored:
    """A class's rows with the scores of a head that never saw them, and scores of fitted rows for the candidates."""

    kind: str
    scores: tuple[float, ...]
    correct: tuple[bool, ...]
    groups: tuple[str, ...]
    fit_scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What the splits of one class came to."""

    kind: str
    rows: int
    labels: int
    coverage: float
    """Mean share of the other rows that passed; a split without a certificate counts 0."""
    risk: float | None
    """Mean share of the wrong in what passed, over the splits where something did."""
    rejected: float
    """Share of the splits in which the exact test rejects the promise."""
    broken: float
    """Share of the splits whose threshold lets through more than alpha wrong over all rows, drawn and other."""
    none: float
    """Share of the splits without a certificate."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Autonomy:
    """Guaranteed autonomy of several classes: means over the classes."""

    name: str
    classes: tuple[Guarantee, ...]

    @property
    def coverage(self) -> float:
        """Mean coverage."""
        return _mean(one.coverage for one in self.classes) or 0.0

    @property
    def risk(self) -> float | None:
        """Mean risk of what passed, of the classes where something did."""
        return _mean(one.risk for one in self.classes if one.risk is not None)

    @property
    def rejected(self) -> float:
        """Mean share of splits whose promise the test rejects."""
        return _mean(one.rejected for one in self.classes) or 0.0

    @property
    def broken(self) -> float:
        """Mean share of splits whose threshold lets through more than alpha wrong over all rows."""
        return _mean(one.broken for one in self.classes) or 0.0

    @property
    def none(self) -> float:
        """Mean share of splits without a certificate."""
        return _mean(one.none for one in self.classes) or 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the means and the classes as plain JSON."""
        means = {name: getattr(self, name) for name in ("coverage", "risk", "rejected", "broken", "none")}
        return {"name": self.name, **means, "classes": [one.as_json() for one in self.classes]}


def certified(alpha: float = ALPHA, delta: float = DELTA) -> Threshold:
    """Return the rule that certifies: candidates from the fitted scores, exact tests from strict to loose."""

    def rule(scores: Sequence[float], correct: Sequence[bool], fit_scores: Sequence[float]) -> float | None:
        return certify(scores, correct, alpha=alpha, delta=delta, thresholds=candidates(fit_scores)).threshold

    return rule


def tuned(alpha: float = ALPHA) -> Threshold:
    """Return the naive rule: the loosest threshold at which the drawn rows were wrong at most alpha of the time."""

    def rule(scores: Sequence[float], correct: Sequence[bool], fit_scores: Sequence[float]) -> float | None:
        loosest, wrong = None, 0
        order = sorted(range(len(scores)), key=lambda row: -scores[row])
        for place, row in enumerate(order):
            wrong += not correct[row]
            last = place + 1 == len(order) or scores[order[place + 1]] != scores[row]
            if last and wrong <= alpha * (place + 1):
                loosest = scores[row]
        return loosest

    return rule


def scored_between(
    fit: Sequence[Scorable], rows: Sequence[Scorable], *, raw: bool = False, strength: float = STRENGTH
) -> list[Scored]:
    """Return rows scored by a head that was fitted on all classes of other rows; `raw` takes agreement as it is."""
    head = Head(raw="agreement") if raw else head_for(fit, strength)
    fitted = _by_kind(fit, [_score(head, row) for row in fit])
    pooled = [score for one in fitted.values() for score, _ in one]
    return [
        _scored(kind, held, [score for score, _ in fitted.get(kind, [])], pooled)
        for kind, held in _by_kind(rows, [_score(head, row) for row in rows]).items()
    ]


def scored_across(rows: Sequence[Scorable], *, seed: int, raw: bool = False, strength: float = STRENGTH) -> list[Scored]:
    """Return rows of one source scored across halves: each half of the groups by a head that was fitted on the other half."""
    first, second = halves(rows, seed)
    parts = [*scored_between(first, second, raw=raw, strength=strength), *scored_between(second, first, raw=raw, strength=strength)]
    joined: dict[str, list[Scored]] = {}
    for part in parts:
        joined.setdefault(part.kind, []).append(part)
    return [_joined(kind, held) for kind, held in sorted(joined.items())]


def halves(rows: Sequence[Scorable], seed: int) -> tuple[list[Scorable], list[Scorable]]:
    """Return the rows in two parts, whole groups apart, by a seeded draw that the order of rows has no part in."""
    groups = sorted({row.group for row in rows})
    random.Random(seed).shuffle(groups)  # noqa: S311  repeatable, not secret
    first = set(groups[: len(groups) // 2])
    return [row for row in rows if row.group in first], [row for row in rows if row.group not in first]


def head_for(rows: Sequence[Scorable], strength: float = STRENGTH) -> Head:
    """Return the head fitted on all these rows, classes pooled."""
    return fit_head(
        [row.features for row in rows], [row.correct for row in rows], groups=[row.group for row in rows], strength=strength
    )


def measure(
    scored: Sequence[Scored],
    name: str,
    *,
    rule: Threshold | None = None,
    labels: int = LABELS,
    splits: int = SPLITS,
    alpha: float = ALPHA,
    seed: int = 0,
    tell: Callable[[str], None] = lambda said: None,
) -> Autonomy:
    """Return what a threshold rule, the certificate unless given, lets through over many splits of each class."""
    chosen = rule or certified(alpha)
    classes = []
    for one in sorted(scored, key=lambda held: held.kind):
        tell(f"{name}: {one.kind}, {splits} splits")
        classes.append(_measured(one, chosen, min(labels, math.floor(MOST_LABELLED * len(one.scores))), splits, alpha, seed))
    return Autonomy(name, tuple(classes))


def measure_each(sources: Sequence[Sequence[Scored]], name: str, *, splits: int = SPLITS, seed: int = 0, **how: Any) -> Autonomy:
    """Return the means over several ways of scoring the same rows, the splits shared out among them; for `how` see `measure`."""
    each = -(-splits // len(sources))
    done = [measure(scored, name, splits=each, seed=seed + place, **how) for place, scored in enumerate(sources)]
    kinds = [one.kind for one in done[0].classes]
    return Autonomy(name, tuple(_averaged([held for one in done for held in one.classes if held.kind == kind]) for kind in kinds))


def _averaged(held: Sequence[Guarantee]) -> Guarantee:
    first = held[0]
    return Guarantee(
        first.kind,
        first.rows,
        first.labels,
        _mean(one.coverage for one in held) or 0.0,
        _mean(one.risk for one in held if one.risk is not None),
        _mean(one.rejected for one in held) or 0.0,
        _mean(one.broken for one in held) or 0.0,
        _mean(one.none for one in held) or 0.0,
    )


def _measured(one: Scored, rule: Threshold, labels: int, splits: int, alpha: float, seed: int) -> Guarantee:
    source = random.Random(f"{seed} {one.kind}")  # noqa: S311  repeatable, not secret
    results = [_split(one, rule, labels, alpha, source) for _ in range(splits)]
    passed = [result for result in results if result.n]
    return Guarantee(
        one.kind,
        len(one.scores),
        labels,
        _mean(result.n / result.others for result in results) or 0.0,
        _mean(result.k / result.n for result in passed),
        _mean(float(result.rejected) for result in results) or 0.0,
        _mean(float(result.broken) for result in results) or 0.0,
        _mean(float(result.threshold is None) for result in results) or 0.0,
    )


@dataclass(frozen=True, slots=True)
class _Split:
    threshold: float | None
    n: int
    k: int
    others: int
    broken: bool
    rejected: bool


def _split(one: Scored, rule: Threshold, labels: int, alpha: float, source: random.Random) -> _Split:
    drawn = _draw(one, labels, source)
    threshold = rule([one.scores[row] for row in drawn], [one.correct[row] for row in drawn], one.fit_scores)
    others = [row for row in range(len(one.scores)) if row not in drawn]
    n, k = _passed(one, others, threshold)
    every, wrong = _passed(one, range(len(one.scores)), threshold)
    return _Split(threshold, n, k, len(others), wrong > alpha * every, _is_rejected(k, n, alpha))


def _draw(one: Scored, labels: int, source: random.Random) -> dict[int, None]:
    """Return rows of different groups, drawn in a random order of the rows; fewer than asked for when groups run out."""
    order = list(range(len(one.scores)))
    source.shuffle(order)
    drawn: dict[int, None] = {}
    seen: set[str] = set()
    for row in order:
        if len(drawn) == labels:
            break
        if one.groups[row] not in seen:
            seen.add(one.groups[row])
            drawn[row] = None
    return drawn


def _passed(one: Scored, rows: Iterable[int], threshold: float | None) -> tuple[int, int]:
    held = [row for row in rows if passes(one.scores[row], threshold)]
    return len(held), sum(not one.correct[row] for row in held)


def _is_rejected(k: int, n: int, alpha: float) -> bool:
    from scipy.stats import binom

    return bool(n) and float(binom.sf(k - 1, n, alpha)) <= SIGNIFICANT


def _score(head: Head, row: Scorable) -> float:
    """Return the confidence; what cannot be told is below every threshold."""
    score = head.score(row.features)
    return -1.0 if score is None else score


def _by_kind(rows: Sequence[Scorable], scores: Sequence[float]) -> dict[str, list[tuple[float, Scorable]]]:
    held: dict[str, list[tuple[float, Scorable]]] = {}
    for row, score in zip(rows, scores, strict=True):
        held.setdefault(row.kind, []).append((score, row))
    return held


def _scored(kind: str, held: Sequence[tuple[float, Scorable]], own: Sequence[float], pooled: Sequence[float]) -> Scored:
    return Scored(
        kind,
        tuple(score for score, _ in held),
        tuple(row.correct for _, row in held),
        tuple(row.group for _, row in held),
        tuple(own if len(own) >= LEAST_FIT else pooled),
    )


def _joined(kind: str, parts: Sequence[Scored]) -> Scored:
    return Scored(
        kind,
        tuple(score for part in parts for score in part.scores),
        tuple(right for part in parts for right in part.correct),
        tuple(group for part in parts for group in part.groups),
        tuple(score for part in parts for score in part.fit_scores),
    )


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return math.fsum(held) / len(held) if held else None
