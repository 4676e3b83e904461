"""Takes in the answers to probes: feeds the monitor of their class, and takes the class down where they speak against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ...graph.autonomy.levels import EARNED
from ...graph.store import autonomy, probes, reviews
from ...graph.store.autonomy_models import AutonomyRow, ProbeRow
from ...graph.store.session import AsyncSession
from ..ladder.evidence import monitored
from ..ladder.levels import demoted
from .monitor import Monitor, monitor_of, observe

CRITICAL_REASONS = ("suspicious", "not_allowed")
"""The reasons of a rejection that make an audited error critical, where the tool costs something or cannot be taken back."""

CRITICAL_TOOLS = ("costly", "irreversible")


async def taken_in(tx: AsyncSession, tenant: str, agent: str, tool: str, answers: Sequence[ProbeRow], now: datetime) -> int:
    """Take in answered probes of one class, in their order; returns how many no other process had taken in before.

    The class is locked, so that answers are counted one after another. Shadow answers, known-answer items and second looks are only
    marked. An audit counts for the certificate under which its action passed: once that has ended, it is only marked too, but a
    critical error under the key still in force counts whatever certificate let it pass.
    """
    row = await autonomy.locked(tx, tenant, agent, tool)
    mine = [one for one in answers if await probes.counted(tx, one.review, now)]
    audits = [one for one in mine if one.kind == "audit" and one.outcome in ("correct", "wrong")]
    if row is None or row.level not in EARNED or not row.certificate:
        return len(mine)
    critical = await _critical(tx, row, audits)
    about = [one for one in audits if one.certificate == row.certificate]
    if critical is None and not about:
        return len(mine)
    monitor = _fed(row, about)
    if critical is not None:
        reason = f"An audit found a critical error in {critical.source}: rejected for a reason that allows of no other."
        await demoted(tx, row, "critical", reason, now, monitor=monitored(monitor), action=critical.source, review=critical.review)
    elif monitor is None:
        await demoted(tx, row, "monitor", "What the monitor gathered cannot be read, so nothing watches the promise.", now)
    elif monitor.alarmed:
        told = f"{monitor.errors} of {monitor.audits} audited actions were wrong, where at most {monitor.alpha:.0%} were promised"
        reason = f"{told}; evidence {monitor.evidence:.1f} reached the alarm at 20."
        await demoted(tx, row, "monitor", reason, now, monitor=monitored(monitor))
    else:
        await autonomy.watched(tx, row, monitor.as_json())
    return len(mine)


def _fed(row: AutonomyRow, audits: Iterable[ProbeRow]) -> Monitor | None:
    """Return the monitor after these audits; None if what was stored cannot be read.

    All audits of a certificate were drawn with one share, so the audited actions alone are fed (`monitor.observe`).
    """
    try:
        monitor = monitor_of(row.monitor) if row.monitor is not None else None
    except (ValueError, TypeError, KeyError):
        return None
    for one in audits:
        monitor = observe(monitor, one.outcome == "wrong") if monitor is not None else None
    return monitor


async def _critical(tx: AsyncSession, row: AutonomyRow, audits: Iterable[ProbeRow]) -> ProbeRow | None:
    """Return the first audit that found a critical error under the key in force."""
    for one in audits:
        if one.decision != "reject" or one.key != row.key:
            continue
        action, said = await reviews.action(tx, one.source), await reviews.last_decision(tx, one.review)
        if action is None or said is None:
            continue
        if action.consequence in CRITICAL_TOOLS and said.reason in CRITICAL_REASONS:
            return one
    return None
