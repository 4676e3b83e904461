"""What people do besides deciding: settle unknown outcomes, retry or cancel a case, take an example out."""

from __future__ import annotations

from typing import Literal

from ..access.people import require
from ..audit import records
from ..clock import Clock
from ..control import undoing
from ..errors import AssentError, NotAllowed, UnknownThread
from ..store import examples, executions, reviews, threads, users, wakes
from ..store.models import ThreadRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store

SETTLED = {"done": "succeeded", "not_done": "failed"}


async def settle(store: Store, clock: Clock, action_id: str, outcome: Literal["done", "not_done"], actor: str, note: str) -> None:
    """Record a person's word on an execution, or its undoing, that nobody can vouch for; the agent goes on with that."""
    if outcome not in SETTLED:
        raise AssentError("Say 'done' if it happened, by hand or by itself, or 'not_done' if it did not.")
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        known = await executions.get(tx, action_id)
        if known is None or known.tenant != user.tenant:
            raise AssentError("There is no such execution.")
        await threads.lock(tx, known.thread)
        if await undoing.settle(tx, known, SETTLED[outcome], clock(), actor, note):
            return
        if not await executions.settle(tx, action_id, "unknown", SETTLED[outcome], actor, note, clock()):
            raise AssentError(f"This execution is settled already: {known.status}, by {known.settled_by or 'the tool'}.")
        records.execution(tx, known, SETTLED[outcome], clock(), actor, note)
        await wakes.add(tx, known.thread, "settled", clock())


async def retry(store: Store, clock: Clock, thread: str, actor: str) -> None:
    """Wake a thread whose agent could not go on."""
    async with store.begin() as tx:
        await _thread(tx, await require(tx, actor, "operator"), thread)
        await wakes.add(tx, thread, "retry", clock())


async def cancel(store: Store, clock: Clock, thread: str, actor: str, reason: str) -> int:
    """Cancel a thread with everything of it that has not been started; its requester or an operator may."""
    async with store.begin() as tx:
        row = await threads.lock(tx, thread)
        if row is None:
            raise UnknownThread
        known = await users.get(tx, actor)
        if row.requester != actor or (known is not None and known.tenant != row.tenant):
            await _thread(tx, await require(tx, actor, "operator"), thread)
        if row.status == "probe":
            raise NotAllowed("Nothing of this case is left to cancel; decide on it.")
        if row.status != "cancelled":
            records.about(tx, row.tenant, clock(), "thread.cancelled", actor, thread, {"agent": row.agent}, {"reason": reason})
        await threads.mark(tx, thread, "cancelled", reason or f"cancelled by {actor}")
        for message in await threads.waiting(tx, thread):
            await threads.settle_message(tx, message.id, "cancelled")
        cancelled = 0
        for review in await reviews.of_thread(tx, thread):
            started = await executions.get(tx, review.action) is not None
            if review.status not in ("pending", "approved") or started:
                continue
            if await reviews.turn(tx, review, review.status, "cancelled", clock(), reason=reason or f"cancelled by {actor}"):
                cancelled += 1
                records.review(tx, review, "cancelled", clock(), actor, reason)
        return cancelled


async def retire(store: Store, clock: Clock, example_id: str, actor: str, reason: str) -> None:
    """Take an example out; a lead may take out any, others their own."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        row = await examples.get(tx, user.tenant, example_id)
        if row is None:
            raise AssentError("There is no such example.")
        if row.actor != actor and user.role not in ("lead", "admin"):
            raise NotAllowed("Only the person who made an example, or a lead, can take it out.")
        if not await examples.retire(tx, row, actor, reason, clock()):
            raise AssentError("This example was taken out already.")
        records.about(tx, user.tenant, clock(), "example.retired", actor, example_id, payload={"reason": reason})


async def _thread(tx: AsyncSession, user: UserRow, thread: str) -> ThreadRow:
    row = await threads.lock(tx, thread)
    if row is None or row.tenant != user.tenant:
        raise UnknownThread
    return row
