"""The monitor's evidence, now and audit by audit since its certificate was signed, replayed from the answered audits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...graph.store.autonomy_models import ProbeRow
from ..monitor import ALARM, Monitor, monitor_of, observe, start
from .shapes import Watch, Watched

NOTHING = "No certificate is signed, so there is no promise to watch."
DAMAGED = "What the monitor gathered cannot be read here; the class is to be demoted until it can."
QUIET = "No audit has been answered since the certificate was signed."


@dataclass(frozen=True, slots=True)
class Audit:
    """An answered audit that the monitor has taken in."""

    certificate: str
    wrong: bool
    at: datetime


def audits_of(rows: Iterable[ProbeRow]) -> list[Audit]:
    """Return the audits that were answered and counted, in the order in which they were taken in."""
    counted = [row for row in rows if row.counted_at is not None and row.outcome in ("correct", "wrong")]
    counted.sort(key=lambda row: (row.counted_at, row.answered_at, row.review))
    return [Audit(row.certificate, row.outcome == "wrong", row.answered_at or row.created_at) for row in counted]


def now(stored: Mapping[str, Any] | None, share: float) -> Watch:
    """Return where the monitor stands."""
    if stored is None:
        return Watch(note=NOTHING, alarm=ALARM)
    try:
        monitor = monitor_of(stored)
    except (ValueError, TypeError, KeyError):
        return Watch(note=DAMAGED, alarm=ALARM)
    return _watch(monitor, share, ())


def since_signed(stored: Mapping[str, Any] | None, share: float, audits: Sequence[Audit]) -> Watch:
    """Return the monitor with the way it came: the evidence after each audit."""
    watch = now(stored, share)
    if watch.alpha is None:
        return watch
    series: list[Watched] = []
    monitor = start(watch.alpha)
    for audit in audits:
        monitor = observe(monitor, audit.wrong)
        series.append(Watched(audit.at.isoformat(), monitor.evidence, monitor.audits, monitor.errors))
    known = monitor_of(stored or {})
    return _watch(known, share, tuple(series[-1_000:]))


def _watch(monitor: Monitor, share: float, series: tuple[Watched, ...]) -> Watch:
    evidence = monitor.evidence if math.isfinite(monitor.evidence) else None
    note = "" if monitor.audits else QUIET
    return Watch(monitor.alpha, ALARM, evidence, monitor.audits, monitor.errors, monitor.alarmed, share, series, note)
