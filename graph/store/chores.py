"""Leases on what one process at a time does for everybody; whoever holds one and dies is followed when the lease runs out."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import ChoreRow
from .inserting import add_or_leave


async def take(tx: AsyncSession, name: str, owner: str, now: datetime, lease: timedelta) -> bool:
    """Take or renew the lease of a chore; False while somebody else holds it."""
    await tx.exec(add_or_leave(tx, ChoreRow).values(name=name))
    free = sa.or_(col(ChoreRow.owner).is_(None), col(ChoreRow.owner) == owner, col(ChoreRow.until) < now)
    statement = sa.update(ChoreRow).where(col(ChoreRow.name) == name, free)
    return int((await tx.exec(statement.values(owner=owner, until=now + lease))).rowcount) == 1


async def release(tx: AsyncSession, name: str, owner: str, now: datetime) -> None:
    """Give a lease back, if it is still ours, and note when the chore was done."""
    mine = sa.and_(col(ChoreRow.name) == name, col(ChoreRow.owner) == owner)
    await tx.exec(sa.update(ChoreRow).where(mine).values(owner=None, until=None, done_at=now))
