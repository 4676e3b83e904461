"""The monitor's evidence, now and audit by audit since its certificate was signed, replayed from the answered audits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ...graph.store.autonomy_models import AutonomyRow, CertificateRow, ProbeRow
from ..ladder.levels import RESERVE
from ..watch.monitor import ALARM, Monitor, monitor_of, observe, start
from .shapes import Watch, Watched

NOTHING = "No certificate is signed, so there is no promise to watch."
DAMAGED = "What the monitor gathered cannot be read here; nothing watches the promise until a new certificate is signed."
QUIET = "No audit has been answered since the certificate was signed."

_DRAWN = 1_000
"""So many of the newest audits are drawn."""


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


def since_signed(row: AutonomyRow, certificates: Sequence[CertificateRow], audits: Sequence[Audit]) -> Watch:
    """Return the monitor with the way it came: the evidence after each audit.

    Without a certificate in force it is that of the last one that was audited, so that an alarm can still be read.
    """
    if row.certificate:
        watch = now(row.monitor, row.share)
        if watch.alpha is None:
            return watch
        fresh = start(watch.alpha, reserve=monitor_of(row.monitor or {}).reserve)
        seen, _ = _replayed(fresh, [one for one in audits if one.certificate == row.certificate])
        return replace(watch, begin=fresh.evidence, series=seen[-_DRAWN:])
    last = next((one for one in certificates if any(audit.certificate == one.id for audit in audits)), None)
    if last is None:
        return Watch(note=NOTHING, alarm=ALARM)
    fresh = start(last.alpha, reserve=RESERVE)
    series, monitor = _replayed(fresh, [one for one in audits if one.certificate == last.id])
    ended = last.ended_at.isoformat() if last.ended_at is not None else ""
    return replace(_watch(monitor, 0.0, series[-_DRAWN:]), begin=fresh.evidence, ended=ended)


def _replayed(monitor: Monitor, audits: Sequence[Audit]) -> tuple[tuple[Watched, ...], Monitor]:
    series = []
    for audit in audits:
        monitor = observe(monitor, audit.wrong)
        series.append(Watched(audit.at.isoformat(), monitor.evidence, monitor.audits, monitor.errors))
    return tuple(series), monitor


def _watch(monitor: Monitor, share: float, series: tuple[Watched, ...]) -> Watch:
    return Watch(
        alpha=monitor.alpha,
        alarm=ALARM,
        evidence=monitor.evidence,
        audits=monitor.audits,
        errors=monitor.errors,
        alarmed=monitor.alarmed,
        share=share,
        series=series,
        note="" if monitor.audits else QUIET,
    )
