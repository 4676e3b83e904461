"""Wake-ups on PostgreSQL as jobs of Procrastinate, deferred in the transaction of the row they are about.

A job says "drive this thread now" and nothing else. The row in `wakes` is the truth: a job that comes twice, late or never
changes nothing, because whoever works it looks at the rows, and rows without a job get a new one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from ..clock import utc_now
from ..errors import StoreError

if TYPE_CHECKING:
    from procrastinate.jobs import Job
    from procrastinate.manager import JobManager

TASK = "assent.drive"

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Priorities count seconds from here, downwards."""

SILENCE = 15.0
"""Seconds without a sign of life after which a worker's jobs are given to others."""

AWAY = "The job queue cannot be reached: the connection to the database was lost. It is tried again."

_ORPHANS = sa.text(
    "SELECT DISTINCT w.thread, t.tenant, t.agent FROM wakes w JOIN threads t ON t.id = w.thread"
    " WHERE w.done_at IS NULL AND w.due_at <= :now AND (w.lease_until IS NULL OR w.lease_until < :now)"
    " AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.lock = w.thread AND (j.status = 'doing'"
    " OR j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp() + interval '2 seconds')))"
    " LIMIT 500"
)


def queue_of(tenant: str, agent: str) -> str:
    """Return the queue of a tenant's agent: a worker takes jobs of the agents it knows, and of no other."""
    return "assent_" + hashlib.sha256(json.dumps([tenant, agent]).encode()).hexdigest()[:32]


@cache
def _anywhere() -> JobManager:
    from procrastinate.manager import JobManager
    from procrastinate.psycopg_connector import PsycopgConnector

    return JobManager(PsycopgConnector())  # never opened: it defers on connections of ours


async def defer(tx: AsyncSession, thread: str, tenant: str, agent: str, due_at: datetime) -> None:
    """Add the job of a wake-up to this transaction; nothing on SQLite, where the row alone is worked."""
    if tx.get_bind().dialect.name == "sqlite":
        return
    from procrastinate.tasks import configure_task

    connection = (await (await tx.connection()).get_raw_connection()).driver_connection
    deferrer = configure_task(
        name=TASK,
        job_manager=_anywhere(),
        queue=queue_of(tenant, agent),
        lock=thread,
        schedule_at=due_at if due_at > utc_now() else None,
        priority=_priority(due_at),
        connection=connection,
    )
    with _translated():
        await deferrer.defer_async(thread=thread)


def _priority(due_at: datetime) -> int:
    """Return the highest for the earliest due: a later job of the same lock would else hold an earlier one back."""
    return max(-(2**31), min(-int((due_at - EPOCH).total_seconds()), 2**31 - 1))


async def defer_orphans(tx: AsyncSession, now: datetime) -> int:
    """Give a job to every due row that nobody holds and that has none; returns how many threads."""
    moment = {"now": now.astimezone(UTC).isoformat(timespec="microseconds")}
    found = (await (await tx.connection()).execute(_ORPHANS, moment)).all()
    for thread, tenant, agent in found:
        await defer(tx, thread, tenant, agent, utc_now())  # due at once, whatever the injected clock says
    return len(found)


@contextmanager
def _translated() -> Iterator[None]:
    from procrastinate.exceptions import ProcrastinateException
    from psycopg import Error

    try:
        yield
    except (ProcrastinateException, Error) as error:
        raise StoreError(AWAY) from error


class Jobs:
    """The jobs that one process works, under a name it registered and keeps alive; opened where it is first needed.

    Whoever could not report a job gives its name up and takes a new one: the job then counts as abandoned and is given out again.
    """

    def __init__(self, conninfo: str, size: int) -> None:
        from procrastinate.manager import JobManager
        from procrastinate.psycopg_connector import PsycopgConnector

        settings: dict[str, Any] = {
            "min_size": 0,
            "max_size": size,
            "timeout": 8.0,
            "reconnect_timeout": 2.0,
            "kwargs": {"connect_timeout": 10},
        }
        self._connector = PsycopgConnector(conninfo=conninfo, **settings)
        self._manager = JobManager(self._connector)
        self._worker: int | None = None

    async def _name(self) -> int:
        if self._worker is None:
            await self._connector.open_async()
            self._worker = await self._manager.register_worker()
        return self._worker

    async def take(self, queues: Iterable[str]) -> Job | None:
        """Take the job that is due the longest in these queues; None when there is none. Raises StoreError."""
        with _translated():
            try:
                return await self._manager.fetch_job(list(queues), await self._name())
            except Exception:
                self._worker = None  # it may have been struck off, or a job may have been handed to us unheard
                raise

    async def done(self, job: Job) -> None:
        """Report a job as worked, which removes it. Raises StoreError."""
        from procrastinate.jobs import Status

        await self._report(self._manager.finish_job(job, Status.SUCCEEDED, delete_job=True))

    async def again(self, job: Job, seconds: float) -> None:
        """Give a job back, to be taken again after some seconds, behind what is due by then. Raises StoreError."""
        later = utc_now() + timedelta(seconds=seconds)
        await self._report(self._manager.retry_job(job, retry_at=later, priority=_priority(later)))

    async def _report(self, work: Awaitable[None]) -> None:
        from procrastinate.exceptions import ConnectorException

        with _translated():
            try:
                await work
            except ConnectorException as error:
                if "was not found" not in str(error.__cause__):  # then it was given to somebody else, and is their concern
                    self._worker = None
                    raise

    async def beat(self) -> None:
        """Give a sign of life. Raises StoreError."""
        with _translated():
            await self._manager.update_heartbeat(await self._name())

    async def rescue(self) -> int:
        """Give out again what workers that fell silent left behind; returns how many jobs. Raises StoreError."""
        with _translated():
            await self._name()
            stalled = await self._manager.get_stalled_jobs(task_name=TASK, seconds_since_heartbeat=SILENCE)
        found = list(stalled)
        for job in found:
            await self.again(job, 0.0)
        with _translated():
            await self._manager.prune_stalled_workers(SILENCE)
        return len(found)

    async def listen(self, hint: Callable[[], None]) -> None:
        """Call `hint` whenever a job is added, until cancelled. Raises StoreError when the connection cannot be made."""

        async def heard(*, channel: str, notification: Any) -> None:
            hint()

        with _translated():
            await self._name()
            await self._manager.listen_for_jobs(on_notification=heard)

    async def close(self) -> None:
        """Strike the name off, so that nothing of it has to be waited for, and give the connections back."""
        with _translated():
            if self._worker is not None:
                await self._manager.unregister_worker(self._worker)
            await self._connector.close_async()
