"""The claim: the one way to a tool; given to one run only, when a verdict or people stand behind exactly what would run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import records
from .actions import action_digest
from .canonical import NotCanonical
from .errors import ThreadBusy, Unauthorised
from .store import executions, reviews, threads, users
from .store.models import ActionRow, DecisionRow, ExecutionRow, ReviewRow
from .store.session import AsyncSession
from .terms import DECIDERS

STOPPED = "The process stopped while the tool ran."


@dataclass(frozen=True, slots=True)
class Claimed:
    """This run, and no other, may call the tool, with exactly these arguments."""

    action: ActionRow
    args: dict[str, Any]
    decision: DecisionRow | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The action was attempted before; this is what is known of it."""

    status: str
    result: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """The review is pending again: nobody's assent stands behind the action now."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """Another holder of the thread is calling the tool at this moment."""


Claim = Claimed | Recorded | Withheld | InFlight


async def claim(tx: AsyncSession, now: datetime, action_id: str, owner: str, tool_digest: str, *, idempotent: bool) -> Claim:
    """Claim the one execution of an action; see `Ledger.claim`."""
    row = await reviews.action(tx, action_id)
    thread = await threads.lock(tx, row.thread) if row else None
    review = await reviews.of_action(tx, action_id, lock=True)
    known = await executions.get(tx, action_id)
    if known is not None and known.status != "claimed":
        return Recorded(known.status, known.result or "")
    if row is None or thread is None or thread.status == "cancelled":
        raise Unauthorised("The tool was not called: the case was cancelled or the action is not on record.")
    found = await _authority(tx, row, review, tool_digest, now)
    if not isinstance(found, Claimed):
        return found
    if not await threads.held(tx, row.thread, owner, now):
        raise ThreadBusy
    if known is not None:
        return await _abandoned(tx, known, owner, found, idempotent, now)
    execution = ExecutionRow(action=row.id, tenant=row.tenant, thread=row.thread, tool=row.tool, claimed_by=owner, claimed_at=now)
    await executions.claim(tx, execution)
    records.claimed(tx, execution, row, found.decision)
    return found


async def _authority(
    tx: AsyncSession, row: ActionRow, review: ReviewRow | None, tool_digest: str, now: datetime
) -> Claimed | Withheld:
    if row.tool_digest != tool_digest:
        raise Unauthorised("The tool was not called: it has changed since the action was approved.")
    if row.verdict == "allow":
        return _covered(row, row.args, row.digest, None)
    if review is None or row.verdict != "review":
        raise Unauthorised
    decision = await reviews.last_decision(tx, review.id)
    if review.status == "pending" or decision is None or decision.effective_at > now:
        return Withheld()
    if review.status != "approved" or decision.type not in ("approve", "edit") or decision.actor == row.requester:
        raise Unauthorised
    approver = await users.get(tx, decision.actor)
    if approver is None or not approver.active or approver.role not in DECIDERS or approver.tenant != row.tenant:
        raise Unauthorised("The tool was not called: whoever approved it may no longer do so.")
    args = row.args if decision.args is None else decision.args
    return _covered(row, args, decision.digest, decision)


def _covered(row: ActionRow, args: dict[str, Any], digest: str, decision: DecisionRow | None) -> Claimed:
    try:
        same = action_digest(row.tool, row.tool_digest, args, row.thread, row.id, row.tenant) == digest
    except NotCanonical:
        same = False
    if not same:
        raise Unauthorised
    return Claimed(row, args, decision)


async def _abandoned(tx: AsyncSession, known: ExecutionRow, owner: str, claim: Claimed, idempotent: bool, now: datetime) -> Claim:
    if known.claimed_by != owner and await threads.held(tx, known.thread, known.claimed_by, now):
        return InFlight()
    if idempotent and await executions.reclaim(tx, known.action, known.claimed_by, owner, now):
        records.execution(tx, known, "reclaimed", now, "worker")
        return claim
    if await executions.finish(tx, known.action, known.claimed_by, "unknown", STOPPED, now):
        records.execution(tx, known, "unknown", now, "worker", STOPPED)
    return Recorded("unknown", STOPPED)
