"""Threads, their leases and the messages that wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .inserting import add_or_leave
from .models import InboundRow, ThreadRow

LEASE = timedelta(seconds=30)

WAITING = sa.text("inbound.status = 'waiting'")
"""In words, not as a parameter: only so SQLite sees that its partial index holds what is asked for."""


async def get(tx: AsyncSession, thread: str) -> ThreadRow | None:
    """Return the thread's row."""
    return await tx.get(ThreadRow, thread)


async def lock(tx: AsyncSession, thread: str) -> ThreadRow | None:
    """Return the thread's row, held until this transaction ends; taken before anything else of a thread is locked."""
    query = select(ThreadRow).where(ThreadRow.id == thread).with_for_update(key_share=True)
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def ensure(tx: AsyncSession, row: ThreadRow) -> ThreadRow:
    """Return the thread's row, locked, adding `row` if there is none."""
    known = await lock(tx, row.id)
    if known is not None:
        return known
    await tx.exec(add_or_leave(tx, ThreadRow).values(**row.model_dump()))
    return await lock(tx, row.id) or row


async def acquire(tx: AsyncSession, thread: str, owner: str, now: datetime) -> bool:
    """Take or renew the thread's lease; False if somebody else holds it."""
    free = sa.or_(col(ThreadRow.lease_owner).is_(None), col(ThreadRow.lease_until) < now, col(ThreadRow.lease_owner) == owner)
    statement = sa.update(ThreadRow).where(col(ThreadRow.id) == thread, free)
    done = await tx.exec(statement.values(lease_owner=owner, lease_until=now + LEASE))
    return int(done.rowcount) == 1


async def renew(tx: AsyncSession, thread: str, owner: str, now: datetime) -> bool:
    """Prolong a lease that nobody took over, even one that ran out; False if it is no longer ours."""
    mine = sa.and_(col(ThreadRow.id) == thread, col(ThreadRow.lease_owner) == owner)
    return int((await tx.exec(sa.update(ThreadRow).where(mine).values(lease_until=now + LEASE))).rowcount) == 1


async def release(tx: AsyncSession, thread: str, owner: str) -> None:
    """Give the lease back, if it is still ours."""
    statement = sa.update(ThreadRow).where(col(ThreadRow.id) == thread, col(ThreadRow.lease_owner) == owner)
    await tx.exec(statement.values(lease_owner=None, lease_until=None))


async def held(tx: AsyncSession, thread: str, owner: str, now: datetime) -> bool:
    """Tell whether `owner` holds the thread's lease now."""
    row = await tx.get(ThreadRow, thread)
    return row is not None and row.lease_owner == owner and row.lease_until is not None and row.lease_until > now


async def mark(tx: AsyncSession, thread: str, status: str, problem: str | None = None) -> None:
    """Set the thread's status; a cancelled thread stays cancelled."""
    statement = sa.update(ThreadRow).where(col(ThreadRow.id) == thread, col(ThreadRow.status) != "cancelled")
    await tx.exec(statement.values(status=status, problem=problem))


async def stalled(tx: AsyncSession, tenant: str, limit: int) -> Sequence[ThreadRow]:
    """Return the threads whose agent cannot go on."""
    query = select(ThreadRow).where(ThreadRow.tenant == tenant, sa.text("threads.status = 'stalled'")).limit(limit)
    return (await tx.exec(query)).all()


async def waiting(tx: AsyncSession, thread: str) -> Sequence[InboundRow]:
    """Return the messages that wait for delivery, oldest first."""
    query = select(InboundRow).where(InboundRow.thread == thread, WAITING)
    return (await tx.exec(query.order_by(col(InboundRow.created_at), col(InboundRow.id)))).all()


async def notes(tx: AsyncSession, thread: str) -> Sequence[InboundRow]:
    """Return what the agent is to be told with the requester's next message, oldest first."""
    query = select(InboundRow).where(InboundRow.thread == thread, InboundRow.status == "note")
    return (await tx.exec(query.order_by(col(InboundRow.created_at), col(InboundRow.id)))).all()


async def count_waiting(tx: AsyncSession, tenant: str, cap: int) -> int:
    """Return how many messages wait for delivery in a tenant, counted to `cap` at most."""
    rows = sa.select(sa.literal(1)).select_from(InboundRow).join(ThreadRow, col(ThreadRow.id) == col(InboundRow.thread))
    rows = rows.where(WAITING, col(ThreadRow.tenant) == tenant).limit(cap)
    return int(await tx.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0)


async def count_messages(tx: AsyncSession, thread: str, cap: int) -> int:
    """Return how many messages of a thread wait for delivery, counted to `cap` at most."""
    rows = sa.select(sa.literal(1)).select_from(InboundRow).where(col(InboundRow.thread) == thread, WAITING).limit(cap)
    return int(await tx.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0)


async def settle_message(tx: AsyncSession, message: str, status: str) -> None:
    """Set the status of a waiting message or note to `delivered` or `cancelled`."""
    await tx.exec(sa.update(InboundRow).where(col(InboundRow.id) == message).values(status=status))


async def messages(tx: AsyncSession, thread: str) -> Sequence[InboundRow]:
    """Return every message of the requester, oldest first."""
    query = select(InboundRow).where(InboundRow.thread == thread)
    return (await tx.exec(query.order_by(col(InboundRow.created_at), col(InboundRow.id)))).all()
