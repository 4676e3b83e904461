"""The sweep: does what rows with a due time ask for, once for everybody; no timeout ever approves.

A sweep that comes twice, late or from two processes changes nothing: every row is looked at again under its locks. The lease only
keeps processes from doing the same work side by side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from ..audit import records
from ..clock import Clock, fresh_id
from ..errors import StoreError
from ..store import chores, probes, reviews, threads, wakes
from ..store.models import ReviewRow
from ..store.session import AsyncSession, Store
from . import notices, timing
from .due import expired, in_words, next_at, reached

LEASE = timedelta(seconds=30)
BATCH = 100
KEPT = ("audit", "shadow")
"""The probes that wait until somebody answers them."""

PAUSE_SECONDS = 1.0

Round = Callable[[], Awaitable[int]]
"""A part of the sweep; does some of what is due and returns how many rows it changed."""

log = logging.getLogger("assent")


class Sweeper:
    """Sweeps the reviews of a tenant; any number of processes may have one."""

    def __init__(self, store: Store, clock: Clock, tenant: str, *others: Round) -> None:
        self._store, self._clock, self._tenant = store, clock, tenant
        self._owner = fresh_id("sweeper")
        self._rounds: tuple[Round, ...] = (self._reviews, *others)

    async def sweep(self) -> int:
        """Do everything that is due now; returns how many rows were changed."""
        changed = 0
        for one in self._rounds:
            while done := await one():
                changed += done
        return changed

    async def run(self) -> None:
        """Sweep about every second until cancelled; a part that is slow, such as sending, holds up no other."""
        async with asyncio.TaskGroup() as group:
            for one in self._rounds:
                group.create_task(_again_and_again(one))

    async def _reviews(self) -> int:
        async with self._store.read() as tx:  # a look costs no write lock
            if not await reviews.due(tx, self._tenant, self._clock(), 1):
                return 0
        async with self._store.begin() as tx:
            if not await chores.take(tx, self._chore, self._owner, self._clock(), LEASE):
                return 0
        try:
            return await self._batch()
        finally:
            async with self._store.begin() as tx:
                await chores.release(tx, self._chore, self._owner, self._clock())

    async def _batch(self) -> int:
        async with self._store.read() as tx:
            due = await reviews.due(tx, self._tenant, self._clock(), BATCH)
        changed = 0
        for review, thread in due:
            changed += await self._one(review, thread)
        return changed

    async def _one(self, review: str, thread: str) -> bool:
        try:
            async with self._store.begin() as tx:
                return await swept(tx, review, thread, self._clock())
        except StoreError:
            raise
        except Exception:  # a row that cannot be swept must not end the work on all others
            log.exception("the review %s could not be swept", review)
            return False

    @property
    def _chore(self) -> str:
        return f"sweep {self._tenant}"


async def _again_and_again(one: Round) -> None:
    while True:
        try:
            while await one():
                pass
        except StoreError as error:
            log.warning("the sweep could not be done: %s", error)
        except Exception:  # the sweep goes on as long as the process does
            log.exception("a sweep failed; it is tried again")
        await asyncio.sleep(PAUSE_SECONDS)


async def swept(tx: AsyncSession, review_id: str, thread: str, now: datetime) -> bool:
    """Do what is due of one review; False when another sweep, or a person, was faster."""
    await threads.lock(tx, thread)
    row = await reviews.by_id(tx, review_id, lock=True)
    if row is None or row.status != "pending" or not reached(row.next_at, now):
        return False
    if expired(row, now):
        return await _expire(tx, row, now)
    if reached(row.snoozed_until, now):
        timing.wake(tx, row, now, "worker")
    if row.warned_at is None and reached(row.warn_at, now):
        await _warn(tx, row, now)
    if row.escalated_at is None and reached(row.escalate_at, now):
        await timing.raise_to(tx, row, row.escalate_to, now, "worker", "nobody decided in time")
    row.next_at = next_at(row)
    tx.add(row)
    return True


async def _expire(tx: AsyncSession, row: ReviewRow, now: datetime) -> bool:
    if row.kind != "action" and await _asked_on(tx, row, now):
        return True
    reason = f"nobody decided until {in_words(row.due_at or now)}"
    if not await reviews.close(tx, row, "expired", reason, now):
        return False
    records.review(tx, row, "expired", now, "worker", reason)
    if row.kind == "action":
        await wakes.add(tx, row.thread, "expired", now)
        await notices.about_review(tx, "expired", row, now, "has expired; nothing of it happens.")
    return True


async def _asked_on(tx: AsyncSession, row: ReviewRow, now: datetime) -> bool:
    """Give a probe that is not to get lost as long again: what nobody answered in time would be left out by what it is about."""
    probe = await probes.of_review(tx, row.id)
    if probe is None or probe.kind not in KEPT or row.due_at is None:
        return False
    longer = max(row.due_at - row.created_at, timedelta(minutes=1))
    row.due_at, row.warn_at, row.warned_at = now + longer, None, None
    row.next_at = next_at(row)
    tx.add(row)
    return True


async def _warn(tx: AsyncSession, row: ReviewRow, now: datetime) -> None:
    row.warned_at = now
    timing.wake(tx, row, now, "worker")
    records.review(tx, row, "warned", now, "worker")
    until = f"at {in_words(row.due_at)}" if row.due_at else "soon"
    await notices.about_review(tx, "warning", row, now, f"expires {until} unless somebody decides.")
