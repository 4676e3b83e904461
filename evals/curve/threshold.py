"""From how often past reviews agreed at what confidence to how sure a new case is; it promises nothing, it estimates.

A stream that sets its own threshold has no guarantee: that is what certificates are for. Reviews are not a random sample
(what was automated is missing), but the estimate is of the chance *given* the confidence, which that leaves as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = 60
_STEEPNESS, _STEEPNESS_WEIGHT = 1.5, 0.3
"""The prior: more confidence means more often right, by so much per standard deviation; worth about one review."""
_LEAST_SPREAD = 0.5
"""In log-odds: reviews of one and the same confidence say nothing about others close by."""
_ENDS = 0.05
"""Confidences nearer to 0 or 1 than this count as this: one odd case far out must not turn the curve."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted chance that a proposal is right, by its confidence."""

    height: float
    steepness: float
    centre: float
    spread: float
    doubt: tuple[float, float, float]
    """Variance of the height, covariance of both, variance of the steepness."""
    reviews: int
    """How many past reviews it was fitted on."""

    def chance(self, confidence: float, errors: float = 0.0) -> float:
        """Return the chance (0..1) that a proposal of this confidence (0..1) is right, so many standard errors down."""
        place = (_log_odds(confidence) - self.centre) / self.spread
        height, both, steepness = self.doubt
        variance = max(0.0, height + 2 * place * both + place * place * steepness)
        return _sigmoid(self.height + self.steepness * place - errors * math.sqrt(variance))

    def threshold(self, target: float) -> float | None:
        """Return the least confidence from which on the chance, one standard error down, reaches the target; or None."""
        least = None
        for confidence in (percent / 100 for percent in range(99, 0, -1)):
            if self.steepness <= 0 or self.chance(confidence, errors=1.0) < target:
                break
            least = confidence
        return least


def calibrate(reviews: Sequence[tuple[float, bool]]) -> Calibration:
    """Fit the chance of being right to past reviews: pairs of the confidence then and whether the proposal was right.

    A logistic curve over the confidence's log-odds, with a weak prior and half a right and half a wrong review at the
    centre, so that a short run without an error is not taken for certainty. Raises ValueError without reviews.
    """
    if not reviews:
        raise ValueError("there is nothing to calibrate on")
    places = [_log_odds(confidence) for confidence, _ in reviews]
    centre = sum(places) / len(places)
    spread = max(_LEAST_SPREAD, math.sqrt(sum((place - centre) ** 2 for place in places) / len(places)))
    rows = [((place - centre) / spread, float(right), 1.0) for place, (_, right) in zip(places, reviews, strict=True)]
    rows += [(0.0, 1.0, 0.5), (0.0, 0.0, 0.5)]
    height, steepness = _fit(rows)
    return Calibration(height, steepness, centre, spread, _doubt(rows, height, steepness), len(reviews))


def _fit(rows: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return height and steepness of the likeliest curve by Newton's method, halving steps that lead uphill."""
    height, steepness = 0.0, 0.0
    loss = _loss(rows, height, steepness)
    for _ in range(_STEPS):
        step_height, step_steepness = _newton(rows, height, steepness)
        size = 1.0
        while size > 1e-4 and _loss(rows, height + size * step_height, steepness + size * step_steepness) > loss:
            size /= 2
        height, steepness = height + size * step_height, steepness + size * step_steepness
        before, loss = loss, _loss(rows, height, steepness)
        if before - loss < 1e-10:
            break
    return height, steepness


def _newton(rows: Sequence[tuple[float, float, float]], height: float, steepness: float) -> tuple[float, float]:
    """Return Newton's step: the inverse of the curvature times the gradient."""
    up, slope = 0.0, -_STEEPNESS_WEIGHT * (steepness - _STEEPNESS)
    for place, right, weight in rows:
        gap = weight * (right - _sigmoid(height + steepness * place))
        up, slope = up + gap, slope + gap * place
    high, mixed, steep = _doubt(rows, height, steepness)
    return high * up + mixed * slope, mixed * up + steep * slope


def _doubt(rows: Sequence[tuple[float, float, float]], height: float, steepness: float) -> tuple[float, float, float]:
    """Return the inverse of the loss's 2 x 2 curvature: the variances and the covariance of the fit."""
    high, mixed, steep = 1e-6, 0.0, _STEEPNESS_WEIGHT
    for place, _, weight in rows:
        chance = _sigmoid(height + steepness * place)
        bend = weight * chance * (1 - chance)
        high, mixed, steep = high + bend, mixed + bend * place, steep + bend * place * place
    size = high * steep - mixed * mixed
    return steep / size, -mixed / size, high / size


def _loss(rows: Sequence[tuple[float, float, float]], height: float, steepness: float) -> float:
    loss = _STEEPNESS_WEIGHT * (steepness - _STEEPNESS) ** 2 / 2
    for place, right, weight in rows:
        margin = (height + steepness * place) * (1 if right else -1)
        loss += weight * (math.log1p(math.exp(-abs(margin))) + max(0.0, -margin))
    return loss


def _log_odds(share: float) -> float:
    inside = min(1 - _ENDS, max(_ENDS, share))
    return math.log(inside / (1 - inside))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
