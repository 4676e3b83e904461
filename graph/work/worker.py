"""The worker: takes wake-ups one by one and drives their threads; a wake-up that comes twice changes nothing.

On SQLite it looks for rows of the outbox; on PostgreSQL Procrastinate's jobs tell it at once which thread to look at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from .. import crashpoints
from ..agent import Agent
from ..clock import Clock, fresh_id
from ..control.sweeping import Sweeper
from ..errors import SchemaTooNew, StoreError, ThreadBusy
from ..store import migrate, threads, wakes
from ..store.models import WakeRow
from ..store.session import Store
from .patience import patiently
from .post import Post, post

TEND_SECONDS = 5.0
"""How often a worker gives a sign of life and looks for what others left behind."""

FALLBACK_SECONDS = 5.0
"""How long a slot waits for a hint before it looks by itself."""

BUSY = timedelta(seconds=1)
AWAY_SECONDS = 10.0
"""How long a worker tries to give back what it holds when the database is away; after that the lease runs out."""

log = logging.getLogger("assent")


class Worker:
    """Does the work that falls due for the agents that this process knows; any number of processes may do it at once."""

    def __init__(self, store: Store, clock: Clock, tenant: str, agents: Mapping[str, Agent], sweeper: Sweeper) -> None:
        self._store, self._clock, self._tenant, self._agents, self._sweeper = store, clock, tenant, agents, sweeper
        self._owner = fresh_id("worker")
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._fault: SchemaTooNew | None = None
        self._away: set[str] = set()

    def hint(self) -> None:
        """Say that there is something to do now, so that it need not wait for the next look."""
        self._news.set()
        self._news = asyncio.Event()

    def stop(self) -> None:
        """Take nothing more: `run` returns when what is being worked is done."""
        self._stopping.set()
        self.hint()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    async def drain(self) -> int:
        """Do everything that is due now, the sweep first; returns how many wake-ups were worked."""
        await self._sweeper.sweep()
        worked = 0
        while await self.step():
            worked += 1
        return worked

    async def step(self) -> bool:
        """Work one wake-up; False when nothing is due."""
        if not await self.is_due():  # a look costs no write lock
            return False
        async with self._store.begin() as tx:
            wake = await wakes.take(tx, self._owner, self._clock(), self._tenant, tuple(self._agents))
        if wake is None:
            return False
        await self._serve(wake)
        return True

    async def is_due(self) -> bool:
        """Tell whether there is something to do for the agents of this process."""
        async with self._store.read() as tx:
            return await wakes.is_due(tx, self._clock(), self._tenant, tuple(self._agents))

    async def work_off(self, thread: str) -> float | None:
        """Work the due wake-ups of one thread; returns after how many seconds to come back, None if nothing is left."""
        while True:
            async with self._store.begin() as tx:
                wake = await wakes.take_of(tx, self._owner, self._clock(), thread)
            if wake is None:
                break
            if not await self._serve(wake):
                return BUSY.total_seconds()
        async with self._store.read() as tx:
            due = await wakes.earliest(tx, thread)
        early = None if due is None else (due - self._clock()).total_seconds()
        if early is None or early > 2 * BUSY.total_seconds():
            return None  # what is due later has a job of its own
        return max(early, BUSY.total_seconds())  # held by somebody else, or our clock is a little behind

    async def _serve(self, wake: WakeRow) -> bool:
        """Drive the thread of a row that we hold; False if another process is at it."""
        crashpoints.reach("after-wake-taken")
        async with self._store.read() as tx:
            row = await threads.get(tx, wake.thread)
        try:
            await self._agents[row.agent if row else ""].drive(wake.thread, patience=0.2)
        except ThreadBusy:
            await patiently(lambda: self._put_off(wake), AWAY_SECONDS)
            return False
        except Exception:
            with suppress(StoreError):
                await patiently(lambda: self._put_off(wake), AWAY_SECONDS)
            raise
        crashpoints.reach("before-wake-done")
        await patiently(lambda: self._close(wake), AWAY_SECONDS)
        crashpoints.reach("after-wake-done")
        return True

    async def _put_off(self, wake: WakeRow) -> None:
        async with self._store.begin() as tx:
            await wakes.put_off(tx, wake.id, self._owner, self._clock() + BUSY)

    async def _close(self, wake: WakeRow) -> None:
        async with self._store.begin() as tx:
            await wakes.done(tx, wake.id, self._owner, self._clock())

    async def run(self, concurrency: int = 4) -> None:
        """Work until cancelled or stopped; a database that is busy or away is tried again.

        Raises SchemaTooNew when a newer version of Assent has raised the schema, after finishing what it works on.
        """
        self._stopping, self._fault = asyncio.Event(), None
        async with (
            post(self, self._store, self._clock, self._tenant, self._agents, concurrency) as work,
            asyncio.TaskGroup() as group,
        ):
            side = [group.create_task(one) for one in (self._tend(work), self._tick(), self._listen(work), self._sweeper.run())]
            await asyncio.wait([group.create_task(self._slot(work)) for _ in range(concurrency)])
            for task in side:
                task.cancel()
        if self._fault is not None:
            raise self._fault

    async def _slot(self, work: Post) -> None:
        while not self._stopping.is_set():
            news = self._news
            if await self._tried("a wake-up", work.step):
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), FALLBACK_SECONDS)

    async def _tried(self, what: str, work: Callable[[], Awaitable[object]]) -> object:
        """Do it; a failure is told in the log, once until it works again, waits a moment and ends nothing else."""
        try:
            done = await work()
            if what in self._away:
                self._away.discard(what)
                log.warning("%s: works again", what)
            return done
        except SchemaTooNew as error:
            self._fault = error
            self.stop()
            return None
        except StoreError as error:
            if what not in self._away:
                log.warning("%s: %s", what, error)
            self._away.add(what)
        except Exception:  # one case that cannot even be marked as stalled must not end the work on all others
            log.exception("%s failed; it is tried again", what)
        await asyncio.sleep(1.0)
        return None

    async def _tick(self) -> None:
        """Look at the clock: what falls due by itself announces itself to nobody."""
        while True:
            if await self._tried("the outbox", self.is_due):
                self.hint()
            await asyncio.sleep(0.25)

    async def _tend(self, work: Post) -> None:
        while True:
            await self._tried("the schema", lambda: migrate.check(self._store))
            await self._tried("the jobs", work.tend)
            await asyncio.sleep(TEND_SECONDS)

    async def _listen(self, work: Post) -> None:
        while True:
            await self._tried("listening for jobs", work.listen)
