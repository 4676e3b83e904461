"""Taking a decision back while nothing of it has been started: a second row, never a rewrite, and the review asks again."""

from __future__ import annotations

from datetime import datetime

from ..access.people import require
from ..audit import records
from ..clock import Clock, fresh_id
from ..errors import NotAllowed, TooLate
from ..store import examples, executions, reviews, threads, wakes
from ..store.models import DecisionRow, ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from .deciding import locked
from .editing import ask_proposed
from .standing import APPROVALS, last_words

OVERRULING = ("lead", "admin")


async def withdraw(store: Store, clock: Clock, review_id: str, actor: str) -> None:
    """Take back one's own standing decision, or as a lead the latest one of anybody; the review is pending again.

    With a quorum this takes back an approval that waits for others, too. Raises TooLate, NotAllowed, UnknownReview.
    """
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        review, action = await locked(tx, user, review_id)
        if action.requester == user.name:
            raise NotAllowed("This action was asked for on your own behalf; somebody else has to take the decision back.")
        now = clock()
        said = last_words(await reviews.decisions(tx, review.id))
        mine = _taken_back(review, list(said.values()), user)
        await _in_time(tx, review, mine, now)
        settled = await reviews.last_decision(tx, review.id)
        withdrawal = _withdrawal(mine, user, now)
        await reviews.add_decision(tx, withdrawal)
        records.decision(tx, withdrawal, None)
        asked = mine.type == "edit" and review.args is not None and mine.digest == review.digest
        if review.status != "pending" or asked:
            await reviews.turn(tx, review, review.status, "pending", None)
        if asked:
            await ask_proposed(tx, review, action, actor, now)
        for one in {mine.id, settled.id if settled is not None else mine.id}:
            await _untaught(tx, one, review.thread, actor, now)


def _taken_back(review: ReviewRow, said: list[DecisionRow], user: UserRow) -> DecisionRow:
    """Return the decision that this person takes back."""
    standing = sorted(said, key=lambda row: row.sequence or 0)
    if review.status in ("rejected", "answered"):
        standing = [row for row in standing if row.type not in APPROVALS][-1:]
    else:  # what was said of an action that is not asked about any more settles nothing
        standing = [row for row in standing if row.type in APPROVALS and row.digest == review.digest]
    if not standing or review.status not in ("pending", "approved", "rejected", "answered"):
        raise TooLate("There is no decision to take back: the review is pending or closed.")
    own = [row for row in standing if row.actor == user.name]
    if not own and user.role not in OVERRULING:
        raise NotAllowed("Only the person who decided, or a lead, can take a decision back.")
    return (own or standing)[-1]


async def _in_time(tx: AsyncSession, review: ReviewRow, decision: DecisionRow, now: datetime) -> None:
    """Raise TooLate when the decision has been acted on."""
    if review.kind != "action":
        raise TooLate("This was a control card: nothing runs by it, and its answer stands.")
    if await executions.get(tx, review.action) is not None:
        raise TooLate
    thread = await threads.get(tx, review.thread)
    if thread is not None and thread.status == "cancelled":
        raise TooLate("The case was cancelled; nothing of it runs, and there is nothing to decide again.")
    if decision.type not in APPROVALS and decision.effective_at <= now:
        raise TooLate("The decision can no longer be taken back: the agent has been told.")


async def _untaught(tx: AsyncSession, decision: str, thread: str, actor: str, now: datetime) -> None:
    """Take out what the decision taught, and let it wake nobody."""
    example = await examples.of_decision(tx, decision)
    if example is not None:
        await examples.retire(tx, example, actor, "decision withdrawn", now)
    await wakes.drop(tx, thread, decision, now)


def _withdrawal(last: DecisionRow, user: UserRow, now: datetime) -> DecisionRow:
    return DecisionRow(
        id=fresh_id("dec"),
        tenant=last.tenant,
        review=last.review,
        action=last.action,
        version=last.version,
        type="withdrawn",
        actor=user.name,
        role=user.role,
        shown_digest=last.shown_digest,
        digest=last.digest,
        withdraws=last.id,
        effective_at=now,
        created_at=now,
    )
