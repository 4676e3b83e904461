"""Reads the rows that the audit log speaks of, page by page in a fixed order, for comparing them with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .models import ActionRow, DecisionRow, ExecutionRow


async def actions(tx: AsyncSession, tenant: str, size: int) -> AsyncIterator[ActionRow]:
    """Yield a tenant's actions by id."""
    after = ""
    while True:
        query = select(ActionRow).where(ActionRow.tenant == tenant, col(ActionRow.id) > after)
        page = (await tx.exec(query.order_by(col(ActionRow.id)).limit(size))).all()
        for row in page:
            yield row
        if len(page) < size:
            return
        after = page[-1].id
        tx.expunge_all()


async def decisions(tx: AsyncSession, tenant: str, size: int) -> AsyncIterator[tuple[DecisionRow, ActionRow]]:
    """Yield a tenant's decisions in their order, each with its action."""
    after = 0
    while True:
        query = select(DecisionRow, ActionRow).join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        query = query.where(DecisionRow.tenant == tenant, col(DecisionRow.sequence) > after)
        page = (await tx.exec(query.order_by(col(DecisionRow.sequence)).limit(size))).all()
        for row, action in page:
            yield row, action
        if len(page) < size:
            return
        after = page[-1][0].sequence or 0
        tx.expunge_all()


async def executions(tx: AsyncSession, tenant: str, size: int) -> AsyncIterator[tuple[ExecutionRow, ActionRow]]:
    """Yield a tenant's executions by action, each with its action."""
    after = ""
    while True:
        query = select(ExecutionRow, ActionRow).join(ActionRow, col(ActionRow.id) == col(ExecutionRow.action))
        query = query.where(ExecutionRow.tenant == tenant, col(ExecutionRow.action) > after)
        page = (await tx.exec(query.order_by(col(ExecutionRow.action)).limit(size))).all()
        for row, action in page:
            yield row, action
        if len(page) < size:
            return
        after = page[-1][0].action
        tx.expunge_all()
