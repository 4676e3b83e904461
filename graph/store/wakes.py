"""The outbox: threads that have to be driven on, each row worked by one process at a time under a lease.

On PostgreSQL every row comes with a job, which tells the workers at once; see `jobs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from . import jobs
from .models import ThreadRow, WakeRow

LEASE = timedelta(seconds=30)


async def add(tx: AsyncSession, thread: str, cause: str, due_at: datetime) -> str:
    """Note that a thread has to be driven on from `due_at`, and tell the workers; returns the row's id."""
    row = WakeRow(id="wake_" + uuid4().hex, thread=thread, cause=cause, due_at=due_at)
    tx.add(row)
    await tx.flush()
    owner = await tx.get(ThreadRow, thread)
    if owner is not None:
        await jobs.defer(tx, thread, owner.tenant, owner.agent, due_at)
    return row.id


async def take(tx: AsyncSession, owner: str, now: datetime, tenant: str, agents: tuple[str, ...]) -> WakeRow | None:
    """Lease the row that is due the longest among a tenant's threads of `agents`; None when nothing is due."""
    return await _leased(tx, owner, now, _of(tenant, agents))


async def take_of(tx: AsyncSession, owner: str, now: datetime, thread: str) -> WakeRow | None:
    """Lease the row of one thread that is due the longest; None when nothing of it is due, or all is held."""
    return await _leased(tx, owner, now, col(ThreadRow.id) == thread)


async def _leased(tx: AsyncSession, owner: str, now: datetime, which: sa.ColumnElement[bool]) -> WakeRow | None:
    query = _due(select(WakeRow), now, which).order_by(col(WakeRow.due_at)).limit(1)
    row: WakeRow | None = (await tx.exec(query.with_for_update(skip_locked=True, of=WakeRow))).first()
    if row is not None:
        row.lease_owner, row.lease_until, row.attempts = owner, now + LEASE, row.attempts + 1
        tx.add(row)
        await tx.flush()
    return row


def _due(query: Any, now: datetime, which: sa.ColumnElement[bool]) -> Any:
    free = sa.or_(col(WakeRow.lease_until).is_(None), col(WakeRow.lease_until) < now)
    joined = query.join(ThreadRow, col(ThreadRow.id) == col(WakeRow.thread))
    return joined.where(col(WakeRow.done_at).is_(None), col(WakeRow.due_at) <= now, free, which)


def _of(tenant: str, agents: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return sa.and_(col(ThreadRow.tenant) == tenant, col(ThreadRow.agent).in_(agents))


async def done(tx: AsyncSession, wake: str, owner: str, now: datetime) -> None:
    """Close a row that we hold."""
    mine = sa.and_(col(WakeRow.id) == wake, col(WakeRow.lease_owner) == owner)
    await tx.exec(sa.update(WakeRow).where(mine).values(done_at=now))


async def put_off(tx: AsyncSession, wake: str, owner: str, due_at: datetime) -> None:
    """Give a row back to be tried again from `due_at`."""
    mine = sa.and_(col(WakeRow.id) == wake, col(WakeRow.lease_owner) == owner)
    await tx.exec(sa.update(WakeRow).where(mine).values(due_at=due_at, lease_owner=None, lease_until=None))


async def drop(tx: AsyncSession, thread: str, cause: str, now: datetime) -> None:
    """Close the open rows of a thread and cause."""
    mine = sa.and_(col(WakeRow.thread) == thread, col(WakeRow.cause) == cause, col(WakeRow.done_at).is_(None))
    await tx.exec(sa.update(WakeRow).where(mine).values(done_at=now))


async def is_due(tx: AsyncSession, now: datetime, tenant: str, agents: tuple[str, ...]) -> bool:
    """Tell whether `take` would find something."""
    query = _due(sa.select(sa.literal(1)).select_from(WakeRow), now, _of(tenant, agents))
    return (await tx.scalar(query.limit(1))) is not None


async def earliest(tx: AsyncSession, thread: str) -> datetime | None:
    """Return when the next open row of a thread is due, held or not."""
    query = select(WakeRow.due_at).where(WakeRow.thread == thread, col(WakeRow.done_at).is_(None))
    return (await tx.exec(query.order_by(col(WakeRow.due_at)).limit(1))).first()


async def overdue(tx: AsyncSession, tenant: str, before: datetime, limit: int) -> Sequence[tuple[WakeRow, ThreadRow]]:
    """Return open rows that were due before a moment and that nobody holds: no process drives their threads."""
    free = sa.or_(col(WakeRow.lease_until).is_(None), col(WakeRow.lease_until) < before)
    query = (
        select(WakeRow, ThreadRow)
        .join(ThreadRow, col(ThreadRow.id) == col(WakeRow.thread))
        .where(col(ThreadRow.tenant) == tenant, col(WakeRow.done_at).is_(None), col(WakeRow.due_at) < before, free)
        .order_by(col(WakeRow.due_at))
    )
    return (await tx.exec(query.limit(limit))).all()
