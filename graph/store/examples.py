"""Examples: what decisions teach, written in the decision's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .asked_again import asked_again
from .models import ExampleRow


async def add(tx: AsyncSession, row: ExampleRow) -> None:
    """Add what a decision teaches."""
    tx.add(row)
    await tx.flush()


async def of_decision(tx: AsyncSession, decision: str) -> ExampleRow | None:
    """Return the example that a decision made."""
    return (await tx.exec(select(ExampleRow).where(ExampleRow.decision == decision))).first()


async def get(tx: AsyncSession, tenant: str, example: str) -> ExampleRow | None:
    """Return one example of a tenant."""
    query = select(ExampleRow).where(ExampleRow.tenant == tenant, ExampleRow.id == example)
    return (await tx.exec(query)).first()


async def retire(tx: AsyncSession, row: ExampleRow, by: str, reason: str, at: datetime) -> bool:
    """Take an example out; False if it already was."""
    mine = sa.and_(col(ExampleRow.id) == row.id, col(ExampleRow.retired_at).is_(None))
    values = {"retired_at": at, "retired_by": by, "retired_reason": reason}
    return int((await tx.exec(sa.update(ExampleRow).where(mine).values(**values))).rowcount) == 1


async def page(
    tx: AsyncSession, tenant: str, *, after: int = 0, limit: int = 500, retired: bool = False, reader: str = ""
) -> Sequence[ExampleRow]:
    """Return examples in the order they were made, from sequence `after` on; not of what `reader` is asked about just now."""
    query = select(ExampleRow).where(ExampleRow.tenant == tenant, col(ExampleRow.sequence) > after)
    if not retired:
        query = query.where(col(ExampleRow.retired_at).is_(None))
    if reader:
        query = query.where(~asked_again(col(ExampleRow.action), reader))
    return (await tx.exec(query.order_by(col(ExampleRow.sequence)).limit(limit))).all()


async def retired_ids(tx: AsyncSession, tenant: str) -> set[str]:
    """Return the ids of the examples that were taken out."""
    query = select(ExampleRow.id).where(ExampleRow.tenant == tenant, col(ExampleRow.retired_at).is_not(None))
    return set((await tx.exec(query)).all())
