"""Undoing an execution: requested, claimed and ended by compare-and-set, so that the tool's undo is called once at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .models import ActionRow, ExecutionRow


async def allow(tx: AsyncSession, action: str, until: datetime) -> None:
    """Let an execution that succeeded be undone until a moment."""
    mine = sa.and_(col(ExecutionRow.action) == action, col(ExecutionRow.status) == "succeeded", col(ExecutionRow.undo_status) == "")
    await tx.exec(sa.update(ExecutionRow).where(mine).values(undo_until=until))


async def request(tx: AsyncSession, action: str, by: str, reason: str, now: datetime) -> bool:
    """Ask for an undo inside its window; False if it is over, the action did not succeed, or somebody was faster.

    Until there is a result, the reason stands in its place.
    """
    mine = sa.and_(
        col(ExecutionRow.action) == action,
        col(ExecutionRow.status) == "succeeded",
        col(ExecutionRow.undo_status) == "",
        col(ExecutionRow.undo_until) > now,
    )
    return await _changed(tx, mine, {"undo_status": "requested", "undo_by": by, "undo_at": now, "undo_result": reason})


async def claim(tx: AsyncSession, action: str, owner: str) -> bool:
    """Take the one call of the tool's undo; False if somebody was faster."""
    mine = sa.and_(col(ExecutionRow.action) == action, col(ExecutionRow.undo_status) == "requested")
    return await _changed(tx, mine, {"undo_status": "claimed", "undo_claimed_by": owner})


async def finish(tx: AsyncSession, action: str, owner: str | None, status: str, result: str) -> bool:
    """Record what came of an undo under its own claim; False if the claim was taken over in between."""
    claimed = sa.and_(col(ExecutionRow.undo_status) == "claimed", col(ExecutionRow.undo_claimed_by) == owner)
    return await _end(tx, action, claimed, status, result)


async def settle(tx: AsyncSession, action: str, status: str, result: str) -> bool:
    """Record a person's word on an undo that failed or that nobody can vouch for; False if there is nothing to settle."""
    open = ["unknown", "failed"] if status == "succeeded" else ["unknown"]
    return await _end(tx, action, col(ExecutionRow.undo_status).in_(open), status, result)


async def _end(tx: AsyncSession, action: str, now: Any, status: str, result: str) -> bool:
    values: dict[str, Any] = {"undo_status": status, "undo_result": result}
    if status == "succeeded":
        values["status"] = "undone"
    return await _changed(tx, sa.and_(col(ExecutionRow.action) == action, now), values)


async def _changed(tx: AsyncSession, which: Any, values: dict[str, Any]) -> bool:
    return int((await tx.exec(sa.update(ExecutionRow).where(which).values(**values))).rowcount) == 1


async def open_of(tx: AsyncSession, thread: str) -> Sequence[str]:
    """Return the actions of a thread whose undo was asked for and has not ended."""
    query = select(ExecutionRow.action).where(ExecutionRow.thread == thread)
    return (await tx.exec(query.where(col(ExecutionRow.undo_status).in_(["requested", "claimed"])))).all()


async def undoable(tx: AsyncSession, tenant: str, now: datetime, limit: int) -> Sequence[tuple[ExecutionRow, ActionRow]]:
    """Return what can still be undone, the next to end first, and what is being undone."""
    query = (
        select(ExecutionRow, ActionRow)
        .join(ActionRow, col(ActionRow.id) == col(ExecutionRow.action))
        .where(ExecutionRow.tenant == tenant, col(ExecutionRow.undo_until) > now)
        .where(col(ExecutionRow.undo_status).in_(["", "requested", "claimed"]), ExecutionRow.status == "succeeded")
        .order_by(col(ExecutionRow.undo_until))
    )
    return (await tx.exec(query.limit(limit))).all()


async def unsettled(tx: AsyncSession, tenant: str, limit: int) -> Sequence[tuple[ExecutionRow, ActionRow]]:
    """Return undos that failed or whose outcome nobody knows."""
    query = (
        select(ExecutionRow, ActionRow)
        .join(ActionRow, col(ActionRow.id) == col(ExecutionRow.action))
        .where(ExecutionRow.tenant == tenant, sa.text("executions.undo_status IN ('unknown', 'failed')"))
    )
    return (await tx.exec(query.limit(limit))).all()
