"""Whose work a review is: what one person can decide now, as a condition on the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlmodel import col

from .models import ActionRow, DecisionRow, ReviewRow


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Whose work queue is asked for: only what this person can decide now."""

    name: str
    roles: Sequence[str]
    """The roles of reviews that this person may decide."""
    now: datetime


def workable(reviewer: Reviewer) -> sa.ColumnElement[bool]:
    """Hold for what nobody else works on, and what this person may decide and does not stand behind already."""
    back = orm.aliased(DecisionRow)
    taken_back = sa.select(col(back.id)).where(col(back.review) == col(ReviewRow.id), col(back.withdraws) == col(DecisionRow.id))
    stands = sa.select(col(DecisionRow.id)).where(
        col(DecisionRow.review) == col(ReviewRow.id),
        col(DecisionRow.actor) == reviewer.name,
        col(DecisionRow.digest) == col(ReviewRow.digest),
        col(DecisionRow.type) != "withdrawn",
        ~taken_back.correlate(ReviewRow, DecisionRow).exists(),
    )
    return sa.and_(
        sa.or_(col(ReviewRow.holder).is_(None), col(ReviewRow.held_until) <= reviewer.now, col(ReviewRow.holder) == reviewer.name),
        sa.or_(col(ReviewRow.due_at).is_(None), col(ReviewRow.due_at) > reviewer.now),
        col(ReviewRow.role).in_(reviewer.roles),
        col(ActionRow.requester) != reviewer.name,
        sa.or_(sa.and_(col(ReviewRow.quorum) == 1, col(ReviewRow.args).is_(None)), ~stands.correlate(ReviewRow).exists()),
    )
