"""How often the monitor rings without cause, and how soon with one, beside a z-test that is repeated after every audit."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import NormalDist, median
from typing import Any

from ..intervals import clopper_pearson
from ..monitor import observe, start

AUDITS = 2000
FIRST = 30
"""The z-test waits for so many audits, as its textbook asks."""

Rings = Callable[[Iterable[bool], float], int | None]
"""From the outcomes of audits, True for wrong, and alpha to the audit at which it rings; None if it never does."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """How a monitor rang over many seeded streams."""

    monitor: str
    alpha: float
    factor: float
    """The true error rate, as a multiple of alpha."""
    streams: int
    rang: float
    """Share of the streams in which it rang within `AUDITS` audits."""
    interval: tuple[float, float]
    """Of that share, 95 %."""
    delay: float | None
    """Median audits until it rang, streams in which it never did counted as longest; None when fewer than half rang."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def betting(outcomes: Iterable[bool], alpha: float) -> int | None:
    """Return the audit at which the product's monitor rings."""
    monitor = start(alpha)
    for place, wrong in enumerate(outcomes, 1):
        monitor = observe(monitor, wrong)
        if monitor.alarmed:
            return place
    return None


def repeated_z(outcomes: Iterable[bool], alpha: float) -> int | None:
    """Return the audit at which a one-sided z-test at 5 %, repeated after every audit, first rejects."""
    critical, errors = NormalDist().inv_cdf(0.95), 0
    for place, wrong in enumerate(outcomes, 1):
        errors += wrong
        if place >= FIRST and errors - alpha * place > critical * math.sqrt(place * alpha * (1 - alpha)):
            return place
    return None


RINGS: dict[str, Rings] = {"betting monitor": betting, "repeated z-test": repeated_z}


def ring(name: str, *, alpha: float, factor: float, streams: int, seed: int = 0, audits: int = AUDITS) -> Alarms:
    """Return how often and how soon a monitor rings where the error rate is `factor` times alpha."""
    rings, rate = RINGS[name], alpha * factor
    times: list[int | None] = []
    for stream in range(streams):
        source = random.Random(f"{seed} {alpha} {factor} {stream}")  # noqa: S311  repeatable, not secret
        times.append(rings((source.random() < rate for _ in range(audits)), alpha))
    rang = [time for time in times if time is not None]
    middle = median(math.inf if time is None else float(time) for time in times)
    return Alarms(
        name,
        alpha,
        factor,
        streams,
        len(rang) / streams,
        clopper_pearson(len(rang), streams),
        middle if math.isfinite(middle) else None,
    )
