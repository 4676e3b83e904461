"""Holds: allowed actions inside their veto window; a veto is compare-and-set, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import HoldRow
from .models import ActionRow, ExecutionRow, ThreadRow


async def add(tx: AsyncSession, row: HoldRow) -> None:
    """Add a hold."""
    tx.add(row)
    await tx.flush()


async def get(tx: AsyncSession, action: str) -> HoldRow | None:
    """Return the hold of an action as it stands now."""
    return await tx.get(HoldRow, action, populate_existing=True)


async def veto(tx: AsyncSession, action: str, by: str, reason: str, now: datetime) -> bool:
    """Note a veto inside the window; False if it is over, or somebody was faster."""
    mine = sa.and_(col(HoldRow.action) == action, col(HoldRow.vetoed_by).is_(None), col(HoldRow.until) > now)
    values = {"vetoed_by": by, "vetoed_at": now, "reason": reason}
    return int((await tx.exec(sa.update(HoldRow).where(mine).values(**values))).rowcount) == 1


async def held(tx: AsyncSession, tenant: str, now: datetime, limit: int) -> Sequence[tuple[HoldRow, ActionRow]]:
    """Return what can still be vetoed, the next to begin first."""
    query = (
        select(HoldRow, ActionRow)
        .join(ActionRow, col(ActionRow.id) == col(HoldRow.action))
        .join(ThreadRow, col(ThreadRow.id) == col(HoldRow.thread))
        .where(HoldRow.tenant == tenant, HoldRow.until > now, col(HoldRow.vetoed_by).is_(None))
        .where(ThreadRow.status != "cancelled")
        .order_by(col(HoldRow.until))
    )
    return (await tx.exec(query.limit(limit))).all()


async def unstarted(tx: AsyncSession, thread: str) -> Sequence[tuple[str, str]]:
    """Return action and title of what was held in a thread, not vetoed, and never started."""
    query = (
        select(ActionRow.id, ActionRow.title)
        .join(HoldRow, col(HoldRow.action) == col(ActionRow.id))
        .join(ExecutionRow, col(ExecutionRow.action) == col(ActionRow.id), isouter=True)
        .where(HoldRow.thread == thread, col(HoldRow.vetoed_by).is_(None), col(ExecutionRow.action).is_(None))
    )
    return (await tx.exec(query)).all()


async def of_thread(tx: AsyncSession, thread: str) -> Sequence[HoldRow]:
    """Return the holds of a thread."""
    query = select(HoldRow).join(ActionRow, col(ActionRow.id) == col(HoldRow.action)).where(ActionRow.thread == thread)
    return (await tx.exec(query)).all()
