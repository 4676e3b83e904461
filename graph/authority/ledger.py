"""What the gate writes and believes: verdicts, outcomes, claims and results; the only way to a tool leads through `claim`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..audit import records
from ..autonomy.earned import Earned
from ..clock import Clock
from ..control import holding, stopping
from ..errors import NotAllowed, ThreadBusy, ThreadClosed, Unauthorised
from ..rules.policy_changes import note_change
from ..rules.terms import DEFAULT, Terms
from ..store import executions, reviews, threads
from ..store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow
from ..store.session import AsyncSession, Store
from . import asking, claiming, earning, outcomes, probing, reviewing
from .claiming import Claim, Claimed, InFlight, Recorded, Refused, Withheld, owner_of
from .limits import Limits, fair
from .outcomes import Outcome, OutcomeStatus
from .room import Room

__all__ = ["Assessed", "Claim", "Claimed", "InFlight", "Ledger", "Outcome", "OutcomeStatus", "Recorded", "Withheld"]


@dataclass(frozen=True, slots=True)
class Assessed:
    """What is to be stored of an assessed action."""

    row: ActionRow
    terms: Terms
    probe: str = ""
    """`audit` when its audit was drawn, `shadow` when its class is in shadow; empty otherwise."""
    share: float = 1.0
    void: bool = False
    """Whether the certificate of its class belongs to another key."""


class Ledger:
    """The gate's view of the store."""

    def __init__(self, store: Store, clock: Clock, limits: Limits | None = None) -> None:
        self.store, self.clock, self.room = store, clock, Room(limits or Limits())
        self.signatures = earning.Signatures()

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
            return await self._recorded(tx, row, terms, refusable=refusable)

    async def assessed(self, tenant: str, agent: str, tool: str, ruled: Callable[[Earned | None], Assessed]) -> ActionRow:
        """Store what an assessment came to, under what the action's class may do at that very moment; the first record stands.

        What the class may do is read in the transaction that stores the verdict, so nothing passes after a demotion returned. An
        audit that was drawn is asked for in the same transaction. Raises as `record` does.
        """
        async with self.store.begin() as tx:
            earned = await earning.shared(tx, tenant, agent, tool, self.signatures)
            found = ruled(earned)
            row = await self._recorded(tx, found.row, found.terms, refusable=False)
            if row is found.row and found.probe:
                await probing.ask(tx, row, found.probe, self.clock(), share=found.share)
        if found.void:
            await earning.void(self.store, self.clock, row)
        elif earning.is_unsigned(earned):
            await earning.unsigned(self.store, self.clock, row, self.signatures)
        return row

    async def _recorded(self, tx: AsyncSession, row: ActionRow, terms: Terms, *, refusable: bool) -> ActionRow:
        thread = await threads.ensure(tx, self._thread(row))
        known = await reviews.action(tx, row.id)
        if known is not None:
            return known
        if (thread.tenant, thread.requester) != (row.tenant, row.requester):
            raise NotAllowed("This thread belongs to another requester; start one of your own.")
        if thread.status in ("cancelled", "probe"):
            raise ThreadClosed
        waiting = await self.room.admit(tx, row, refusable=refusable) if row.verdict == "review" else 0
        asked = None
        if row.verdict == "review":
            held = await reviewing.in_force(tx, row.tenant)
            terms = held.terms(row, terms)
            asked = asking.review_of(row, terms, self.clock(), blind=held.blind(row.id))
        tx.add(row)
        await tx.flush()
        if asked is not None:
            asked.requester, asked.priority = row.requester, fair(asked.priority, waiting)
            tx.add(asked)
        await holding.begin(tx, row, terms, self.clock())
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
        """Return where an action stands; one that could begin is `pending` as long as a stop keeps it back."""
        async with self.store.read() as tx:
            action = await reviews.action(tx, action_id)
            found = await outcomes.of_action(tx, action, self.clock())
        if action is not None and found.status == "approved" and (told := await stopping.keeps(self.store, self.clock, action)):
            return Outcome("pending", message=told)
        return found

    async def rests(self, tenant: str, agent: str, thread: str) -> str:
        """Return the words of a stop under which an agent proposes nothing; empty when there is none."""
        return await stopping.rests(self.store, self.clock, tenant, agent, thread)

    async def claim(self, action_id: str, owner: str, tool_digest: str, *, idempotent: bool, nonce: str = "") -> Claim:
        """Claim the one execution of an action, if a verdict or people's approvals cover exactly what would run.

        Asked again with the same `nonce`, it gives the same claim, so that one whose commit was not heard of is not lost. An
        abandoned claim becomes `unknown`, unless the tool is idempotent. Raises Unauthorised if nothing covers the action, whose
        review is closed then, and ThreadBusy if `owner` lost the thread's lease.
        """
        async with self.store.begin() as tx:
            found = await claiming.claim(tx, self.clock, action_id, owner, tool_digest, idempotent=idempotent, nonce=nonce)
        if isinstance(found, Refused):
            raise Unauthorised(f"The tool was not called: {found.reason}")
        return found

    async def again(self, action_id: str, fence: str) -> bool:
        """Grant one more call of an idempotent tool under a claim that still stands, and count it; else False."""
        async with self.store.begin() as tx:
            action = await reviews.action(tx, action_id)
            if action is None or await stopping.forbids(tx, action):
                return False
            known = await executions.get(tx, action_id)
            thread = await threads.lock(tx, known.thread) if known is not None else None
            if known is None or thread is None or thread.status == "cancelled" or thread.lease_owner != owner_of(fence):
                return False
            if not await executions.retry(tx, action_id, fence):
                return False
            records.execution(tx, known, "retried", self.clock(), "worker")
            return True

    async def finish(self, action_id: str, fence: str, status: str, result: str, *, has_undo: bool = False) -> Recorded:
        """Record what came of a claim; if it ended otherwise, what is on record stands. Raises ThreadBusy if it was taken over.

        What succeeded without a person can be undone for as long as its terms say, if its tool declares an undo.
        """
        async with self.store.begin() as tx:
            known = await executions.get(tx, action_id)
            if known is not None and await executions.finish(tx, action_id, fence, status, result, self.clock()):
                records.execution(tx, known, status, self.clock(), "worker", result)
                await holding.ended(tx, known, status, self.clock(), has_undo=has_undo)
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
