"""A review is opened under its terms: who has to decide it, and the moments at which something happens if nobody does."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..clock import fresh_id
from ..control.due import next_at
from ..rules.terms import Terms, of_json
from ..store.models import ActionRow, ReviewRow

COST = {"read": 0.1, "reversible": 1.0, "costly": 3.0, "irreversible": 5.0}
"""How much a mistake weighs in the order of the queue."""


def priority(consequence: str, confidence: float | None) -> float:
    """Return how urgent a review is: doubt times the cost of a mistake."""
    return (1.0 - (confidence or 0.0)) * COST.get(consequence, 5.0)


NEUTRAL = 0.5
"""The confidence by which a blind review has its place in the queue: its own would tell what the machine made of it."""


def review_of(row: ActionRow, terms: Terms, now: datetime, *, blind: bool = False) -> ReviewRow:
    """Return the review of an action that a person is to decide; a `blind` one leaves out what the machine made of it."""
    review = ReviewRow(
        id=fresh_id("rev"),
        tenant=row.tenant,
        action=row.id,
        thread=row.thread,
        tool=row.tool,
        digest=row.digest,
        blind=blind,
        priority=priority(row.consequence, NEUTRAL if blind else row.confidence),
        quorum=terms.quorum,
        role=terms.role,
        second_for_edits=terms.second_for_edits,
        created_at=now,
    )
    set_timers(review, terms, now)
    return review


def set_timers(review: ReviewRow, terms: Terms, now: datetime) -> None:
    """Let the times of `terms` run from `now`; what would have happened earlier still does."""
    review.due_at = _earlier(review.due_at, _after(now, terms.due))
    if review.due_at is not None and terms.warn is not None:
        review.warn_at = _earlier(review.warn_at, max(now, review.due_at - timedelta(seconds=terms.warn)))
    escalate_at = _after(now, terms.escalate)
    if escalate_at is not None and (review.escalate_at is None or escalate_at < review.escalate_at):
        review.escalate_at, review.escalate_to = escalate_at, terms.escalate_to
    review.next_at = next_at(review)


def terms_of(row: ActionRow) -> Terms:
    """Return the terms of the ruling on an action as it was proposed."""
    return of_json(row.provenance.get("terms", {}))


def needed(review: ReviewRow, row: ActionRow) -> int:
    """Return how many people have to approve: what the review says, and never fewer than the policy's ruling said."""
    return max(review.quorum, terms_of(row).quorum)


def _after(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    return min((moment for moment in (first, second) if moment is not None), default=None)
