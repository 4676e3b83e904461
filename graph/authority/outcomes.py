"""Where an action stands as the agent is told it; it is read from rows every time and has no authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..control import notices
from ..errors import Unauthorised
from ..store import holds, reviews
from ..store.models import ActionRow
from ..store.session import AsyncSession
from .asking import needed
from .standing import standing

OutcomeStatus = Literal["pending", "approved", "rejected", "answered", "expired", "superseded", "cancelled", "vetoed"]
"""`approved` says that nothing has to be waited for any more; whether it may run is decided by the claim alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a review, or a held action, stands."""

    status: OutcomeStatus
    type: str = ""
    actor: str = ""
    reason: str = ""
    message: str = ""


async def of_action(tx: AsyncSession, action: ActionRow | None, now: datetime) -> Outcome:
    """Return where an action stands; a decision inside its undo window does not count yet. Raises Unauthorised without a record."""
    review = await reviews.of_action(tx, action.id) if action is not None else None
    if action is not None and review is None and action.verdict == "allow":
        return await _of_hold(tx, action, now)
    if review is None:
        raise Unauthorised
    if action is None or review.status not in ("approved", "rejected", "answered"):
        return Outcome(_status(review.status), reason=review.close_reason)
    decision = await reviews.last_decision(tx, review.id)
    effective = decision.effective_at if decision is not None else None
    if review.status == "approved":
        # where too few stand behind it any more, the claim finds out and says so
        effective = (await standing(tx, review, action, now)).effective_at(needed(review, action)) or effective
    if decision is None or effective is None or effective > now:
        return Outcome("pending")
    return Outcome(_status(review.status), decision.type, decision.actor, decision.reason, decision.message)


async def _of_hold(tx: AsyncSession, action: ActionRow, now: datetime) -> Outcome:
    hold = await holds.get(tx, action.id)
    if hold is None:
        return Outcome("approved")
    if hold.vetoed_by is not None:
        return Outcome("vetoed", actor=hold.vetoed_by, reason=hold.reason)
    if hold.until > now:
        return Outcome("pending", message=f"It is held until {notices.told(hold.until)}; until then a person may veto it.")
    return Outcome("approved")


def _status(status: str) -> OutcomeStatus:
    found: OutcomeStatus = status  # type: ignore[assignment]  # rows hold these words only
    return found
