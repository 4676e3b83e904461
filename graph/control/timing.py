"""What people do about a review's time: put it aside, call somebody in, give it longer; nothing here decides it."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..access.people import ROLES, require
from ..audit import records
from ..clock import Clock
from ..errors import AlreadyDecided, AssentError, NotAllowed, UnknownReview
from ..looking.readers import is_held_back
from ..store import apart, reviews, threads, users
from ..store.models import ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from . import notices
from .due import expired, in_words, next_at

LONGEST = timedelta(days=30)
"""How long after it was asked a review can wait at most, however often it is extended; a snooze is never longer either."""

ESCALATED = 10.0
"""What escalation adds to the priority: more than any doubt times any cost, so that it comes before all that is not escalated."""


async def snooze(store: Store, clock: Clock, review_id: str, until: datetime, actor: str) -> None:
    """Put a review aside until a moment, which is before it is due."""
    async with store.begin() as tx:
        _, row = await _pending(tx, clock, review_id, actor)
        now, until = clock(), _zoned(until)
        if until <= now:
            raise AssentError("A review is snoozed until a moment that is still ahead.")
        if row.due_at is not None and until >= row.due_at:
            raise AssentError(f"It is due at {in_words(row.due_at)}; snooze it until earlier, or extend it first.")
        if until > now + LONGEST:
            raise AssentError(f"A review is snoozed for {LONGEST.days} days at most.")
        row.snoozed_until, row.snoozed_by = until, actor
        records.review(tx, row, "snoozed", now, actor, f"until {until.isoformat()}")
        _keep(tx, row)


async def unsnooze(store: Store, clock: Clock, review_id: str, actor: str) -> None:
    """Put a snoozed review back into the queue."""
    async with store.begin() as tx:
        _, row = await _pending(tx, clock, review_id, actor)
        wake(tx, row, clock(), actor)
        _keep(tx, row)


async def escalate(store: Store, clock: Clock, review_id: str, to: str, actor: str, reason: str) -> None:
    """Call in a role (`role:lead`), which is needed from then on, or a person (`user:ada`); the review comes first in the queue."""
    async with store.begin() as tx:
        user, row = await _pending(tx, clock, review_id, actor)
        await _someone(tx, user, to)
        await raise_to(tx, row, to, clock(), actor, reason)
        _keep(tx, row)


async def extend(store: Store, clock: Clock, review_id: str, until: datetime, actor: str, reason: str) -> None:
    """Give a review longer; its warning moves along, and 30 days after it was asked it is over in any case."""
    async with store.begin() as tx:
        _, row = await _pending(tx, clock, review_id, actor)
        until = _zoned(until)
        if row.due_at is None:
            raise AssentError("This review has no due time; there is nothing to extend.")
        if until <= row.due_at:
            raise AssentError(f"It is due at {in_words(row.due_at)} already; extend it to a later moment.")
        if until > row.created_at + LONGEST:
            raise AssentError(f"A review waits for {LONGEST.days} days at most; decide it, or let the agent ask again.")
        if row.warn_at is not None:
            row.warn_at, row.warned_at = until - (row.due_at - row.warn_at), None
        records.review(tx, row, "extended", clock(), actor, f"from {row.due_at.isoformat()} to {until.isoformat()}: {reason}")
        row.due_at = until
        _keep(tx, row)


def wake(tx: AsyncSession, row: ReviewRow, now: datetime, actor: str) -> None:
    """Put a review back into the queue, if it was snoozed."""
    if row.snoozed_until is not None:
        row.snoozed_until = row.snoozed_by = None
        records.review(tx, row, "unsnoozed", now, actor)


async def raise_to(tx: AsyncSession, row: ReviewRow, to: str, now: datetime, actor: str, reason: str) -> None:
    """Escalate a review that the caller has locked: first in the queue, with the role it is escalated to, and people are told."""
    if row.escalated_at is None:
        row.priority += ESCALATED
    wake(tx, row, now, actor)
    row.escalated_at, row.escalate_to = now, to or "role:lead"
    kind, _, name = row.escalate_to.partition(":")
    if kind == "role" and name in ROLES and ROLES.index(name) > ROLES.index(row.role):
        row.role = name
    records.review(tx, row, "escalated", now, actor, f"to {row.escalate_to}: {reason}")
    await notices.about_review(tx, "escalated", row, now, f"was escalated to {name} and comes first.", to=row.escalate_to, by=actor)


async def _pending(tx: AsyncSession, clock: Clock, review_id: str, actor: str) -> tuple[UserRow, ReviewRow]:
    """Return who acts and the review, locked; raises NotAllowed, UnknownReview, AlreadyDecided."""
    user = await require(tx, actor, "operator")
    found = await reviews.by_id(tx, review_id)
    if found is None or found.tenant != user.tenant or apart.is_apart(found, actor):
        raise UnknownReview
    await threads.lock(tx, found.thread)
    row = await reviews.by_id(tx, review_id, lock=True)
    if row is not None and await is_held_back(tx, row, user):
        raise UnknownReview
    if row is None or row.status != "pending" or expired(row, clock()):
        status = row.status if row is not None and row.status != "pending" else "expired"
        raise AlreadyDecided(review_id, status, None, None, None)
    if await reviews.requester(tx, row) == actor:
        raise NotAllowed("This action was asked for on your own behalf; somebody else has to see to it.")
    lead = user.role in ("lead", "admin")
    if not lead and ROLES.index(user.role) < ROLES.index(row.role):
        raise NotAllowed(f"This review needs the role {row.role}, and you are {user.role}.")
    at_work = row.holder not in (None, actor) and row.held_until is not None and row.held_until > clock()
    if at_work and not lead:
        raise NotAllowed(f"{row.holder} is at work on this card; ask them, or a lead.")
    return user, row


def _keep(tx: AsyncSession, row: ReviewRow) -> None:
    row.next_at = next_at(row)
    tx.add(row)


async def _someone(tx: AsyncSession, user: UserRow, to: str) -> None:
    """Raise AssentError unless `to` names a role that decides, or a person of this tenant who has one."""
    kind, _, name = to.partition(":")
    if kind == "role" and name in ("operator", "lead", "admin"):
        return
    person = await users.get(tx, name) if kind == "user" else None
    if person is None or not person.active or person.tenant != user.tenant or person.role in ("viewer", "service"):
        raise AssentError("Escalate to role:lead, role:admin, or to user:NAME, somebody here who may decide.")


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise AssentError("A moment needs a time zone, as in 2026-05-01T17:00+00:00.")
    return moment
