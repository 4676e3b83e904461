"""Says for how long a class may go on passing: renewed while its audits are answered and counted, and by nobody otherwise.

The gate lets nothing of a class pass from its `watched_until` on. So nothing passes while no learner runs, while it cannot count,
or while people leave audits unanswered. A renewal is no promotion: level, certificate and version stay.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from ...graph.authority import reviewing
from ...graph.authority.earning import class_id
from ...graph.autonomy.levels import EARNED
from ...graph.clock import Clock
from ...graph.control import notices
from ...graph.control.due import in_words
from ...graph.errors import StoreError
from ...graph.looking.readers import reader
from ...graph.store import autonomy, probes
from ...graph.store.autonomy_models import AutonomyRow
from ...graph.store.events import note
from ...graph.store.people_models import UserRow
from ...graph.store.probes import Unanswered
from ...graph.store.session import AsyncSession, Store

PATIENCE = timedelta(hours=1)
"""So long a class passes after a renewal; there is another one when less than half of it is left, so that writes are few."""

Class = tuple[str, str, str]
"""Agent, tool and key."""

log = logging.getLogger("assent")


async def renewed(store: Store, clock: Clock, tenant: str, patience: timedelta = PATIENCE) -> int:
    """Renew the watch over every class that is watched, and end it where audits are overdue; returns how many rows changed."""
    async with store.read() as tx:  # a look costs no write lock
        now = clock()
        late = await overdue(tx, tenant, now)
        due = [row for row in await autonomy.every(tx, tenant) if step(row, _of(row, late), now, patience)]
    changed = 0
    for row in due:
        changed += await _tried(store, clock, row, patience)
    return changed


async def _tried(store: Store, clock: Clock, seen: AutonomyRow, patience: timedelta) -> bool:
    try:
        async with store.begin() as tx:
            row = await autonomy.locked(tx, seen.tenant, seen.agent, seen.tool)
            return row is not None and await _turned(tx, row, clock(), patience)
    except StoreError:
        raise
    except Exception:  # a class that cannot be looked at is not renewed, and keeps no other from it
        log.exception("whether %s of %s is watched could not be looked at; it is tried again", seen.tool, seen.agent)
        return False


async def _turned(tx: AsyncSession, row: AutonomyRow, now: datetime, patience: timedelta) -> bool:
    """Do for a class, which is locked, what its audits say."""
    late = _of(row, await overdue(tx, row.tenant, now))
    match step(row, late, now, patience):
        case "end" if late is not None:
            return await _ended(tx, row, late, now)
        case "renew" if not await probes.is_behind(tx, row.tenant, row.agent, row.tool):
            return await _renewed(tx, row, now, now + patience)
    return False


def step(row: AutonomyRow, late: Unanswered | None, now: datetime, patience: timedelta = PATIENCE) -> Literal["renew", "end", ""]:
    """Return what is to be done about the watch over a class, if anything.

    Args:
        row: what it may do.
        late: its overdue audits, None if there are none.
        now: the moment.
        patience: for how long a renewal is good; one that reaches far beyond, by a clock that was wrong, is set right.
    """
    if row.level not in EARNED or row.suspended:
        return ""
    if late is not None:
        return "end" if row.watched_until is not None else ""
    if row.watched_until is None or not now + patience / 2 <= row.watched_until <= now + 2 * patience:
        return "renew"
    return ""


async def overdue(tx: AsyncSession, tenant: str, now: datetime) -> Mapping[Class, Unanswered]:
    """Return the audits that nobody has answered for as many days as a lead allows (`audits_due`), by class and key."""
    due = timedelta(days=(await reviewing.read(tx, tenant)).audits_due)
    return {(one.agent, one.tool, one.key): one for one in await probes.unanswered(tx, tenant, now - due)}


def _of(row: AutonomyRow, late: Mapping[Class, Unanswered]) -> Unanswered | None:
    return late.get((row.agent, row.tool, row.key))


async def _ended(tx: AsyncSession, row: AutonomyRow, late: Unanswered, now: datetime) -> bool:
    if not await autonomy.watch(tx, row, None):
        return False
    body = {"unanswered": late.audits, "since": late.since.isoformat()}
    note(tx, row.tenant, now, "autonomy.unwatched", "learner", class_id(row.agent, row.tool), {**_about(row), **body})
    text = f"Nothing passes of what {row.agent} does with {row.tool}: {_unanswered(late)}."
    await notices.about_unwatched(tx, row.tenant, row.agent, row.tool, now, text, **body)
    return True


async def _renewed(tx: AsyncSession, row: AutonomyRow, now: datetime, until: datetime) -> bool:
    if not await autonomy.watch(tx, row, until):
        return False
    if row.watched_until is None or row.watched_until <= now:
        body = {"lapsed": notices.told(row.watched_until)}
        note(tx, row.tenant, now, "autonomy.watched", "learner", class_id(row.agent, row.tool), {**_about(row), **body})
    return True


def _about(row: AutonomyRow) -> dict[str, Any]:
    return {"agent": row.agent, "tool": row.tool, "level": row.level, "certificate": row.certificate, "version": row.version}


def unwatched(row: AutonomyRow, late: Mapping[Class, Unanswered], now: datetime, user: UserRow) -> str:
    """Return why nothing of a class passes although its level lets it; empty while it is watched, or where nothing could pass.

    Whoever could be handed one of the audits is not told how many there are, or since when: they would know them by it.
    """
    until, mine = row.watched_until, _of(row, late)
    if row.level not in EARNED or row.suspended or (until is not None and now < until):
        return ""
    if reader(user):
        return UNTOLD
    if mine is not None:
        return f"Passes nothing: {_unanswered(mine)}. It passes again when they are answered."
    since = f" since {in_words(until)}" if until is not None else ""
    return f"Passes nothing: the learner has not looked{since}. It passes again when a worker with the learner runs."


UNTOLD = "Passes nothing: nobody watches it now. It passes again when the queue is worked and a worker with the learner runs."


def _unanswered(late: Unanswered) -> str:
    return f"{late.audits} audit{'' if late.audits == 1 else 's'} unanswered, the oldest since {in_words(late.since)}"
