"""What ran, or was kept from running, under somebody's watch, once its window is over; it only reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import HoldRow
from .models import ActionRow, ExecutionRow

Watched = tuple[ActionRow, HoldRow | None, ExecutionRow | None]


async def over(tx: AsyncSession, tenant: str, now: datetime, limit: int) -> Sequence[Watched]:
    """Return held actions that were vetoed or let go, the latest first."""
    query = _joined().where(HoldRow.tenant == tenant, sa.or_(col(HoldRow.until) <= now, col(HoldRow.vetoed_by).is_not(None)))
    found: Sequence[Watched] = (await tx.exec(query.order_by(sa.desc(col(HoldRow.until))).limit(limit))).all()
    return found


async def undone(tx: AsyncSession, tenant: str, now: datetime, limit: int) -> Sequence[Watched]:
    """Return what could be undone and cannot any more, because it was or because its window is over, the latest first."""
    closed = sa.or_(col(ExecutionRow.undo_until) <= now, col(ExecutionRow.undo_status).in_(["succeeded", "failed", "unknown"]))
    query = _joined().where(ExecutionRow.tenant == tenant, col(ExecutionRow.undo_until).is_not(None), closed)
    found: Sequence[Watched] = (await tx.exec(query.order_by(sa.desc(col(ExecutionRow.undo_until))).limit(limit))).all()
    return found


def _joined() -> Any:
    query = select(ActionRow, HoldRow, ExecutionRow).join(HoldRow, col(HoldRow.action) == col(ActionRow.id), isouter=True)
    return query.join(ExecutionRow, col(ExecutionRow.action) == col(ActionRow.id), isouter=True)
