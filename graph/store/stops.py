"""Stops: what must not start, who is kept back by it, and the lock that makes pressing a stop and claiming an execution serial."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import PausedRow, StopRow
from .inserting import add_or_leave
from .models import ActionRow, ExecutionRow, ReviewRow, ThreadRow, WakeRow


async def share(tx: AsyncSession, tenant: str) -> None:
    """Keep a tenant's stops as they are until this transaction ends; taken before anything else is locked.

    SQLite has one writer at a time anyway.
    """
    await _lock(tx, tenant, "pg_advisory_xact_lock_shared")


async def seize(tx: AsyncSession, tenant: str) -> None:
    """Wait until nobody is about to start something in a tenant, and let nobody begin to until this transaction ends."""
    await _lock(tx, tenant, "pg_advisory_xact_lock")


async def _lock(tx: AsyncSession, tenant: str, function: str) -> None:
    if tx.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(b"assent stop\0" + tenant.encode()).digest()[:8], signed=True)
        await tx.exec(sa.text(f"SELECT {function}(:key)").bindparams(key=key))  # type: ignore[call-overload]  # S608: two constants


async def add(tx: AsyncSession, row: StopRow) -> None:
    """Add a stop."""
    tx.add(row)
    await tx.flush()


async def get(tx: AsyncSession, stop: str) -> StopRow | None:
    """Return a stop."""
    return await tx.get(StopRow, stop, populate_existing=True)


async def pressed(tx: AsyncSession, tenant: str) -> Sequence[StopRow]:
    """Return the stops of a tenant that are not lifted, oldest first."""
    query = select(StopRow).where(StopRow.tenant == tenant, col(StopRow.lifted_at).is_(None)).order_by(col(StopRow.at))
    return (await tx.exec(query.execution_options(populate_existing=True))).all()


async def covering(tx: AsyncSession, tenant: str, agents: Collection[str], tool: str | None) -> StopRow | None:
    """Return a stop that covers a tool of an agent by any of its names, or with no tool the agent itself."""
    for row in await pressed(tx, tenant):
        if row.scope == "all" or (row.scope == "agent" and row.name in agents) or (row.scope == "tool" and row.name == tool):
            return row
    return None


async def lift(tx: AsyncSession, stop: str, by: str, reason: str, now: datetime) -> bool:
    """Lift a stop; False if somebody was faster."""
    mine = sa.and_(col(StopRow.id) == stop, col(StopRow.lifted_at).is_(None))
    values = {"lifted_by": by, "lifted_at": now, "lifted_reason": reason}
    return int((await tx.exec(sa.update(StopRow).where(mine).values(**values))).rowcount) == 1


async def pause(tx: AsyncSession, stop: str, thread: str, now: datetime) -> None:
    """Note that a thread is kept back by a stop, to be woken when it is lifted."""
    await tx.exec(add_or_leave(tx, PausedRow).values(stop=stop, thread=thread, at=now))


async def lifted(tx: AsyncSession, tenant: str, limit: int) -> Sequence[PausedRow]:
    """Return threads that a stop kept back which is lifted."""
    kept = select(PausedRow.thread).where(PausedRow.stop == StopRow.id).exists()
    over = select(StopRow.id).where(StopRow.tenant == tenant, col(StopRow.lifted_at).is_not(None), kept).limit(1)
    return (
        await tx.exec(select(PausedRow).where(PausedRow.stop == over.scalar_subquery()).order_by(PausedRow.thread).limit(limit))
    ).all()


async def release(tx: AsyncSession, row: PausedRow) -> bool:
    """Take a thread off the list; False if somebody was faster."""
    mine = sa.and_(col(PausedRow.stop) == row.stop, col(PausedRow.thread) == row.thread)
    return int((await tx.exec(sa.delete(PausedRow).where(mine))).rowcount) == 1


async def waiting(tx: AsyncSession, row: StopRow, cap: int) -> int:
    """Return how many threads a stop keeps back, or will when their turn comes; counted to `cap` at most."""
    paused = sa.select(col(PausedRow.thread)).where(col(PausedRow.stop) == row.id).limit(cap)
    queued = (
        sa.select(col(WakeRow.thread))
        .join(ThreadRow, col(ThreadRow.id) == col(WakeRow.thread))
        .where(col(ThreadRow.tenant) == row.tenant, col(WakeRow.done_at).is_(None), _covered(row))
        .limit(cap)
    )
    both = sa.union(sa.select(paused.subquery().c.thread), sa.select(queued.subquery().c.thread)).subquery()
    return min(cap, int(await tx.scalar(sa.select(sa.func.count()).select_from(both)) or 0))


def _covered(row: StopRow) -> Any:
    if row.scope == "all":
        return sa.true()
    if row.scope == "agent":
        return col(ThreadRow.agent) == row.name
    approved = sa.and_(col(ReviewRow.thread) == col(ThreadRow.id), col(ReviewRow.status) == "approved")
    return sa.exists(sa.select(sa.literal(1)).where(approved, col(ReviewRow.tool) == row.name))


async def in_flight(tx: AsyncSession, row: StopRow, cap: int) -> Sequence[tuple[ExecutionRow, ActionRow]]:
    """Return what a stop came too late for: executions that are claimed and have not ended."""
    query = (
        select(ExecutionRow, ActionRow)
        .join(ActionRow, col(ActionRow.id) == col(ExecutionRow.action))
        .where(ExecutionRow.tenant == row.tenant, ExecutionRow.status == "claimed")
        .order_by(col(ExecutionRow.claimed_at))
    )
    if row.scope != "all":
        by_thread = col(ExecutionRow.thread).in_(sa.select(col(ThreadRow.id)).where(col(ThreadRow.agent) == row.name))
        by_agent = sa.or_(col(ActionRow.agent) == row.name, by_thread)
        query = query.where(by_agent if row.scope == "agent" else col(ActionRow.tool) == row.name)
    return (await tx.exec(query.limit(cap))).all()


async def is_known(tx: AsyncSession, tenant: str, scope: str, name: str) -> bool:
    """Tell whether an agent or a tool of this name was ever at work in a tenant."""
    if scope == "tool":
        return await _ever(tx, ActionRow, tenant, col(ActionRow.tool) == name)
    of_thread, of_action = col(ThreadRow.agent) == name, col(ActionRow.agent) == name
    return await _ever(tx, ThreadRow, tenant, of_thread) or await _ever(tx, ActionRow, tenant, of_action)


async def _ever(tx: AsyncSession, table: type[ThreadRow] | type[ActionRow], tenant: str, which: sa.ColumnElement[bool]) -> bool:
    query = sa.select(sa.literal(1)).select_from(table).where(col(table.tenant) == tenant, which)
    return await tx.scalar(query.limit(1)) is not None
