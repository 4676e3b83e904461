"""The windows of what runs without a person: to veto it before, to undo it after; waiting approves nothing, the verdict does."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..access.people import require
from ..audit import records
from ..authority.asking import terms_of
from ..clock import Clock
from ..errors import AssentError, TooLate
from ..rules.terms import Terms
from ..store import executions, holds, reviews, threads, undos, wakes
from ..store.control_models import HoldRow
from ..store.models import ActionRow, ExecutionRow
from ..store.session import AsyncSession, Store
from . import notices


async def begin(tx: AsyncSession, row: ActionRow, terms: Terms, now: datetime) -> None:
    """Hold an allowed action for its veto window, if its terms say so, and wake its thread when the window ends."""
    if row.verdict != "allow" or terms.veto is None:
        return
    until = now + timedelta(seconds=terms.veto)
    await holds.add(tx, HoldRow(action=row.id, tenant=row.tenant, thread=row.thread, tool=row.tool, until=until, created_at=now))
    await wakes.add(tx, row.thread, "hold", until)
    body = {"thread": row.thread, "tool": row.tool, "digest": row.digest, "until": until.isoformat(timespec="microseconds")}
    records.about(tx, row.tenant, now, "hold.begun", "policy", row.id, body)


async def look(tx: AsyncSession, row: ActionRow, now: datetime) -> tuple[bool, str]:
    """Return whether an allowed action has to wait for its veto window, and, if it must never begin, why."""
    hold = await holds.get(tx, row.id)
    if hold is None:
        missing = terms_of(row).veto is not None
        return False, "the action has a veto window, and there is no record of it." if missing else ""
    if hold.vetoed_by is not None:
        return False, f"a person vetoed it before it began: {hold.reason or 'no reason given'}."
    return hold.until > now, ""


async def ended(tx: AsyncSession, known: ExecutionRow, status: str, now: datetime, *, has_undo: bool) -> None:
    """Open the window for undoing an action that succeeded without a person; tell people of one whose outcome nobody knows."""
    row = await reviews.action(tx, known.action)
    seconds = terms_of(row).undo if row is not None else None
    if row is not None and status == "succeeded" and row.verdict == "allow" and has_undo and seconds is not None:
        await undos.allow(tx, row.id, now + timedelta(seconds=seconds))
    if status == "unknown":
        await notices.about_unknown(tx, known, now)


async def veto(store: Store, clock: Clock, action_id: str, actor: str, reason: str) -> None:
    """Say no to a held action inside its window; the agent is told."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        row = await reviews.action(tx, action_id)
        if row is None or row.tenant != user.tenant:
            raise AssentError("There is no such action.")
        await threads.lock(tx, row.thread)
        hold, now = await holds.get(tx, action_id), clock()
        if hold is None:
            raise AssentError("This action is not held; there is nothing to veto.")
        if hold.vetoed_by is not None:
            raise TooLate(f"This action was vetoed already, by {hold.vetoed_by}.")
        if await executions.get(tx, action_id) is not None or not await holds.veto(tx, action_id, actor, reason, now):
            raise TooLate("The veto window is over: the action has begun, or begins now. See whether it can be undone.")
        records.about(tx, row.tenant, now, "hold.vetoed", actor, action_id, {"thread": row.thread}, {"reason": reason})
        await wakes.add(tx, row.thread, "veto", now)
