"""What the gate writes and believes: verdicts, outcomes, claims and results; the only way to a tool leads through `claim`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from . import records
from .actions import action_digest
from .canonical import NotCanonical
from .clock import Clock, fresh_id
from .errors import NotAllowed, QueueFull, ThreadBusy, ThreadClosed, Unauthorised
from .policy_changes import note_change
from .store import executions, reviews, threads, users
from .store.models import ActionRow, DecisionRow, ExecutionRow, ReviewRow, ThreadRow
from .store.session import AsyncSession, Store

OutcomeStatus = Literal["pending", "approved", "rejected", "answered", "expired", "superseded", "cancelled"]

DECIDERS = ("operator", "lead", "admin")

COST = {"read": 0.1, "reversible": 1.0, "costly": 3.0, "irreversible": 5.0}
"""How much a mistake weighs in the order of the queue."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a review stands, as the agent is told it."""

    status: OutcomeStatus
    type: str = ""
    actor: str = ""
    reason: str = ""
    message: str = ""


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


def priority(consequence: str, confidence: float | None) -> float:
    """Return how urgent a review is: doubt times the cost of a mistake."""
    return (1.0 - (confidence or 0.0)) * COST.get(consequence, 5.0)


class Ledger:
    """The gate's view of the store."""

    def __init__(self, store: Store, clock: Clock, queue_limit: int = 10_000) -> None:
        self.store, self.clock, self.queue_limit = store, clock, queue_limit

    async def stored(self, action_id: str) -> ActionRow | None:
        """Return the action with the verdict it already has: a verdict is never computed twice."""
        async with self.store.read() as tx:
            return await reviews.action(tx, action_id)

    async def record(self, row: ActionRow) -> ActionRow:
        """Store an action with its verdict, and the review if a person is to decide; the first record stands.

        Raises NotAllowed, QueueFull, and ThreadClosed when the case was cancelled meanwhile.
        """
        async with self.store.begin() as tx:
            known = await reviews.action(tx, row.id)
            if known is not None:
                return known
            thread = await threads.ensure(tx, self._thread(row))
            if (thread.tenant, thread.requester) != (row.tenant, row.requester):
                raise NotAllowed("This thread belongs to another requester; start one of your own.")
            if thread.status == "cancelled":
                raise ThreadClosed
            if row.verdict == "review":
                await self._room(tx, row.tenant)
            tx.add(row)
            await tx.flush()
            asked = self._review(row) if row.verdict == "review" else None
            if asked is not None:
                tx.add(asked)
            await note_change(tx, row)
            records.verdict(tx, row, asked)
        return row

    def _thread(self, row: ActionRow) -> ThreadRow:
        return ThreadRow(id=row.thread, tenant=row.tenant, agent=row.agent, requester=row.requester, created_at=self.clock())

    def _review(self, row: ActionRow) -> ReviewRow:
        return ReviewRow(
            id=fresh_id("rev"),
            tenant=row.tenant,
            action=row.id,
            thread=row.thread,
            tool=row.tool,
            digest=row.digest,
            priority=priority(row.consequence, row.confidence),
            created_at=self.clock(),
        )

    async def _room(self, tx: AsyncSession, tenant: str) -> None:
        if await reviews.count_pending(tx, tenant, self.queue_limit) >= self.queue_limit:
            raise QueueFull

    async def review_of(self, action_id: str) -> ReviewRow | None:
        """Return the review of an action."""
        async with self.store.read() as tx:
            return await reviews.of_action(tx, action_id)

    async def outcome(self, action_id: str) -> Outcome:
        """Return where the review of an action stands; a decision inside its undo window does not count yet."""
        async with self.store.read() as tx:
            review = await reviews.of_action(tx, action_id)
            if review is None:
                raise Unauthorised
            if review.status not in ("approved", "rejected", "answered"):
                return Outcome(_status(review.status))
            decision = await reviews.last_decision(tx, review.id)
            if decision is None or decision.effective_at > self.clock():
                return Outcome("pending")
            return Outcome(_status(review.status), decision.type, decision.actor, decision.reason, decision.message)

    async def claim(self, action_id: str, owner: str, tool_digest: str, *, idempotent: bool) -> Claim:
        """Claim the one execution of an action, if a verdict or a decision covers exactly what would run.

        Raises Unauthorised if none does, ThreadBusy if `owner` lost the thread's lease. An abandoned claim becomes `unknown`,
        unless the tool is idempotent.
        """
        async with self.store.begin() as tx:
            review = await reviews.of_action(tx, action_id, lock=True)
            known = await executions.get(tx, action_id)
            if known is not None and known.status != "claimed":
                return Recorded(known.status, known.result or "")
            row = await self._row(tx, action_id)
            claim = await self._authority(tx, row, review, tool_digest)
            if not isinstance(claim, Claimed):
                return claim
            if not await threads.held(tx, row.thread, owner, self.clock()):
                raise ThreadBusy
            if known is not None:
                return await self._abandoned(tx, known, owner, claim, idempotent)
            execution = self._execution(row, owner)
            await executions.claim(tx, execution)
            records.claimed(tx, execution, row, claim.decision)
            return claim

    async def _row(self, tx: AsyncSession, action_id: str) -> ActionRow:
        row = await reviews.action(tx, action_id)
        thread = await threads.get(tx, row.thread) if row else None
        if row is None or thread is None or thread.status == "cancelled":
            raise Unauthorised("The tool was not called: the case was cancelled or the action is not on record.")
        return row

    def _execution(self, row: ActionRow, owner: str) -> ExecutionRow:
        return ExecutionRow(
            action=row.id, tenant=row.tenant, thread=row.thread, tool=row.tool, claimed_by=owner, claimed_at=self.clock()
        )

    async def _authority(self, tx: AsyncSession, row: ActionRow, review: ReviewRow | None, tool_digest: str) -> Claimed | Withheld:
        if row.tool_digest != tool_digest:
            raise Unauthorised("The tool was not called: it has changed since the action was approved.")
        if row.verdict == "allow":
            return self._covered(row, row.args, row.digest, None)
        if review is None or row.verdict != "review":
            raise Unauthorised
        decision = await reviews.last_decision(tx, review.id)
        if review.status == "pending" or decision is None or decision.effective_at > self.clock():
            return Withheld()
        if review.status != "approved" or decision.type not in ("approve", "edit") or decision.actor == row.requester:
            raise Unauthorised
        approver = await users.get(tx, decision.actor)
        if approver is None or not approver.active or approver.role not in DECIDERS or approver.tenant != row.tenant:
            raise Unauthorised("The tool was not called: whoever approved it may no longer do so.")
        args = row.args if decision.args is None else decision.args
        return self._covered(row, args, decision.digest, decision)

    def _covered(self, row: ActionRow, args: dict[str, Any], digest: str, decision: DecisionRow | None) -> Claimed:
        try:
            same = action_digest(row.tool, row.tool_digest, args, row.thread, row.id, row.tenant) == digest
        except NotCanonical:
            same = False
        if not same:
            raise Unauthorised
        return Claimed(row, args, decision)

    async def _abandoned(self, tx: AsyncSession, known: ExecutionRow, owner: str, claim: Claimed, idempotent: bool) -> Claim:
        if known.claimed_by != owner and await threads.held(tx, known.thread, known.claimed_by, self.clock()):
            return InFlight()
        if idempotent and await executions.reclaim(tx, known.action, known.claimed_by, owner, self.clock()):
            records.execution(tx, known, "reclaimed", self.clock(), "worker")
            return claim
        if await executions.finish(
            tx, known.action, known.claimed_by, "unknown", "The process stopped while the tool ran.", self.clock()
        ):
            records.execution(tx, known, "unknown", self.clock(), "worker", "The process stopped while the tool ran.")
        return Recorded("unknown", "The process stopped while the tool ran.")

    async def again(self, action_id: str, owner: str) -> bool:
        """Grant one more call of an idempotent tool under a claim that still stands, and count it; else False."""
        async with self.store.begin() as tx:
            known = await executions.get(tx, action_id)
            thread = await threads.lock(tx, known.thread) if known is not None else None
            if known is None or thread is None or thread.status == "cancelled" or thread.lease_owner != owner:
                return False
            if not await executions.retry(tx, action_id, owner):
                return False
            records.execution(tx, known, "retried", self.clock(), "worker")
            return True

    async def finish(self, action_id: str, owner: str, status: str, result: str) -> Recorded:
        """Record what came of a claim; if the claim was taken over, what is on record stands."""
        async with self.store.begin() as tx:
            known = await executions.get(tx, action_id)
            if known is not None and await executions.finish(tx, action_id, owner, status, result, self.clock()):
                records.execution(tx, known, status, self.clock(), "worker", result)
                return Recorded(status, result)
            known = await executions.get(tx, action_id)
        return Recorded(known.status, known.result or "") if known else Recorded("unknown", "")

    async def decision(self, action_id: str) -> DecisionRow | None:
        """Return the newest decision on an action."""
        async with self.store.read() as tx:
            review = await reviews.of_action(tx, action_id)
            return await reviews.last_decision(tx, review.id) if review is not None else None

    async def supersede(self, action_id: str) -> None:
        """Close the review of an action that nothing covers any more, so that an approval never looks as if it still stood."""
        async with self.store.begin() as tx:
            review = await reviews.of_action(tx, action_id, lock=True)
            if review is not None and review.status == "approved" and await executions.get(tx, action_id) is None:
                await reviews.turn(tx, review, "approved", "superseded", self.clock())
                records.review(tx, review, "superseded", self.clock(), "worker")

    async def execution(self, action_id: str) -> Recorded | None:
        """Return what is known of an action's execution."""
        async with self.store.read() as tx:
            known = await executions.get(tx, action_id)
            return Recorded(known.status, known.note or known.result or "") if known else None


def _status(status: str) -> OutcomeStatus:
    found: OutcomeStatus = status  # type: ignore[assignment]  # rows hold these words only
    return found
