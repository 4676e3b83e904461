"""Who reads: from whom it is held back what became of an action that is asked about once more, blind, just now."""

from __future__ import annotations

from ..rules.terms import rank
from ..store import asked_again
from ..store.models import ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession


def reader(user: UserRow) -> str:
    """Return the name of somebody who could be handed such a probe, or told of it; empty for a lead and an admin, who see all."""
    return "" if rank(user.role) >= rank("lead") else user.name


async def is_held_back(tx: AsyncSession, review: ReviewRow, user: UserRow) -> bool:
    """Tell whether what became of a review is kept from somebody now, by any refusal too; one that waits tells nothing."""
    return review.status != "pending" and bool(await asked_again.among(tx, [review.action], reader(user)))
