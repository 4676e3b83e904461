"""From rows to cards, for one person at one moment: who stands behind it, who works on it, why this person cannot decide it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..authority.obstacles import approved_already, obstacle
from ..authority.standing import judged, last_words
from ..errors import EnoughToday
from ..store import asked_again, examples, reviews, users
from ..store.models import ActionRow, DecisionRow, ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession
from .readers import reader
from .views import ReviewCard, Seen, card


async def cards_of(
    tx: AsyncSession,
    found: Sequence[tuple[ReviewRow, ActionRow]],
    user: UserRow,
    now: datetime,
    full: EnoughToday | None = None,
) -> list[ReviewCard]:
    """Return cards as `user` sees them; decisions are read for those only that can have any which count.

    `full` is why this person decides nothing more today.
    """
    asked = [review.id for review, _ in found if review.quorum > 1 or review.args is not None or review.status != "pending"]
    said: dict[str, list[DecisionRow]] = {}
    for row in await reviews.decisions_of(tx, asked):
        said.setdefault(row.review, []).append(row)
    people = await users.several(tx, {row.actor for rows in said.values() for row in rows})
    return [await _card(tx, review, action, said.get(review.id, []), people, user, now, full) for review, action in found]


async def _card(
    tx: AsyncSession,
    review: ReviewRow,
    action: ActionRow,
    rows: list[DecisionRow],
    people: dict[str, UserRow],
    user: UserRow,
    now: datetime,
    full: EnoughToday | None,
) -> ReviewCard:
    words = last_words(rows)
    found = judged(review, action, words.values(), people, now)
    in_the_way = obstacle(review, action, user, now) or approved_already(review, user, found) or full
    blocked = str(in_the_way or "") if review.status == "pending" else f"This review is no longer pending: it is {review.status}."
    authors = [row.actor for row in rows if row.type == "edit" and row.digest == review.digest]
    edited_by = authors[-1] if authors and review.args is not None else None
    people_said, held_back = await _taught(tx, action, reader(user))
    return card(review, action, Seen(people_said, found.approvals, edited_by, blocked, now, held_back))


async def _taught(tx: AsyncSession, action: ActionRow, name: str) -> tuple[dict[str, tuple[str, str]], frozenset[str]]:
    """Return what became of the past decisions that a card shows, by example, and those that are held back from this reader."""
    rows = [await examples.get(tx, action.tenant, one["example_id"]) for one in action.precedents]
    found = [row for row in rows if row is not None]
    again = await asked_again.among(tx, {row.action for row in found}, name)
    told = {row.id: (row.label if row.retired_at is None else "taken out", row.actor) for row in found if row.action not in again}
    return told, frozenset(row.id for row in found if row.action in again)
