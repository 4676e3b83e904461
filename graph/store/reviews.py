"""Actions with their verdicts, and the queue of reviews; pending turns into decided by compare-and-set only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from . import apart, asked_again
from .inserting import add_or_leave
from .models import ActionRow, DecisionRow, ExecutionRow, ReviewRow
from .workable import Reviewer, workable


async def action(tx: AsyncSession, action_id: str) -> ActionRow | None:
    """Return an action with its stored verdict."""
    return await tx.get(ActionRow, action_id)


async def by_id(tx: AsyncSession, review_id: str, *, lock: bool = False) -> ReviewRow | None:
    """Return a review; with `lock` no other transaction may change it until this one ends."""
    return await _one(tx, select(ReviewRow).where(ReviewRow.id == review_id), lock)


async def requester(tx: AsyncSession, row: ReviewRow) -> str:
    """Return for whom the action of a review was asked; a probe's row does not say, so that it takes up nobody's room."""
    asked = row.requester or await tx.scalar(sa.select(col(ActionRow.requester)).where(col(ActionRow.id) == row.action))
    return str(asked or "")


async def of_action(tx: AsyncSession, action_id: str, *, lock: bool = False) -> ReviewRow | None:
    """Return the review of an action, if a person is or was asked."""
    return await _one(tx, select(ReviewRow).where(ReviewRow.action == action_id), lock)


async def _one(tx: AsyncSession, query: SelectOfScalar[ReviewRow], lock: bool) -> ReviewRow | None:
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await tx.exec(query)).first()


async def pending(
    tx: AsyncSession,
    tenant: str,
    limit: int,
    exclude: Sequence[str] = (),
    search: str = "",
    tool: str = "",
    reviewer: Reviewer | None = None,
    *,
    not_for: str = "",
) -> Sequence[tuple[ReviewRow, ActionRow]]:
    """Return what waits but is not kept from `not_for`, most urgent first; with a `reviewer` only what is theirs to decide now."""
    query = select(ReviewRow, ActionRow).join(ActionRow, col(ActionRow.id) == col(ReviewRow.action))
    if tool or search:  # and nothing else that an index could lead along past the part that is searched
        query = query.where(col(ReviewRow.number).in_(_most_urgent(tenant)))
    else:
        query = query.where(ReviewRow.tenant == tenant, sa.text("reviews.status = 'pending' AND reviews.snoozed_until IS NULL"))
    if reviewer is not None:
        query = query.where(workable(reviewer))
    if not_for:
        query = query.where(apart.not_apart(not_for))
    if exclude:
        query = query.where(col(ReviewRow.id).not_in(exclude))
    if tool:
        query = query.where(ReviewRow.tool == tool)
    if search:
        query = query.where(_found(search))
    return (await tx.exec(query.order_by(sa.desc(col(ReviewRow.priority)), col(ReviewRow.number)).limit(limit))).all()


SEARCHED = 5_000
"""So many of the most urgent reviews, or of the newest decisions, are searched: looking through a longer queue would hold it up."""


def _most_urgent(tenant: str) -> sa.Select[Any]:
    queue = sa.text("reviews.status = 'pending' AND reviews.snoozed_until IS NULL")
    first = sa.select(col(ReviewRow.number)).where(col(ReviewRow.tenant) == tenant, queue)
    return first.order_by(sa.desc(col(ReviewRow.priority)), col(ReviewRow.number)).limit(SEARCHED)


def _found(search: str) -> sa.ColumnElement[bool]:
    pattern = f"%{search.lower()}%"
    columns = (ActionRow.tool, ActionRow.title, ActionRow.requester, ActionRow.conversation)
    # the arguments of an action with secrets are left out: a search would tell whether a guess is right
    open_ones = sa.and_(sa.cast(col(ActionRow.secrets), sa.Text) == "[]", _like(ActionRow.args, pattern))
    return sa.or_(open_ones, *(_like(column, pattern) for column in columns))


def _like(column: Any, pattern: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(sa.cast(col(column), sa.Text)).like(pattern)


async def count_pending(tx: AsyncSession, tenant: str, cap: int = 1000, *, not_for: str = "") -> int:
    """Return how many reviews wait, to `cap` at most so that a long queue costs no more; not what is kept from `not_for`."""
    waiting = sa.text("reviews.status = 'pending' AND reviews.snoozed_until IS NULL")
    rows = sa.select(sa.literal(1)).select_from(ReviewRow).where(col(ReviewRow.tenant) == tenant, waiting)
    if not_for:
        rows = rows.where(apart.not_apart(not_for))
    rows = rows.order_by(sa.desc(col(ReviewRow.priority)))  # leads along the index, past nothing that is decided
    counted = sa.select(sa.func.count()).select_from(rows.limit(cap).subquery())
    return int(await tx.scalar(counted) or 0)


async def crowd(tx: AsyncSession, tenant: str, thread: str, requester: str, caps: tuple[int, int]) -> tuple[int, int]:
    """Return how many reviews of a thread and of a requester are pending, each counted to its cap at most."""
    of_thread = await _counted(tx, caps[0], col(ReviewRow.thread) == thread)
    return of_thread, await _counted(tx, caps[1], col(ReviewRow.tenant) == tenant, col(ReviewRow.requester) == requester)


async def _counted(tx: AsyncSession, cap: int, *which: sa.ColumnElement[bool]) -> int:
    rows = sa.select(sa.literal(1)).select_from(ReviewRow).where(sa.text("reviews.status = 'pending'"), *which).limit(cap)
    return int(await tx.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0)


async def of_thread(tx: AsyncSession, thread: str) -> Sequence[ReviewRow]:
    """Return the reviews of a thread, oldest first."""
    return (await tx.exec(select(ReviewRow).where(ReviewRow.thread == thread).order_by(col(ReviewRow.number)))).all()


async def actions_of_thread(tx: AsyncSession, thread: str) -> Sequence[ActionRow]:
    """Return the actions of a thread, oldest first."""
    return (await tx.exec(select(ActionRow).where(ActionRow.thread == thread).order_by(col(ActionRow.created_at)))).all()


async def unstarted(tx: AsyncSession, thread: str) -> Sequence[tuple[str, str]]:
    """Return action and title of what is pending or approved in a thread and was never started."""
    query = (
        select(ActionRow.id, ActionRow.title)
        .join(ReviewRow, col(ReviewRow.action) == col(ActionRow.id))
        .join(ExecutionRow, col(ExecutionRow.action) == col(ActionRow.id), isouter=True)
        .where(ReviewRow.thread == thread, col(ReviewRow.status).in_(["pending", "approved"]))
        .where(col(ExecutionRow.action).is_(None))
    )
    return (await tx.exec(query)).all()


async def turn(tx: AsyncSession, row: ReviewRow, old: str, new: str, at: datetime | None, *, reason: str = "") -> bool:
    """Compare-and-set a review's status at its version; False if somebody was faster. `reason` says why it closes undecided."""
    version = row.version + 1 if new == "pending" else row.version
    return await change(tx, row, old, status=new, decided_at=at, version=version, close_reason=reason, holder=None, held_until=None)


