"""Takes in the answers to probes: feeds the monitor of their class, and takes the class down where they speak against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ...graph.autonomy.levels import EARNED
from ...graph.store import autonomy, probes, reviews
from ...graph.store.autonomy_models import AutonomyRow, ProbeRow
from ...graph.store.session import AsyncSession
from ..ladder.evidence import RESTARTS, monitored
from ..ladder.levels import demoted
from .monitor import Monitor, monitor_of, observe, observe_earlier

CRITICAL_REASONS = ("suspicious", "not_allowed")
"""The reasons of a rejection that make an audited error critical, where the tool costs something or cannot be taken back."""

CRITICAL_TOOLS = ("costly", "irreversible")

STEPS = 200
"""So many of the newest changes of level are read."""


async def taken_in(tx: AsyncSession, tenant: str, agent: str, tool: str, answers: Sequence[ProbeRow], now: datetime) -> int:
    """Take in answered probes of one class, in their order; returns how many no other process had taken in before.

    The class is locked, so that answers are counted one after another. Shadow answers, known-answer items and second looks are only
    marked. An audit counts for the promise under which its action passed, as long as the monitor remembers that one: also when
    another certificate of the same key was signed since, or a person has taken the class down. So does a critical error under the
    key.
    """
    row = await autonomy.locked(tx, tenant, agent, tool)
    mine = [one for one in answers if await probes.counted(tx, one.review, now)]
    audits = [one for one in mine if one.kind == "audit" and one.outcome in ("correct", "wrong")]
    if row is None or not (row.monitor is not None or (row.level in EARNED and row.certificate)):
        return len(mine)
    critical, about = await _critical(tx, row, audits), await _about(tx, row, audits)
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
        before = f" ({monitor.earlier} of them under earlier certificates of this key)" if monitor.earlier else ""
        reason = f"{told}{before}; evidence {monitor.evidence:.1f} reached the alarm at 20."
        await demoted(tx, row, "monitor", reason, now, monitor=monitored(monitor))
    else:
        await autonomy.watched(tx, row, monitor.as_json())
    return len(mine)


async def _about(tx: AsyncSession, row: AutonomyRow, audits: Iterable[ProbeRow]) -> list[tuple[ProbeRow, float | None]]:
    """Return the audits that the monitor takes in, each with the alpha of an earlier promise if it passed under one."""
    found: list[tuple[ProbeRow, float | None]] = []
    for one in audits:
        if one.certificate == row.certificate:
            found.append((one, None))
        elif (earlier := await autonomy.certificate(tx, row.tenant, one.certificate)) is not None and earlier.key == row.key:
            since = await _restarted(tx, row)
            found += [(one, earlier.alpha)] if since is None or one.created_at >= since else []
    return found


async def _restarted(tx: AsyncSession, row: AutonomyRow) -> datetime | None:
    """Return when labels and monitor of a class last started anew."""
    steps = await autonomy.changes(tx, row.tenant, row.agent, row.tool, STEPS)
    return next((step.at for step in steps if step.by in RESTARTS), None)


def _fed(row: AutonomyRow, audits: Iterable[tuple[ProbeRow, float | None]]) -> Monitor | None:
    """Return the monitor after these audits; None if what was stored cannot be read.

    All audits of a certificate were drawn with one share, so the audited actions alone are fed (`monitor.observe`).
    """
    try:
        monitor = monitor_of(row.monitor) if row.monitor is not None else None
    except (ValueError, TypeError, KeyError):
        return None
    if monitor is None:
        return None
    for one, earlier in audits:
        wrong = one.outcome == "wrong"
        monitor = observe(monitor, wrong) if earlier is None else observe_earlier(monitor, wrong, earlier)
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
