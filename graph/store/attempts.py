"""How often somebody failed to sign in, counted for all processes together; the caller says what that means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .inserting import add_or_leave
from .people_models import AttemptRow


async def seen(tx: AsyncSession, keys: Sequence[str]) -> Sequence[AttemptRow]:
    """Return what is known of some names and addresses."""
    return (await tx.exec(select(AttemptRow).where(col(AttemptRow.key).in_(keys)))).all()


async def locked(tx: AsyncSession, first: AttemptRow) -> AttemptRow:
    """Return the row of a key and hold it until the transaction ends; `first` is what it says where there is none."""
    await tx.exec(add_or_leave(tx, AttemptRow).values(key=first.key, failures=first.failures, since=first.since))
    query = select(AttemptRow).where(AttemptRow.key == first.key).with_for_update().execution_options(populate_existing=True)
    return (await tx.exec(query)).one()


async def put(tx: AsyncSession, row: AttemptRow) -> None:
    """Write a row back."""
    tx.add(row)
    await tx.flush()


async def forget(tx: AsyncSession, key: str) -> bool:
    """Count a name or address from nothing again; False where nothing was counted."""
    return int((await tx.exec(sa.delete(AttemptRow).where(col(AttemptRow.key) == key))).rowcount) == 1


async def prune(tx: AsyncSession, before: datetime, limit: int = 100) -> None:
    """Drop what was counted and locked before a moment, except what somebody is counting just now."""
    old = sa.and_(
        col(AttemptRow.since) < before, sa.or_(col(AttemptRow.locked_until).is_(None), col(AttemptRow.locked_until) < before)
    )
    keys = select(AttemptRow.key).where(old).limit(limit).with_for_update(skip_locked=True)
    await tx.exec(sa.delete(AttemptRow).where(col(AttemptRow.key).in_(keys)))
