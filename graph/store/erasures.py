"""Empties the rows of a thread and keeps their ids, digests and moments; the triggers let exactly this through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .chain_models import EventRow
from .control_models import HoldRow, NoticeRow
from .models import ActionRow, DecisionRow, ExampleRow, ExecutionRow, InboundRow, ReviewRow, ThreadRow, WakeRow

ERASED = "erased"
"""What the `problem` of a thread says once it was erased."""


async def open_work(tx: AsyncSession, row: ThreadRow, now: datetime) -> str:
    """Return what of a thread is not at its end yet, in words; empty if nothing is."""
    started = sa.exists().where(col(ExecutionRow.action) == col(ActionRow.id))
    reviews = select(ReviewRow).join(ActionRow, col(ActionRow.id) == col(ReviewRow.action)).where(ReviewRow.thread == row.id)
    vetoed = sa.exists().where(col(HoldRow.action) == col(ActionRow.id), col(HoldRow.vetoed_by).is_not(None))
    allowed = select(ActionRow).where(ActionRow.thread == row.id, ActionRow.verdict == "allow", ~started, ~vetoed)
    going = sa.or_(
        col(ExecutionRow.status).in_(["claimed", "unknown"]), col(ExecutionRow.undo_status).in_(["requested", "claimed", "unknown"])
    )
    checks: Sequence[tuple[str, Any]] = (
        ("a review is pending", reviews.where(ReviewRow.status == "pending")),
        ("an approved action has not run", reviews.where(ReviewRow.status == "approved", ~started)),
        ("an execution has not ended", select(ExecutionRow).where(ExecutionRow.thread == row.id, going)),
        ("a message waits", select(InboundRow).where(InboundRow.thread == row.id, InboundRow.status == "waiting")),
        ("a worker is to drive it on", select(WakeRow).where(WakeRow.thread == row.id, col(WakeRow.done_at).is_(None))),
        *((("an allowed action has not run", allowed),) if row.status != "cancelled" else ()),
    )
    for told, query in checks:
        if (await tx.exec(query.limit(1))).first() is not None:
            return told
    return "somebody works on it" if row.lease_until is not None and row.lease_until > now else ""


async def empty(tx: AsyncSession, thread: str, by: str, at: datetime) -> list[str]:
    """Empty the rows of a thread; returns the ids under which the audit log speaks of them."""
    actions = list((await tx.exec(select(ActionRow.id).where(ActionRow.thread == thread))).all())
    reviews = list((await tx.exec(select(ReviewRow.id).where(ReviewRow.thread == thread))).all())
    examples = list((await tx.exec(select(ExampleRow.id).where(col(ExampleRow.action).in_(actions)))).all())
    lists: dict[str, Any] = {name: [] for name in ("reasons", "readings", "evidence", "conversation", "precedents")}
    whole = sa.and_(col(ActionRow.thread) == thread, col(ActionRow.erased_at).is_(None))
    await _set(tx, ActionRow, whole, args={}, choices=None, erased_at=at, **lists)
    await _set(tx, DecisionRow, col(DecisionRow.action).in_(actions), args=None, reason="", message="")
    await _set(tx, ExecutionRow, col(ExecutionRow.thread) == thread, result=None, note="", undo_result=None)
    await _set(tx, ReviewRow, col(ReviewRow.thread) == thread, args=None, close_reason="")
    await _set(tx, HoldRow, col(HoldRow.thread) == thread, reason="")
    await _set(tx, NoticeRow, col(NoticeRow.review).in_(reviews), body={}, problem="")
    await _set(tx, InboundRow, col(InboundRow.thread) == thread, text="", messages=[])
    taught = col(ExampleRow.id).in_(examples)
    unread = sa.and_(taught, col(ExampleRow.retired_at).is_(None))
    await _set(tx, ExampleRow, unread, retired_at=at, retired_by=by, retired_reason=ERASED)
    gone: dict[str, Any] = {"text": "", "conversation": [], "args": {}, "accepted": None, "reason": "", "message": "", "offers": []}
    await _set(tx, ExampleRow, taught, **gone)
    await tx.exec(sa.update(ThreadRow).where(col(ThreadRow.id) == thread).values(status="cancelled", problem=ERASED))
    return [thread, *actions, *reviews, *examples]


async def _set(tx: AsyncSession, table: Any, which: Any, **values: Any) -> None:
    await tx.exec(sa.update(table).where(which).values(**values).execution_options(synchronize_session=False))


async def empty_events(tx: AsyncSession, tenant: str, subjects: Sequence[str]) -> list[list[int]]:
    """Empty the payloads of what was noted about these subjects; returns the sequence numbers as ranges, first and last."""
    ranges: list[list[int]] = []
    query = select(EventRow.seq).where(EventRow.tenant == tenant, col(EventRow.subject).in_(subjects))
    for seq in (await tx.exec(query.where(col(EventRow.payload).is_not(None)).order_by(col(EventRow.seq)))).all():
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1][1] = seq
        else:
            ranges.append([seq, seq])
    for first, last in ranges:
        between = sa.and_(col(EventRow.tenant) == tenant, col(EventRow.seq) >= first, col(EventRow.seq) <= last)
        await _set(tx, EventRow, between, payload=None, salt=None)
    return ranges


async def quiet_since(tx: AsyncSession, tenant: str, before: datetime, after: str, limit: int) -> Sequence[str]:
    """Return threads of which nothing was said or proposed since `before`, not erased yet, by id from `after` on."""
    said = sa.exists().where(col(InboundRow.thread) == col(ThreadRow.id), col(InboundRow.created_at) >= before)
    proposed = sa.exists().where(col(ActionRow.thread) == col(ThreadRow.id), col(ActionRow.created_at) >= before)
    query = select(ThreadRow.id).where(ThreadRow.tenant == tenant, col(ThreadRow.id) > after, col(ThreadRow.created_at) < before)
    query = query.where(~said, ~proposed, sa.func.coalesce(col(ThreadRow.problem), "") != ERASED, ThreadRow.status != "probe")
    return (await tx.exec(query.order_by(col(ThreadRow.id)).limit(limit))).all()
