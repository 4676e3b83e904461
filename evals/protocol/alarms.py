"""How often the monitor rings without cause, and how soon with one, beside a z-test that is repeated after every audit."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import NormalDist, median
from typing import Any

from ..intervals import clopper_pearson
from ..ladder.memory import RESERVE
from ..watch.monitor import Monitor, observe, start

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
    calm: int
    """Audits before, at half of alpha."""
    streams: int
    rang: float
    """Share of the streams in which it rang within `AUDITS` audits after the calm."""
    interval: tuple[float, float]
    """Of that share, 95%."""
    delay: float | None
    """Median audits after the calm until it rang, streams without an alarm counted as longest; None when fewer than half rang."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def betting(outcomes: Iterable[bool], alpha: float) -> int | None:
    """Return the audit at which the product's monitor rings."""
    return _rings(start(alpha), outcomes)


def kept_back(outcomes: Iterable[bool], alpha: float) -> int | None:
    """Return the same for the monitor of a signed class, which keeps a part of its stakes for late changes."""
    return _rings(start(alpha, reserve=RESERVE), outcomes)


def _rings(monitor: Monitor, outcomes: Iterable[bool]) -> int | None:
    for place, wrong in enumerate(outcomes, 1):
        monitor = observe(monitor, wrong)
        if monitor.alarmed:
            return place
    return None


def repeated_z(outcomes: Iterable[bool], alpha: float) -> int | None:
    """Return the audit at which a one-sided z-test at 5%, repeated after every audit, first rejects."""
    critical, errors = NormalDist().inv_cdf(0.95), 0
    for place, wrong in enumerate(outcomes, 1):
        errors += wrong
        if place >= FIRST and errors - alpha * place > critical * math.sqrt(place * alpha * (1 - alpha)):
            return place
    return None


SIGNED = "betting monitor of a signed class"
RINGS: dict[str, Rings] = {"betting monitor": betting, SIGNED: kept_back, "repeated z-test": repeated_z}


def ring(name: str, *, alpha: float, factor: float, streams: int, calm: int = 0, seed: int = 0, audits: int = AUDITS) -> Alarms:
    """Return how often and how soon a monitor rings where the error rate is `factor` times alpha, after a calm at half of alpha."""
    rings, rate = RINGS[name], alpha * factor
    times: list[int | None] = []
    for stream in range(streams):
        source = random.Random(f"{seed} {alpha} {factor} {stream}")  # noqa: S311  repeatable, not secret
        rates = (alpha / 2 if place < calm else rate for place in range(calm + audits))
        rang_at = rings((source.random() < one for one in rates), alpha)
        times.append(None if rang_at is None else max(0, rang_at - calm))
    rang = [time for time in times if time is not None]
    middle = median(math.inf if time is None else float(time) for time in times)
    return Alarms(
        name,
        alpha,
        factor,
        calm,
        streams,
        len(rang) / streams,
        clopper_pearson(len(rang), streams),
        middle if math.isfinite(middle) else None,
    )
