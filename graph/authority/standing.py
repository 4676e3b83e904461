"""Who stands behind what: approvals counted from decision rows, one for each person who may give one; nothing else is assent.

A person stands behind the last thing they said about a review, and behind nothing once that was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..actions import action_digest
from ..canonical import NotCanonical
from ..rules.terms import DECIDERS, rank
from ..store import reviews, users
from ..store.models import ActionRow, DecisionRow, ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession

APPROVALS = ("approve", "edit")


@dataclass(frozen=True, slots=True)
class Standing:
    """What people say of the digest that a review asks about, at one moment."""

    approvals: tuple[DecisionRow, ...]
    """One per person who may approve it, usable, oldest first; some may take effect later."""
    expired: bool = False
    """Whether an approval of it was not used in time."""
    revoked: bool = False
    """Whether somebody who approved it may no longer do so."""

    def effective_at(self, quorum: int) -> datetime | None:
        """Return from when on enough people stand behind it; None if too few do."""
        moments = sorted(row.effective_at for row in self.approvals)
        return moments[quorum - 1] if len(moments) >= max(quorum, 1) else None

    def has(self, actor: str) -> bool:
        """Tell whether this person stands behind it."""
        return any(row.actor == actor for row in self.approvals)

    def shortfall(self) -> str:
        """Say why an approval that was once enough is enough no more."""
        if self.expired:
            return "The approval was not used in time."
        if self.revoked:
            return "Whoever approved it may no longer do so."
        return "Too few people stand behind exactly this action."


async def standing(tx: AsyncSession, review: ReviewRow, action: ActionRow, now: datetime) -> Standing:
    """Return who stands behind what a review asks about now."""
    said = last_words(await reviews.decisions(tx, review.id))
    return judged(review, action, said.values(), await users.several(tx, said), now)


def last_words(rows: Iterable[DecisionRow]) -> dict[str, DecisionRow]:
    """Return what each person said last, given all decision rows of a review in order; what was taken back is not said."""
    said: dict[str, DecisionRow] = {}
    for row in rows:
        if row.type == "withdrawn":
            said = {actor: one for actor, one in said.items() if one.id != row.withdraws}
        else:
            said[row.actor] = row
    return said


def judged(
    review: ReviewRow, action: ActionRow, said: Iterable[DecisionRow], people: dict[str, UserRow], now: datetime
) -> Standing:
    """Return which of these approvals count for what a review asks about now."""
    approvals = [row for row in said if row.type in APPROVALS and row.digest == review.digest and binds(action, row)]
    usable = [row for row in approvals if row.valid_until is None or row.valid_until > now]
    counted = [row for row in usable if may_approve(people.get(row.actor), review, action)]
    return Standing(tuple(_in_order(counted)), len(usable) < len(approvals), len(counted) < len(usable))


def _in_order(rows: Sequence[DecisionRow]) -> list[DecisionRow]:
    return sorted(rows, key=lambda row: row.sequence or 0)


def binds(action: ActionRow, decision: DecisionRow) -> bool:
    """Tell whether a decision's digest is that of the arguments it was given for."""
    return digest_of_args(action, action.args if decision.args is None else decision.args) == decision.digest


def digest_of_args(action: ActionRow, args: dict[str, Any]) -> str | None:
    """Return the digest of the action with these arguments; None if they have none."""
    try:
        return action_digest(action.tool, action.tool_digest, args, action.thread, action.id, action.tenant)
    except NotCanonical:
        return None


def may_approve(user: UserRow | None, review: ReviewRow, action: ActionRow) -> bool:
    """Tell whether somebody may decide a review: active, of its tenant, of its role or a higher one, and not the requester."""
    return (
        user is not None
        and user.active
        and user.tenant == review.tenant
        and review.role in DECIDERS
        and rank(user.role) >= rank(review.role)
        and user.name != action.requester
    )
