"""The claim: the one way to a tool; given to one run only, when a verdict or people stand behind exactly what would run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..audit import records
from ..clock import Clock
from ..control import holding, stopping
from ..errors import ThreadBusy
from ..store import executions, reviews, stops, threads
from ..store.models import ActionRow, DecisionRow, ExecutionRow, ReviewRow
from ..store.session import AsyncSession
from .asking import needed
from .standing import digest_of_args, standing

STOPPED = "The process stopped while the tool ran."

NOBODY = "No committed approval or verdict covers exactly this action."
CHANGED = "The tool has changed since the action was approved."
GONE = "The case was cancelled or the action is not on record."


@dataclass(frozen=True, slots=True)
class Claimed:
    """This run, and no other, may call the tool, with exactly these arguments."""

    action: ActionRow
    args: dict[str, Any]
    decision: DecisionRow | None
    """The latest approval; None for an action that a verdict lets run."""
    approvals: tuple[DecisionRow, ...] = ()
    fence: str = ""
    """Under which the result is recorded: the lease, and a word that this call alone knows."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The action was attempted before; this is what is known of it."""

    status: str
    result: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """It has to wait: its approval is pending or not in effect yet, it is held for a veto, or a stop keeps it back."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """Another holder of the thread is calling the tool at this moment."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing covers the action any more; its review is closed, and this is why."""

    reason: str


Claim = Claimed | Recorded | Withheld | InFlight


def fence_of(owner: str, nonce: str) -> str:
    """Return the fence of a claim: a lease's owner with, where a call has one, its nonce."""
    return f"{owner}/{nonce}" if nonce else owner


def owner_of(fence: str) -> str:
    """Return the lease's owner of a fence."""
    return fence.partition("/")[0]


async def claim(
    tx: AsyncSession, clock: Clock, action_id: str, owner: str, tool_digest: str, *, idempotent: bool, nonce: str = ""
) -> Claim | Refused:
    """Claim the one execution of an action, under the locks of thread and review; see `Ledger.claim`."""
    row = await reviews.action(tx, action_id)
    if row is not None:
        await stops.share(tx, row.tenant)
    thread = await threads.lock(tx, row.thread) if row else None
    review = await reviews.of_action(tx, action_id, lock=True)
    now = clock()  # with every lock in hand: what ran out while we waited for one has run out
    known = await executions.get(tx, action_id)
    if known is not None and known.status != "claimed":
        return Recorded(known.status, known.result or "")
    if row is None or thread is None or thread.status == "cancelled":
        return Refused(GONE)
    found = await _authority(tx, row, review, tool_digest, now)
    if isinstance(found, Withheld) or (isinstance(found, Refused) and known is None):
        return found if isinstance(found, Withheld) else await _closed(tx, review, found, now)
    if not await threads.held(tx, row.thread, owner, now):
        raise ThreadBusy
    fence = fence_of(owner, nonce)
    granted = replace(found, fence=fence) if isinstance(found, Claimed) else None
    if known is not None:
        return await _attempted(tx, known, fence, granted, idempotent, now)
    if granted is None:
        return Refused(NOBODY)
    return Withheld() if await stopping.keeps_back(tx, row, now) else await _begun(tx, row, granted, now)


async def _begun(tx: AsyncSession, row: ActionRow, granted: Claimed, now: datetime) -> Claim:
    execution = ExecutionRow(
        action=row.id, tenant=row.tenant, thread=row.thread, tool=row.tool, claimed_by=granted.fence, claimed_at=now
    )
    if not await executions.claim(tx, execution):
        return InFlight()
    records.claimed(tx, execution, row, granted.approvals)
    return granted


async def _authority(
    tx: AsyncSession, row: ActionRow, review: ReviewRow | None, tool_digest: str, now: datetime
) -> Claimed | Withheld | Refused:
    """Return what stands behind the action now, from rows alone."""
    approvals: tuple[DecisionRow, ...] = ()
    args, digest = row.args, row.digest
    if row.verdict == "allow":
        held, vetoed = await holding.look(tx, row, now)
        if held or vetoed:
            return Refused(vetoed) if vetoed else Withheld()
    else:
        if row.verdict != "review" or review is None or review.kind != "action":
            return Refused(NOBODY)
        if review.status == "pending":
            return Withheld()
        if review.status != "approved":
            return Refused(review.close_reason or NOBODY)
        found = await standing(tx, review, row, now)
        reached = found.effective_at(needed(review, row))
        if reached is None:
            return Refused(found.shortfall())
        if reached > now:
            return Withheld()
        approvals, args, digest = found.approvals, row.args if review.args is None else review.args, review.digest
    if row.tool_digest != tool_digest:
        return Refused(CHANGED)
    if digest_of_args(row, args) != digest:
        return Refused(NOBODY)
    return Claimed(row, args, approvals[-1] if approvals else None, approvals)


async def _closed(tx: AsyncSession, review: ReviewRow | None, refused: Refused, now: datetime) -> Refused:
    """Close the review of what nothing covers any more, so that an approval never looks as if it still stood."""
    if review is not None and review.status == "approved":
        await reviews.turn(tx, review, "approved", "superseded", now, reason=refused.reason)
        records.review(tx, review, "superseded", now, "worker", refused.reason)
    return refused


async def _attempted(
    tx: AsyncSession, known: ExecutionRow, fence: str, granted: Claimed | None, idempotent: bool, now: datetime
) -> Claim:
    """Return what becomes of a claim that was made before: it is ours, it is at work, or it was abandoned."""
    if granted is not None and known.claimed_by == fence and "/" in fence:
        return granted  # made by this very call, which never heard that it was committed
    owner = owner_of(known.claimed_by)
    if owner != owner_of(fence) and await threads.held(tx, known.thread, owner, now):
        return InFlight()
    if granted is not None and idempotent and await stopping.keeps_back(tx, granted.action, now):
        return Withheld()
    if granted is not None and idempotent and await executions.reclaim(tx, known.action, known.claimed_by, fence, now):
        records.execution(tx, known, "reclaimed", now, "worker")
        return granted
    if await executions.finish(tx, known.action, known.claimed_by, "unknown", STOPPED, now):
        records.execution(tx, known, "unknown", now, "worker", STOPPED)
        await holding.ended(tx, known, "unknown", now, has_undo=False)
        return Recorded("unknown", STOPPED)
    ended = await executions.get(tx, known.action)
    return Recorded(ended.status, ended.result or "") if ended else Recorded("unknown", STOPPED)
