"""What the gate writes and believes: verdicts, outcomes, claims and results; the only way to a tool leads through `claim`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from . import asking, claiming, records
from .claiming import Claim, Claimed, InFlight, Recorded, Refused, Withheld, owner_of
from .clock import Clock
from .errors import NotAllowed, ThreadBusy, ThreadClosed, Unauthorised
from .limits import Limits, fair
from .policy_changes import note_change
from .room import Room
from .standing import standing
from .store import executions, reviews, threads
from .store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow
from .store.session import Store
from .terms import DEFAULT, Terms

__all__ = ["Claim", "Claimed", "InFlight", "Ledger", "Outcome", "OutcomeStatus", "Recorded", "Withheld"]

OutcomeStatus = Literal["pending", "approved", "rejected", "answered", "expired", "superseded", "cancelled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a review stands, as the agent is told it."""

    status: OutcomeStatus
    type: str = ""
    actor: str = ""
    reason: str = ""
    message: str = ""


class Ledger:
    """The gate's view of the store."""

    def __init__(self, store: Store, clock: Clock, limits: Limits | None = None) -> None:
        self.store, self.clock, self.room = store, clock, Room(limits or Limits())

    async def stored(self, action_id: str) -> ActionRow | None:
        """Return the action with the verdict it already has: a verdict is never computed twice."""
        async with self.store.read() as tx:
            return await reviews.action(tx, action_id)

    async def crowded(self, tenant: str, thread: str, requester: str) -> str | None:
        """Say why one more action of a thread may not wait for a person; None when it may."""
        async with self.store.read() as tx:
            return (await self.room.crowded(tx, tenant, thread, requester))[0]

    async def record(self, row: ActionRow, terms: Terms = DEFAULT, *, refusable: bool = True) -> ActionRow:
        """Store an action with its verdict, and the review under its terms if a person is to decide; the first record stands.

        What may not wait because too much of its thread or requester does is refused; unless `refusable`, QueueFull is raised.
        Raises NotAllowed, QueueFull, and ThreadClosed when the case was cancelled meanwhile.
        """
        async with self.store.begin() as tx:
            thread = await threads.ensure(tx, self._thread(row))
            known = await reviews.action(tx, row.id)
            if known is not None:
                return known
            if (thread.tenant, thread.requester) != (row.tenant, row.requester):
                raise NotAllowed("This thread belongs to another requester; start one of your own.")
            if thread.status == "cancelled":
                raise ThreadClosed
            waiting = await self.room.admit(tx, row, refusable=refusable) if row.verdict == "review" else 0
            tx.add(row)
            await tx.flush()
            asked = asking.review_of(row, terms, self.clock()) if row.verdict == "review" else None
            if asked is not None:
                asked.requester, asked.priority = row.requester, fair(asked.priority, waiting)
                tx.add(asked)
            await note_change(tx, row)
            records.verdict(tx, row, asked)
        return row

    def _thread(self, row: ActionRow) -> ThreadRow:
        return ThreadRow(id=row.thread, tenant=row.tenant, agent=row.agent, requester=row.requester, created_at=self.clock())

    async def review_of(self, action_id: str) -> ReviewRow | None:
        """Return the review of an action."""
        async with self.store.read() as tx:
            return await reviews.of_action(tx, action_id)

    async def outcome(self, action_id: str) -> Outcome:
        """Return where the review of an action stands; a decision inside its undo window does not count yet."""
        async with self.store.read() as tx:
            review, row = await reviews.of_action(tx, action_id), await reviews.action(tx, action_id)
            if review is None or row is None:
                raise Unauthorised
            if review.status not in ("approved", "rejected", "answered"):
                return Outcome(_status(review.status), reason=review.close_reason)
            decision = await reviews.last_decision(tx, review.id)
            effective = decision.effective_at if decision is not None else None
            if review.status == "approved":
                # where too few stand behind it any more, the claim finds out and says so
                effective = (await standing(tx, review, row, self.clock())).effective_at(review.quorum) or effective
            if decision is None or effective is None or effective > self.clock():
                return Outcome("pending")
            return Outcome(_status(review.status), decision.type, decision.actor, decision.reason, decision.message)

    async def claim(self, action_id: str, owner: str, tool_digest: str, *, idempotent: bool, nonce: str = "") -> Claim:
        """Claim the one execution of an action, if a verdict or people's approvals cover exactly what would run.

        Asked again with the same `nonce`, it gives the same claim, so that one whose commit was not heard of is not lost. An
        abandoned claim becomes `unknown`, unless the tool is idempotent. Raises Unauthorised if nothing covers the action, whose
        review is closed then, and ThreadBusy if `owner` lost the thread's lease.
        """
        async with self.store.begin() as tx:
            found = await claiming.claim(tx, self.clock(), action_id, owner, tool_digest, idempotent=idempotent, nonce=nonce)
        if isinstance(found, Refused):
            raise Unauthorised(f"The tool was not called: {found.reason}")
        return found

    async def again(self, action_id: str, fence: str) -> bool:
        """Grant one more call of an idempotent tool under a claim that still stands, and count it; else False."""
        async with self.store.begin() as tx:
            known = await executions.get(tx, action_id)
            thread = await threads.lock(tx, known.thread) if known is not None else None
            if known is None or thread is None or thread.status == "cancelled" or thread.lease_owner != owner_of(fence):
                return False
            if not await executions.retry(tx, action_id, fence):
                return False
            records.execution(tx, known, "retried", self.clock(), "worker")
            return True

    async def finish(self, action_id: str, fence: str, status: str, result: str) -> Recorded:
        """Record what came of a claim; if it ended otherwise, what is on record stands. Raises ThreadBusy if it was taken over."""
        async with self.store.begin() as tx:
            known = await executions.get(tx, action_id)
            if known is not None and await executions.finish(tx, action_id, fence, status, result, self.clock()):
                records.execution(tx, known, status, self.clock(), "worker", result)
                return Recorded(status, result)
            known = await executions.get(tx, action_id)
        if known is not None and known.status == "claimed":
            raise ThreadBusy
        return Recorded(known.status, known.result or "") if known else Recorded("unknown", "")

    async def decision(self, action_id: str) -> DecisionRow | None:
        """Return the newest decision on an action."""
        async with self.store.read() as tx:
            review = await reviews.of_action(tx, action_id)
            return await reviews.last_decision(tx, review.id) if review is not None else None

    async def execution(self, action_id: str) -> Recorded | None:
        """Return what is known of an action's execution."""
        async with self.store.read() as tx:
            known = await executions.get(tx, action_id)
            return Recorded(known.status, known.note or known.result or "") if known else None


def _status(status: str) -> OutcomeStatus:
    found: OutcomeStatus = status  # type: ignore[assignment]  # rows hold these words only
    return found
