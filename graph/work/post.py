"""How wake-ups reach a worker: as rows of the outbox, looked for, or as jobs on PostgreSQL, which announce themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from ..clock import Clock
from ..errors import StoreError
from ..store import jobs
from ..store.session import Store
from .patience import patiently

if TYPE_CHECKING:
    from .worker import Worker

AWAY_SECONDS = 10.0
"""How long a job is reported again when the database is away; after that it counts as abandoned."""

FAILED_SECONDS = 2.0
"""After how long a job is taken again that could not be worked at all."""

log = logging.getLogger("assent")


class Post(Protocol):
    """Where work comes from."""

    async def step(self) -> bool:
        """Work one thing; False when there is nothing."""

    async def tend(self) -> None:
        """Give a sign of life and look after what others left behind."""

    async def listen(self) -> None:
        """Hint at new work, until cancelled."""


class Rows:
    """The outbox itself."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def step(self) -> bool:
        """Work one row."""
        return await self._worker.step()

    async def tend(self) -> None:
        """Nothing: a lease on a row runs out by itself."""

    async def listen(self) -> None:
        """Wait: rows do not announce themselves to other processes."""
        await asyncio.Event().wait()


class Queue:
    """Procrastinate's jobs, each of which names a thread whose rows are then worked."""

    def __init__(
        self, worker: Worker, store: Store, clock: Clock, tenant: str, agents: Mapping[str, Any], found: jobs.Jobs
    ) -> None:
        self._worker, self._store, self._clock, self._tenant, self._agents = worker, store, clock, tenant, agents
        self._jobs = found

    async def step(self) -> bool:
        """Work one job."""
        queues = [jobs.queue_of(self._tenant, name) for name in self._agents]
        job = await self._jobs.take(queues) if queues else None
        if job is None:
            return False
        self._worker.hint()  # there may be more for the other slots
        try:
            later = await self._worker.work_off(str(job.task_kwargs["thread"]))
        except Exception:
            with suppress(StoreError):
                await patiently(lambda: self._jobs.again(job, FAILED_SECONDS), AWAY_SECONDS)
            raise
        if later is None:
            await patiently(lambda: self._jobs.done(job), AWAY_SECONDS)
        else:
            await patiently(lambda: self._jobs.again(job, later), AWAY_SECONDS)
        return True

    async def tend(self) -> None:
        """Give a sign of life, take up the jobs of workers that fell silent, and give rows without a job a new one."""
        await self._jobs.beat()
        rescued = await self._jobs.rescue()
        async with self._store.begin() as tx:
            renewed = await jobs.defer_orphans(tx, self._clock())
        if rescued or renewed:
            log.warning("taken up again: %d jobs of workers that fell silent, %d wake-ups without a job", rescued, renewed)
            self._worker.hint()

    async def listen(self) -> None:
        """Hint whenever a job is added."""
        await self._jobs.listen(self._worker.hint)


@asynccontextmanager
async def post(
    worker: Worker, store: Store, clock: Clock, tenant: str, agents: Mapping[str, Any], concurrency: int
) -> AsyncIterator[Post]:
    """Return where a store's wake-ups come from, for as long as a worker runs."""
    if store.is_sqlite:
        yield Rows(worker)
        return
    found = jobs.Jobs(store.conninfo, concurrency + 2)
    try:
        yield Queue(worker, store, clock, tenant, agents, found)
    finally:
        with suppress(StoreError):
            await found.close()
