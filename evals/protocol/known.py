"""Rows whose truth is known, because they are made up: where a promise can be checked without any test."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

from .guarantee import ALPHA, LABELS, Threshold, certified, tuned
from .scored import Scored

SLOPE = 0.1
FIT = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """How a threshold rule did where the true error rate of each threshold is known."""

    rule: str
    draws: int
    coverage: float
    """Mean true share of what passes."""
    broken: float
    """Share of the draws whose threshold truly errs more than alpha."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def known_truth(*, draws: int, labels: int = LABELS, seed: int = 0) -> list[Known]:
    """Return how the certificate, one whose labels are not spent on what no candidate accepts, and the tuned threshold did.

    The score s is uniform on 0..1, and an action is wrong with a chance of 2 * SLOPE * (1 - s), so what a threshold t accepts,
    a share of 1 - t, is wrong SLOPE * (1 - t) of the time: exactly 5% at t = .5.
    """
    return [
        _known("certificate", certified(), draws, labels, seed),
        _known("certificate, labels only where the score is at least .3", certified(), draws, labels, seed, above=0.3),
        _known("tuned threshold", tuned(), draws, labels, seed),
    ]


def _known(name: str, rule: Threshold, draws: int, labels: int, seed: int, *, above: float = 0.0) -> Known:
    fit = [above + (1 - above) * (place + 0.5) / FIT for place in range(FIT)]
    fitted = Scored("known", (), (), (), tuple(fit), (True,) * FIT)
    covered, broken = 0.0, 0
    for draw in range(draws):
        source = random.Random(f"{seed} {draw}")  # noqa: S311  repeatable, not secret
        scores = [above + (1 - above) * source.random() for _ in range(labels)]
        correct = [source.random() >= 2 * SLOPE * (1 - score) for score in scores]
        threshold = rule(scores, correct, fitted)
        passed = 0.0 if threshold is None else 1 - threshold
        covered += passed
        broken += passed * SLOPE > ALPHA
    return Known(name, draws, covered / draws, broken / draws)
