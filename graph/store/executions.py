"""Executions: claimed by primary key before the tool is called, finished only under the lease of the claim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .inserting import add_or_leave
from .models import ActionRow, ExecutionRow


async def get(tx: AsyncSession, action_id: str) -> ExecutionRow | None:
    """Return the one execution of an action."""
    return await tx.get(ExecutionRow, action_id, populate_existing=True)


async def claim(tx: AsyncSession, row: ExecutionRow) -> bool:
    """Add the claim; False if the action was claimed before, which its primary key decides."""
    insert = add_or_leave(tx, ExecutionRow).values(**row.model_dump())
    return (await tx.exec(insert.returning(ExecutionRow.action))).first() is not None


async def reclaim(tx: AsyncSession, action_id: str, old: str, new: str, now: datetime) -> bool:
    """Take over an abandoned claim of an idempotent tool; False if somebody was faster."""
    mine = sa.and_(
        col(ExecutionRow.action) == action_id, col(ExecutionRow.claimed_by) == old, col(ExecutionRow.status) == "claimed"
    )
    values = {"claimed_by": new, "claimed_at": now, "attempts": ExecutionRow.attempts + 1}
    changed = await tx.exec(sa.update(ExecutionRow).where(mine).values(**values))
    return int(changed.rowcount) == 1


async def retry(tx: AsyncSession, action_id: str, owner: str) -> bool:
    """Count one more call of the tool under the same claim; False if the claim was taken over or ended."""
    mine = sa.and_(
        col(ExecutionRow.action) == action_id, col(ExecutionRow.claimed_by) == owner, col(ExecutionRow.status) == "claimed"
    )
    changed = await tx.exec(sa.update(ExecutionRow).where(mine).values(attempts=ExecutionRow.attempts + 1))
    return int(changed.rowcount) == 1


async def finish(tx: AsyncSession, action_id: str, owner: str, status: str, result: str, now: datetime) -> bool:
    """Record the outcome under the claim's own lease; False if the claim was taken over in between."""
    mine = sa.and_(
        col(ExecutionRow.action) == action_id,
        col(ExecutionRow.claimed_by) == owner,
        col(ExecutionRow.status) == "claimed",
    )
    values = {"status": status, "result": result, "finished_at": now}
    return int((await tx.exec(sa.update(ExecutionRow).where(mine).values(**values))).rowcount) == 1


async def claimed(tx: AsyncSession, thread: str) -> Sequence[ExecutionRow]:
    """Return the open claims of a thread."""
    query = select(ExecutionRow).where(ExecutionRow.thread == thread, ExecutionRow.status == "claimed")
    return (await tx.exec(query)).all()


async def settle(tx: AsyncSession, action_id: str, old: str, status: str, by: str, note: str, now: datetime) -> bool:
    """Record a person's word on an execution in status `old`; False if it is no longer in it."""
    mine = sa.and_(col(ExecutionRow.action) == action_id, col(ExecutionRow.status) == old)
    values = {"status": status, "settled_by": by, "note": note, "finished_at": now}
    return int((await tx.exec(sa.update(ExecutionRow).where(mine).values(**values))).rowcount) == 1


async def unsettled(tx: AsyncSession, tenant: str, limit: int) -> Sequence[tuple[ExecutionRow, ActionRow]]:
    """Return executions whose outcome nobody knows."""
    query = (
        select(ExecutionRow, ActionRow)
        .join(ActionRow, col(ActionRow.id) == col(ExecutionRow.action))
        .where(ExecutionRow.tenant == tenant, sa.text("executions.status = 'unknown'"))
        .order_by(col(ExecutionRow.claimed_at))
    )
    return (await tx.exec(query.limit(limit))).all()


async def claimed_before(tx: AsyncSession, tenant: str, moment: datetime, limit: int) -> Sequence[tuple[ExecutionRow, ActionRow]]:
    """Return executions that were claimed before a moment and have not ended."""
    late = sa.and_(col(ExecutionRow.status) == "claimed", col(ExecutionRow.claimed_at) < moment)
    query = select(ExecutionRow, ActionRow).join(ActionRow, col(ActionRow.id) == col(ExecutionRow.action))
    return (
        await tx.exec(query.where(ExecutionRow.tenant == tenant, late).order_by(col(ExecutionRow.claimed_at)).limit(limit))
    ).all()