async def change(tx: AsyncSession, row: ReviewRow, old: str, **values: Any) -> bool:
    """Compare-and-set any fields of a review that is in status `old` at its version; False if somebody was faster."""
    mine = sa.and_(col(ReviewRow.id) == row.id, col(ReviewRow.status) == old, col(ReviewRow.version) == row.version)
    return int((await tx.exec(sa.update(ReviewRow).where(mine).values(**values))).rowcount) == 1


async def hold(tx: AsyncSession, row: ReviewRow, holder: str, until: datetime, now: datetime, *, over: bool) -> bool:
    """Let somebody work on a pending card until a moment; False if it is closed or, unless `over`, somebody else works on it."""
    at_rest = sa.or_(col(ReviewRow.holder).is_(None), col(ReviewRow.held_until) <= now, col(ReviewRow.holder) == holder)
    mine = sa.and_(col(ReviewRow.id) == row.id, col(ReviewRow.status) == "pending", sa.true() if over else at_rest)
    return int((await tx.exec(sa.update(ReviewRow).where(mine).values(holder=holder, held_until=until))).rowcount) == 1


async def let_go(tx: AsyncSession, review_id: str, holder: str) -> None:
    """Give a card back, if it is still this person's."""
    mine = sa.and_(col(ReviewRow.id) == review_id, col(ReviewRow.holder) == holder)
    await tx.exec(sa.update(ReviewRow).where(mine).values(holder=None, held_until=None))


async def add_decision(tx: AsyncSession, row: DecisionRow) -> bool:
    """Add a decision; False if this person used its idempotency key for another one."""
    insert = add_or_leave(tx, DecisionRow).values(**row.model_dump(exclude={"sequence"}))
    return (await tx.exec(insert.returning(DecisionRow.id))).first() is not None


async def decisions(tx: AsyncSession, review_id: str) -> Sequence[DecisionRow]:
    """Return all decision rows of a review, oldest first."""
    query = select(DecisionRow).where(DecisionRow.review == review_id).order_by(col(DecisionRow.sequence))
    return (await tx.exec(query)).all()


async def decisions_of(tx: AsyncSession, review_ids: Sequence[str]) -> Sequence[DecisionRow]:
    """Return all decision rows of several reviews, oldest first."""
    if not review_ids:
        return ()
    query = select(DecisionRow).where(col(DecisionRow.review).in_(review_ids)).order_by(col(DecisionRow.sequence))
    return (await tx.exec(query)).all()


