"""Drift: whether a stream of scores or of yes and no has moved from where it was; an early warning, never an alarm by itself.

A two-sided CUSUM (Page, Biometrika 41, 1954) on values standardised by a reference period. Streams worth watching: the
score, whether the tool is a certain one, whether a reviewer edited or overrode, whether a signal was missing. Pure Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

LEAST = 100
"""Values of the reference period from which on a mean is worth comparing with."""

SLACK = 0.5
"""Standard deviations of shift that are let go."""

LIMIT = 12.0
"""Standard deviations of shift, beyond the slack and summed up, that warn."""

_MOST = 3.0
"""One value counts for at most so many standard deviations, so that one outlier does not warn."""

_LEAST_SPREAD = 0.05
"""A reference that hardly varied must not make every change gigantic; values are shares, scores or yes and no, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a stream has moved from its reference."""

    mean: float
    spread: float
    up: float = 0.0
    """The summed shift upwards, in standard deviations."""
    down: float = 0.0
    seen: int = 0
    """Values since the reference."""
    warned_at: int | None = None
    """How many values had been seen when it first warned."""
    direction: str = ""
    """`up` or `down`, where it first warned."""

    @property
    def warned(self) -> bool:
        """Whether the stream has moved."""
        return self.warned_at is not None

    def as_json(self) -> dict[str, Any]:
        """Return the watch as plain JSON, to go on from later."""
        return {"version": 1, **asdict(self)}


def reference(values: Sequence[float]) -> Drift | None:
    """Return a watch that compares with these values, each 0 to 1; None for fewer than 100 finite ones."""
    finite = [float(value) for value in values if math.isfinite(value)]
    if len(finite) < LEAST:
        return None
    mean = (math.fsum(finite) + 0.5) / (len(finite) + 1)  # half a yes and half a no more: never is not impossible
    variance = math.fsum((value - mean) ** 2 for value in finite) / len(finite)
    return Drift(mean, max(_LEAST_SPREAD, math.sqrt(variance)))


def watch(drift: Drift, value: float) -> Drift:
    """Return the watch after one more value; what is not finite is left out (watch how often that happens on its own)."""
    if not math.isfinite(value):
        return drift
    shift = min(_MOST, max(-_MOST, (value - drift.mean) / drift.spread))
    up, down = max(0.0, drift.up + shift - SLACK), max(0.0, drift.down - shift - SLACK)
    after = replace(drift, up=up, down=down, seen=drift.seen + 1)
    if drift.warned or max(up, down) < LIMIT:
        return after
    return replace(after, warned_at=after.seen, direction="up" if up >= down else "down")


def drift_of(stored: Mapping[str, Any]) -> Drift:
    """Return the watch that `Drift.as_json` wrote; raises ValueError for another version."""
    if stored.get("version") != 1:
        raise ValueError(f"a watch of version {stored.get('version')!r} cannot be read here; update Assent")
    return Drift(**{name: value for name, value in stored.items() if name != "version"})
