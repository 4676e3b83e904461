"""After a restore: a backup does not know what ran since it was made, so nothing that was let run before starts by itself again."""

from __future__ import annotations

from dataclasses import dataclass

from ..access.people import require
from ..clock import Clock, fresh_id
from ..store import executions, restores, reviews, threads, wakes
from ..store.models import ActionRow, ExecutionRow, ReviewRow
from ..store.session import AsyncSession, Store
from . import records

TOLD = "The database was restored from a backup; this may have run since it was made."
BATCH = 100


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored database was made to ask people about."""

    unknown: int
    """Actions that were let run and had not; each is a task now: did it run?"""
    superseded: int
    """Reviews that were pending and may have been decided since; the agent may propose the action again."""


async def restored(store: Store, clock: Clock, actor: str) -> Restored:
    """Turn what could run again into tasks, and close what may have been decided since; only an admin may, before anything works.

    A second call changes nothing.
    """
    async with store.begin() as tx:
        user = await require(tx, actor, "admin")
        records.about(tx, user.tenant, clock(), "restored", actor, user.tenant)
    unknown, superseded, after = 0, 0, ""
    while True:
        async with store.read() as tx:
            page = await restores.unstarted(tx, user.tenant, after, BATCH)
        for action in page:
            async with store.begin() as tx:
                status = await _one(tx, action, clock, actor)
            unknown, superseded = unknown + (status == "unknown"), superseded + (status == "superseded")
        if len(page) < BATCH:
            return Restored(unknown, superseded)
        after = page[-1]


async def _one(tx: AsyncSession, action_id: str, clock: Clock, actor: str) -> str:
    action = await reviews.action(tx, action_id)
    if action is None:
        return ""
    await threads.lock(tx, action.thread)
    review = await reviews.of_action(tx, action_id, lock=True)
    known = await executions.get(tx, action_id)
    if known is not None or (action.verdict == "review" and (review is None or review.status not in ("pending", "approved"))):
        return ""
    if review is not None and review.status == "pending":
        return await _superseded(tx, review, clock, actor)
    return await _unknown(tx, action, clock, actor)


async def _superseded(tx: AsyncSession, review: ReviewRow, clock: Clock, actor: str) -> str:
    if not await reviews.close(tx, review, "superseded", TOLD, clock()):
        return ""
    records.review(tx, review, "superseded", clock(), actor, TOLD)
    await wakes.add(tx, review.thread, "restored", clock())
    return "superseded"


async def _unknown(tx: AsyncSession, action: ActionRow, clock: Clock, actor: str) -> str:
    row = ExecutionRow(
        action=action.id,
        tenant=action.tenant,
        thread=action.thread,
        tool=action.tool,
        status="unknown",
        claimed_by=fresh_id("restore"),
        claimed_at=clock(),
        finished_at=clock(),
        result=TOLD,
    )
    await executions.claim(tx, row)
    records.execution(tx, row, "presumed", clock(), actor, TOLD)
    await wakes.add(tx, action.thread, "restored", clock())
    return "unknown"