async def close(tx: AsyncSession, row: ReviewRow, status: str, reason: str, at: datetime) -> bool:
    """Close a pending review without a decision, saying why; False if somebody was faster."""
    mine = sa.and_(col(ReviewRow.id) == row.id, col(ReviewRow.status) == "pending", col(ReviewRow.version) == row.version)
    values = {"status": status, "close_reason": reason, "decided_at": at}
    return int((await tx.exec(sa.update(ReviewRow).where(mine).values(**values))).rowcount) == 1


async def due(tx: AsyncSession, tenant: str, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
    """Return id and thread of the pending reviews that a sweep has something to do with, longest due first."""
    pending = sa.text("reviews.status = 'pending' AND reviews.next_at IS NOT NULL")
    query = select(ReviewRow.id, ReviewRow.thread).where(ReviewRow.tenant == tenant, pending, col(ReviewRow.next_at) <= now)
    return (await tx.exec(query.order_by(col(ReviewRow.next_at)).limit(limit))).all()


async def last_decision(tx: AsyncSession, review_id: str) -> DecisionRow | None:
    """Return the newest decision row of a review, which may be `withdrawn`."""
    query = select(DecisionRow).where(DecisionRow.review == review_id).order_by(sa.desc(col(DecisionRow.sequence)))
    return (await tx.exec(query.limit(1))).first()


async def by_key(tx: AsyncSession, tenant: str, actor: str, key: str) -> DecisionRow | None:
    """Return the decision that `actor` already made under this idempotency key."""
    query = select(DecisionRow).where(DecisionRow.tenant == tenant, DecisionRow.actor == actor, DecisionRow.key == key)
    return (await tx.exec(query)).first()


async def decided(
    tx: AsyncSession, tenant: str, limit: int, before: int | None = None, search: str = "", reader: str = ""
) -> Sequence[tuple[DecisionRow, ReviewRow, ActionRow, ExecutionRow | None]]:
    """Return decisions, newest first, with review, action and execution; not what `reader` is asked about once more just now."""
    query = (
        select(DecisionRow, ReviewRow, ActionRow, ExecutionRow)
        .join(ReviewRow, col(ReviewRow.id) == col(DecisionRow.review))
        .join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        .join(ExecutionRow, col(ExecutionRow.action) == col(ActionRow.id), isouter=True)
    )
    if before is not None:
        query = query.where(col(DecisionRow.sequence) < before)
    if reader:
        query = query.where(~asked_again.asked_again(col(ActionRow.id), reader))
    if not search:
        query = query.where(DecisionRow.tenant == tenant)
    else:
        newest = sa.select(col(DecisionRow.sequence)).where(col(DecisionRow.tenant) == tenant)
        newest = newest.order_by(sa.desc(col(DecisionRow.sequence))).limit(SEARCHED)
        query = query.where(col(DecisionRow.sequence).in_(newest))
        query = query.where(sa.or_(_found(search), col(DecisionRow.actor) == search, col(DecisionRow.type) == search))
    return (await tx.exec(query.order_by(sa.desc(col(DecisionRow.sequence))).limit(limit))).all()


LATELY = 2_000
"""So many of the newest reviews are looked through for what was closed, so that a long history costs no more than a short one."""


async def closed(tx: AsyncSession, tenant: str, limit: int, search: str = "") -> Sequence[tuple[ReviewRow, ActionRow]]:
    """Return what lately expired, was superseded or cancelled, newest first."""
    lately = sa.select(col(ReviewRow.number)).where(col(ReviewRow.tenant) == tenant).order_by(sa.desc(col(ReviewRow.number)))
    query = (
        select(ReviewRow, ActionRow)
        .join(ActionRow, col(ActionRow.id) == col(ReviewRow.action))
        .where(col(ReviewRow.number).in_(lately.limit(LATELY)), col(ReviewRow.status).in_(["expired", "superseded", "cancelled"]))
        .order_by(sa.desc(col(ReviewRow.number)))
    )
    if search:
        query = query.where(sa.or_(_found(search), col(ReviewRow.status) == search))
    return (await tx.exec(query.limit(limit))).all()


async def automatic(tx: AsyncSession, tenant: str, limit: int, reader: str = "") -> Sequence[tuple[ActionRow, ExecutionRow | None]]:
    """Return what ran or was refused without a person, newest first; not what `reader` is asked about just now."""
    query = (
        select(ActionRow, ExecutionRow)
        .join(ExecutionRow, col(ExecutionRow.action) == col(ActionRow.id), isouter=True)
        .where(ActionRow.tenant == tenant, sa.text("actions.verdict <> 'review'"), ActionRow.verdict != "probe")
        .order_by(sa.desc(col(ActionRow.created_at)))
    )
    if reader:
        query = query.where(~asked_again.asked_again(col(ActionRow.id), reader))
    return (await tx.exec(query.limit(limit))).all()
