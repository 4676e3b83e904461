"""Erasing what was said and shown in a thread: ids, digests and moments stay, so that the log still verifies; it undoes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..access.people import require
from ..clock import Clock
from ..errors import AssentError, UnknownThread
from ..store import erasures, probes, reviews, threads
from ..store.session import AsyncSession, Store
from . import records

BATCH = 100


class StillOpen(AssentError):
    """Something of this thread is not at its end yet; settle or cancel it first."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure emptied."""

    thread: str
    records: int
    """How many records of the audit log lost their payload."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What was erased because of its age."""

    erased: int
    open: int
    """How many were old enough and left alone, because something of them is not at its end."""


async def erase(store: Store, saver: BaseCheckpointSaver[str], clock: Clock, thread: str, actor: str, reason: str) -> Erased:
    """Empty the rows, records and checkpoints of a thread, which then takes no more messages; only an admin may.

    A second call changes nothing, and finishes what a crash left half done. Raises NotAllowed, UnknownThread, StillOpen.
    """
    async with store.begin() as tx:
        user = await require(tx, actor, "admin")
        row = await threads.lock(tx, thread)
        if row is None or row.tenant != user.tenant:
            raise UnknownThread
        now = clock()
        if told := await erasures.open_work(tx, row, now):
            raise StillOpen(f"The thread {thread} cannot be erased: {told}. Settle or cancel it first.")
        known = row.problem == erasures.ERASED
        subjects = await _emptied(tx, thread, actor, now)
        ranges = await erasures.empty_events(tx, user.tenant, subjects)
        if ranges or not known:
            body = {"thread": thread, "events": ranges}
            records.about(tx, user.tenant, now, "erased", actor, f"erasure of {thread}", body, {"reason": reason})
    await saver.adelete_thread(thread)
    return Erased(thread, sum(last - first + 1 for first, last in ranges))


async def _emptied(tx: AsyncSession, thread: str, actor: str, now: datetime) -> list[str]:
    """Empty the rows of a thread and of the copies that probes made of its actions; what of these is pending is cancelled."""
    subjects = await erasures.empty(tx, thread, actor, now)
    for review, copy in await probes.copies_of(tx, thread):
        asked = await reviews.by_id(tx, review, lock=True)
        if asked is not None and asked.status == "pending":
            await reviews.close(tx, asked, "cancelled", "erased", now)
            records.review(tx, asked, "cancelled", now, actor)
        subjects += await erasures.empty(tx, copy, actor, now)
    return subjects


async def retain(store: Store, saver: BaseCheckpointSaver[str], clock: Clock, days: float, actor: str) -> Retained:
    """Erase every thread of the actor's tenant of which nothing was said or proposed for so many days; only an admin may."""
    if days <= 0:
        raise AssentError("Say how many days are kept: more than 0.")
    async with store.read() as tx:
        tenant = (await require(tx, actor, "admin")).tenant
    erased, left, after = 0, 0, ""
    while True:
        async with store.read() as tx:
            page = await erasures.quiet_since(tx, tenant, clock() - timedelta(days=days), after, BATCH)
        for thread in page:
            try:
                await erase(store, saver, clock, thread, actor, f"nothing was said for {days:g} days")
                erased += 1
            except StillOpen:
                left += 1
        if len(page) < BATCH:
            return Retained(erased, left)
        after = page[-1]
