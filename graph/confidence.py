"""Confidence: one number from the readings that gate, or none; it never guesses what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .signals import JSON, Reading, Signal, agreement, option_probability, precedent, same_action, self_assessment

__all__ = [
    "JSON",
    "Reading",
    "Signal",
    "agreement",
    "confidence",
    "option_probability",
    "precedent",
    "same_action",
    "self_assessment",
]


def confidence(readings: Iterable[Reading]) -> float | None:
    """Return the product of the gating readings, 0..1.

    None, so that a person decides, when no reading gates, or one that gates has no value or none from 0 to 1.
    """
    values = [reading.value for reading in readings if reading.gates]
    if not values or any(not _is_share(value) for value in values):
        return None
    return math.prod(float(value) for value in values if value is not None)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
