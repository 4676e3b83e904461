"""Guaranteed autonomy: how much passes under a certificate from few labels, and whether the promise was kept on the other rows.

Per class of actions and split: so many labels are drawn by group, the certificate is made from them by `certify`, and every
other row is scored. No candidate and no weight has seen a certifying label. The promise is rejected in a split when an exact
one-sided test at 5% on the other rows rejects "what passes is wrong at most alpha of the time".
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from ..certify.certificate import binomial_p, candidates, certify, passes
from .scored import Scored

LABELS, SPLITS, ALPHA, DELTA = 320, 500, 0.05, 0.10
MOST_LABELLED = 0.75
"""At most so much of a class is labelled, so that there is something left to score."""
SIGNIFICANT = 0.05

Threshold = Callable[[Sequence[float], Sequence[bool], Scored], float | None]
"""From scores and labels of the drawn rows, and the class's fitted rows, to the threshold; None lets nothing through."""


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

    def rule(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
        return certify(
            scores, correct, alpha=alpha, delta=delta, thresholds=candidates(fitted.fit_scores), test=remembered
        ).threshold

    return rule


def remembered(wrong: Sequence[int], accepted: Sequence[int], alpha: float) -> list[float]:
    """Return the certificate's own p-values; the same few counts come again in every split."""
    return [_p(k, n, alpha) for k, n in zip(wrong, accepted, strict=True)]


@lru_cache(maxsize=100_000)
def _p(k: int, n: int, alpha: float) -> float:
    return binomial_p([k], [n], alpha)[0]


def tuned(alpha: float = ALPHA) -> Threshold:
    """Return the naive rule: the loosest threshold at which the drawn rows were wrong at most alpha of the time."""

    def rule(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
        loosest, wrong = None, 0
        order = sorted(range(len(scores)), key=lambda row: -scores[row])
        for place, row in enumerate(order):
            wrong += not correct[row]
            last = place + 1 == len(order) or scores[order[place + 1]] != scores[row]
            if last and wrong <= alpha * (place + 1):
                loosest = scores[row]
        return loosest

    return rule


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
    threshold = rule([one.scores[row] for row in drawn], [one.correct[row] for row in drawn], one)
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


@lru_cache(maxsize=100_000)
def _is_rejected(k: int, n: int, alpha: float) -> bool:
    from scipy.stats import binom

    return bool(n) and float(binom.sf(k - 1, n, alpha)) <= SIGNIFICANT


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return math.fsum(held) / len(held) if held else None
