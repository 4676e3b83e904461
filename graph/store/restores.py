"""Finds what a restored database could let run again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import HoldRow
from .models import ActionRow, ExecutionRow, ThreadRow


async def unstarted(tx: AsyncSession, tenant: str, after: str, limit: int) -> Sequence[str]:
    """Return actions that were not refused and have not been started, in threads that were not cancelled, by id from `after` on."""
    started = sa.exists().where(col(ExecutionRow.action) == col(ActionRow.id))
    query = select(ActionRow.id).join(ThreadRow, col(ThreadRow.id) == col(ActionRow.thread))
    query = query.where(ActionRow.tenant == tenant, col(ActionRow.id) > after, ActionRow.verdict != "refuse", ~started)
    vetoed = sa.exists().where(col(HoldRow.action) == col(ActionRow.id), col(HoldRow.vetoed_by).is_not(None))
    query = query.where(ThreadRow.status != "cancelled", ~vetoed)
    return (await tx.exec(query.order_by(col(ActionRow.id)).limit(limit))).all()
