"""Why somebody cannot decide a review now: asked by the door that decides, and told on the card before anybody tries."""

from __future__ import annotations

from datetime import datetime

from ..control.due import expired
from ..errors import AlreadyApproved, AssentError, Expired, HeldByAnother, NotAllowed
from ..rules.terms import DECIDERS, rank
from ..store.models import ActionRow, ReviewRow
from ..store.people_models import UserRow
from .standing import Standing


def obstacle(review: ReviewRow, action: ActionRow, user: UserRow, now: datetime) -> AssentError | None:
    """Return why this person can give no decision at all on a pending review; None if they can."""
    if action.requester == user.name:
        return NotAllowed("This action was asked for on your own behalf; somebody else has to decide it.")
    if review.role not in DECIDERS or rank(user.role) < rank(review.role):
        return NotAllowed(f"This review needs the role {review.role}, and you are {user.role}.")
    if review.due_at is not None and expired(review, now):
        return Expired(review.id, review.due_at)
    if is_held(review, now) and review.holder != user.name:
        return HeldByAnother(review.holder or "", review.held_until or now)
    return None


def approved_already(review: ReviewRow, user: UserRow, standing: Standing) -> AssentError | None:
    """Return why this person cannot approve what they stand behind already; None if they do not."""
    return AlreadyApproved(len(standing.approvals), review.quorum) if standing.has(user.name) else None


def is_held(review: ReviewRow, now: datetime) -> bool:
    """Tell whether somebody works on the card now."""
    return review.holder is not None and review.held_until is not None and review.held_until > now
