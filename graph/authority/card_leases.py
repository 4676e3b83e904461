"""Leases on cards: whoever works on one holds it for two minutes, so that no two people take the same; they decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..access.people import require
from ..audit import records
from ..clock import Clock
from ..errors import AlreadyDecided, HeldByAnother, NotAllowed, UnknownReview
from ..looking.readers import is_held_back
from ..store import apart, reviews
from ..store.models import ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from .obstacles import is_held

LEASE = timedelta(minutes=2)

OVERRULING = ("lead", "admin")


@dataclass(frozen=True, slots=True)
class CardLease:
    """Who works on a card, and until when."""

    holder: str
    until: datetime


async def take(store: Store, clock: Clock, review_id: str, actor: str, *, over: bool) -> CardLease:
    """Take a card, or keep it for longer; see `Desk.take`."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        review = await _of_tenant(tx, review_id, user)
        if await reviews.requester(tx, review) == actor:
            raise NotAllowed("This action was asked for on your own behalf; somebody else has to decide it.")
        now = clock()
        displaced = review.holder if is_held(review, now) and review.holder != actor else None
        if over and user.role not in OVERRULING:
            raise NotAllowed("Only a lead can take a card over from somebody else.")
        if not await reviews.hold(tx, review, actor, now + LEASE, now, over=over):
            current = await reviews.by_id(tx, review_id, lock=True) or review
            if current.status != "pending":
                raise AlreadyDecided(review_id, current.status, None, None, None)
            raise HeldByAnother(current.holder or "", current.held_until or now)
        if displaced is not None:
            records.review(tx, review, "taken_over", now, actor, f"from {displaced}")
        return CardLease(actor, now + LEASE)


async def release(store: Store, review_id: str, actor: str) -> None:
    """Give a card back, if it is still this person's."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        await _of_tenant(tx, review_id, user)
        await reviews.let_go(tx, review_id, actor)


async def _of_tenant(tx: AsyncSession, review_id: str, user: UserRow) -> ReviewRow:
    review = await reviews.by_id(tx, review_id)
    if review is None or review.tenant != user.tenant or apart.is_apart(review, user.name):
        raise UnknownReview
    if await is_held_back(tx, review, user):
        raise UnknownReview
    return review
