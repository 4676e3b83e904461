"""The worker: takes wake-ups from the outbox one by one and drives their threads; a wake-up that comes twice changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from . import crashpoints
from .agent import Agent
from .clock import Clock, fresh_id
from .errors import StoreError, ThreadBusy
from .store import threads, wakes
from .store.session import AsyncSession, Store
from .sweeping import Sweeper

IDLE_SECONDS = 0.25
BUSY = timedelta(seconds=1)

log = logging.getLogger("assent")


class Worker:
    """Drains the outbox for the agents that this process knows."""

    def __init__(self, store: Store, clock: Clock, tenant: str, agents: Mapping[str, Agent], sweeper: Sweeper) -> None:
        self._store, self._clock, self._tenant, self._agents, self._sweeper = store, clock, tenant, agents, sweeper
        self._owner = fresh_id("worker")
        self._hint = asyncio.Event()

    def hint(self) -> None:
        """Say that there is something to do now, so that it need not wait for the next look."""
        self._hint.set()

    async def drain(self) -> int:
        """Do everything that is due now, the sweep first; returns how many wake-ups were worked."""
        await self._sweeper.sweep()
        worked = 0
        while await self.step():
            worked += 1
        return worked

    async def step(self) -> bool:
        """Work one wake-up; False when nothing is due."""
        async with self._store.read() as tx:  # a look costs no write lock
            due = await wakes.next_due(tx)
        if due is None or due > self._clock():
            return False
        async with self._store.begin() as tx:
            wake = await wakes.take(tx, self._owner, self._clock(), self._tenant, tuple(self._agents))
            agent = await _agent_of(tx, wake.thread) if wake else ""
        if wake is None:
            return False
        crashpoints.reach("after-wake-taken")
        try:
            await self._agents[agent].drive(wake.thread, patience=0.2)
        except ThreadBusy:
            async with self._store.begin() as tx:
                await wakes.put_off(tx, wake.id, self._owner, self._clock() + BUSY)
            return True
        crashpoints.reach("before-wake-done")
        async with self._store.begin() as tx:
            await wakes.done(tx, wake.id, self._owner, self._clock())
        crashpoints.reach("after-wake-done")
        return True

    async def run(self, concurrency: int = 4) -> None:
        """Work until cancelled; a database that is busy or away is tried again."""
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(self._loop())
            group.create_task(self._sweeper.run())

    async def _loop(self) -> None:
        while True:
            try:
                if await self.step():
                    continue
            except StoreError as error:
                log.warning("the outbox cannot be read: %s", error)
                await asyncio.sleep(1.0)
            except Exception:  # one case that cannot even be marked as stalled must not end the work on all others
                log.exception("a wake-up failed; it is tried again when its lease runs out")
                await asyncio.sleep(1.0)
            self._hint.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), IDLE_SECONDS)


async def _agent_of(tx: AsyncSession, thread: str) -> str:
    row = await threads.get(tx, thread)
    return row.agent if row else ""
