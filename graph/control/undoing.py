"""Undoing: a person asks inside the window, a worker of the agent calls the tool's undo once; a crash in between is never a retry.

The agent is told with the next message of its requester: an undo wakes no model, which might do the same thing again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from langchain_core.messages import SystemMessage, messages_to_dict

from ...tools.declaration import declaration_of, schema_digest
from .. import crashpoints
from ..access.people import require
from ..audit import records
from ..audit.masking import hidden, scrubbed
from ..authority.standing import digest_of_args
from ..clock import Clock, fresh_id
from ..errors import AssentError, ThreadBusy, TooLate
from ..running import run_undo
from ..store import executions, reviews, threads, undos, wakes
from ..store.models import ActionRow, ExecutionRow, InboundRow
from ..store.session import AsyncSession, Store
from ..texts import storable
from ..wiring import Gate
from ..work.leases import lease, let_finish
from . import notices

LOST = "The process stopped while it was being undone."


async def request(store: Store, clock: Clock, action_id: str, actor: str, reason: str) -> None:
    """Ask for an action to be undone, inside its window; a worker of its agent does it."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        known = await executions.get(tx, action_id)
        if known is None or known.tenant != user.tenant:
            raise AssentError("There is no such execution.")
        await threads.lock(tx, known.thread)  # an erasure holds it, too
        row = await reviews.action(tx, action_id)
        if row is None or row.erased_at is not None:
            raise TooLate("What ran was erased on request; nothing is left by which it could be undone.")
        now = clock()
        if not await undos.request(tx, action_id, actor, reason, now):
            raise TooLate(_too_late(await executions.get(tx, action_id) or known))
        body = {"thread": known.thread, "tool": known.tool}
        records.about(tx, known.tenant, now, "undo.requested", actor, action_id, body, {"reason": reason})
        await wakes.add(tx, known.thread, "undo", now)


def _too_late(row: ExecutionRow) -> str:
    if row.undo_status:
        return f"{row.undo_by} asked for this already; the undo is {row.undo_status}."
    if row.status != "succeeded":
        return f"There is nothing to undo: the execution is {row.status}."
    if row.undo_until is None:
        return "This action cannot be undone: its tool offers no undo, or the policy gave it no time for one."
    return f"The time for undoing this was over at {row.undo_until:%H:%M:%S} UTC on {row.undo_until:%d %B %Y}."


class Undoer:
    """Does the undos that were asked for in a thread; any number of processes may try."""

    def __init__(self, store: Store, clock: Clock, gate_of: Callable[[ActionRow], Gate | None]) -> None:
        self._store, self._clock, self._gate_of = store, clock, gate_of

    async def __call__(self, thread: str) -> None:
        """Undo what was asked for, under the thread's lease."""
        async with self._store.read() as tx:
            waiting = await undos.open_of(tx, thread)
        for action in waiting:
            async with lease(self._store, thread, self._clock) as owner:
                row = await self._claimed(action, owner)
                if row is not None:
                    await let_finish(self._run(row, owner))

    async def _claimed(self, action_id: str, owner: str) -> ActionRow | None:
        """Claim the one call; a claim that somebody left behind becomes `unknown`, because we hold their lease."""
        async with self._store.begin() as tx:
            row = await reviews.action(tx, action_id)
            if row is None:
                return None
            await threads.lock(tx, row.thread)
            if not await threads.held(tx, row.thread, owner, self._clock()):
                raise ThreadBusy
            known = await executions.get(tx, action_id)
            if known is not None and known.undo_status == "claimed" and known.undo_claimed_by != owner:
                await self._end(tx, known, known.undo_claimed_by, "unknown", LOST)
                return None
            if not await undos.claim(tx, action_id, owner):
                return None
            body = {"thread": row.thread, "tool": row.tool, "claimed_by": owner, "digest": row.digest}
            records.about(tx, row.tenant, self._clock(), "undo.claimed", "worker", action_id, body)
        crashpoints.reach("after-undo-claim")
        return row

    async def _run(self, row: ActionRow, owner: str) -> None:
        status, result = await self._undone(row)
        crashpoints.reach("after-undo-effect")
        async with self._store.begin() as tx:
            known = await executions.get(tx, row.id)
            if known is not None:
                await self._end(tx, known, owner, status, result)

    async def _undone(self, row: ActionRow) -> tuple[str, str]:
        gate = self._gate_of(row)
        tool = gate.tools.get(row.tool) if gate is not None else None
        if tool is None or declaration_of(tool).undo is None:
            return "failed", "The tool, or its undo, is not offered here any more; nothing was undone."
        if digest_of_args(row, row.args) != row.digest:
            return "failed", "What ran is not on record any more; nothing was undone."
        if schema_digest(tool) != row.tool_digest:
            return "failed", "The tool has changed since it ran; nothing was undone."
        status, result = await run_undo(tool, row)
        return status, scrubbed(result, hidden(row.args, row.secrets))

    async def _end(self, tx: AsyncSession, known: ExecutionRow, owner: str | None, status: str, result: str) -> None:
        now, reason = self._clock(), known.undo_result or ""
        if not await undos.finish(tx, known.action, owner, status, result):
            return  # taken over: whoever did so has said what is known
        await ended(tx, known, status, now, "worker", result, reason)
        if status == "unknown":
            await notices.about_unknown(tx, known, now, "undoing of the action")


async def settle(tx: AsyncSession, known: ExecutionRow, status: str, now: datetime, actor: str, note: str) -> bool:
    """Record a person's word on an undo that nobody can vouch for; False if there is nothing to settle."""
    if not await undos.settle(tx, known.action, status, note):
        return False
    await ended(tx, known, status, now, actor, note)
    return True


TOLD = {
    "succeeded": "was undone; nothing of it stands",
    "failed": "could not be undone; it stands as it was done",
    "unknown": "may or may not have been undone; a person finds out",
}


async def ended(
    tx: AsyncSession, known: ExecutionRow, status: str, now: datetime, actor: str, result: str, reason: str = ""
) -> None:
    """Note how an undo ended, and let the agent hear of it."""
    body = {"thread": known.thread, "tool": known.tool}
    records.about(tx, known.tenant, now, f"undo.{status}", actor, known.action, body, {"result": result} if result else None)
    action = await reviews.action(tx, known.action)
    asked = f" It was asked for by a person: {reason}" if reason else ""
    text = storable(f"The action {action.title if action is not None else known.tool} {TOLD[status]}.{asked}")
    message_id = fresh_id("note")
    said = messages_to_dict([SystemMessage(text, id=message_id)])
    tx.add(InboundRow(id=message_id, thread=known.thread, text=text, messages=said, status="note", created_at=now))
