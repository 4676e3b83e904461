"""The monitor's evidence, now and audit by audit since its certificate was signed, replayed from the answered audits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ...graph.store.autonomy_models import AutonomyRow, CertificateRow, LevelChangeRow, ProbeRow
from ..ladder.memory import RESERVE
from ..reviewing.catching import evades, left_out_of
from ..tables import percent
from ..watch.monitor import ALARM, Monitor, monitor_of, observe, start
from .shapes import Warning, Watch, Watched

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


def left_out(rows: Iterable[ProbeRow]) -> tuple[str, tuple[Warning, ...]]:
    """Return how many answered audits say neither right nor wrong, in a sentence, and a warning where that share is shown too high.

    Such answers stay out of the labels and of the monitor, so what is left may be the easier part.
    """
    found = left_out_of([row.outcome for row in rows if row.answered_at is not None])
    if not found.n:
        return "", ()
    told = f"{found.caught} of {found.n} answered audits were neither right nor wrong: answered in the tool's place."
    low = f"At least {percent(found.bounds[0])} of such audits are left out of labels and monitor (95% sure)."
    return told, (Warning(f"{told} {low}"),) if evades(found) else ()


def now(stored: Mapping[str, Any] | None, share: float) -> Watch:
    """Return where the monitor stands."""
    if stored is None:
        return Watch(note=NOTHING, alarm=ALARM)
    try:
        monitor = monitor_of(stored)
    except (ValueError, TypeError, KeyError):
        return Watch(note=DAMAGED, alarm=ALARM)
    return _watch(monitor, share, ())


def since_signed(
    row: AutonomyRow, certificates: Sequence[CertificateRow], audits: Sequence[Audit], steps: Sequence[LevelChangeRow] = ()
) -> Watch:
    """Return the monitor with the way it came: the evidence after each audit that it remembers, over all certificates of one key.

    Without a certificate in force it is that of the last one that was audited, so that an alarm can still be read.
    """
    if row.certificate:
        watch = now(row.monitor, row.share)
        if watch.alpha is None:
            return watch
        alphas = {**_alphas(certificates, row.key), row.certificate: watch.alpha}
        begin, seen, _ = _replayed(alphas, audits, monitor_of(row.monitor or {}).reserve, watch.audits)
        return replace(watch, begin=begin, series=seen[-_DRAWN:])
    last = next((one for one in certificates if any(audit.certificate == one.id for audit in audits)), None)
    if last is None:
        return Watch(note=NOTHING, alarm=ALARM)
    begin, series, monitor = _replayed(_alphas(certificates, last.key), audits, RESERVE, _remembered(row, last, steps))
    ended = last.ended_at.isoformat() if last.ended_at is not None else ""
    return replace(_watch(replace(monitor, alpha=last.alpha), 0.0, series[-_DRAWN:]), begin=begin, ended=ended)


def _alphas(certificates: Iterable[CertificateRow], key: str) -> dict[str, float]:
    return {one.id: one.alpha for one in certificates if one.key == key}


def _remembered(row: AutonomyRow, last: CertificateRow, steps: Sequence[LevelChangeRow]) -> int | None:
    """Return how many audits the last monitor of a class remembered: what is kept of it, or what its end froze; None if unknown."""
    if row.monitor is not None:
        return now(row.monitor, 0.0).audits
    frozen = next(
        (step.evidence.get("monitor") for step in steps if step.certificate == last.id and step.after < step.before), None
    )
    return int(frozen["audits"]) if frozen else None


def _replayed(
    alphas: Mapping[str, float], audits: Sequence[Audit], reserve: float, count: int | None
) -> tuple[float, tuple[Watched, ...], Monitor]:
    """Return the evidence before the first and after each of the last `count` audits under these certificates, and the end."""
    chain = [one for one in audits if one.certificate in alphas]
    chain = chain if count is None else chain[max(0, len(chain) - count) :]
    monitor = start(alphas[chain[0].certificate] if chain else next(iter(alphas.values())), reserve=reserve)
    begin, series = monitor.evidence, []
    for audit in chain:
        monitor = observe(replace(monitor, alpha=alphas[audit.certificate]), audit.wrong)
        series.append(Watched(audit.at.isoformat(), monitor.evidence, monitor.audits, monitor.errors))
    return begin, tuple(series), monitor


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
