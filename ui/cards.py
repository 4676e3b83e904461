"""What a person does with a card besides deciding it; refuses to know who may do what (the desk does)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..graph.errors import AssentError, NotAllowed, UnknownReview
from .wire import as_json, card_json

if TYPE_CHECKING:
    from ..graph.desk import Desk

STANDING = (
    "status", "version", "quorum", "approvals", "role", "due", "warn", "escalated_to", "holder", "held_until", "snoozed_until",
    "edited_by", "close_reason", "blocked",
)  # fmt: skip
"""What may change about a review while somebody looks at it, besides the action itself."""


class Taking(BaseModel):
    """Which card a person looks at, as it was shown to them."""

    model_config = ConfigDict(extra="forbid")
    version: int = 0
    digest: str = Field(default="", max_length=64)
    over: bool = False
    """Whether a lead takes it from whoever holds it."""


class Snooze(BaseModel):
    """Until when a review is put aside."""

    model_config = ConfigDict(extra="forbid")
    until: AwareDatetime


class Escalation(BaseModel):
    """To whom a review is passed on, and why."""

    model_config = ConfigDict(extra="forbid")
    to: str = Field(pattern=r"^(role|user):.+$", max_length=80)
    reason: str = Field(min_length=1, max_length=400)


class Extension(BaseModel):
    """How long a review may wait now, and why."""

    model_config = ConfigDict(extra="forbid")
    until: AwareDatetime
    reason: str = Field(min_length=1, max_length=400)


@dataclass(frozen=True, slots=True)
class Cards:
    """The doors of one card; `actor` is always the session's user name."""

    desk: Desk

    async def take(self, actor: str, review_id: str, taking: Taking) -> dict[str, Any]:
        """Hold a card and return where it stands; `lease` is null and `problem` says why where it cannot be held.

        `card` is the whole card if the action is no longer the one that was shown. Raises NotAllowed, UnknownReview.
        """
        lease, problem = None, ""
        try:
            lease = as_json(await self.desk.take(review_id, actor, over=taking.over))
        except (NotAllowed, UnknownReview):
            raise
        except AssentError as error:
            problem = str(error)
        card = card_json(await self.desk.card(review_id, actor))
        changed = card["status"] == "pending" and (card["version"], card["digest"]) != (taking.version, taking.digest)
        standing = {name: card[name] for name in STANDING}
        return {"lease": lease, "problem": problem, "standing": standing, "card": card if changed else None}

    async def release(self, actor: str, review_id: str) -> dict[str, Any]:
        """Give a card back."""
        await self.desk.release(review_id, actor)
        return {"ok": True}

    async def snooze(self, actor: str, review_id: str, snooze: Snooze) -> dict[str, Any]:
        """Put a review aside for everybody."""
        await self.desk.snooze(review_id, snooze.until, actor)
        return {"ok": True}

    async def unsnooze(self, actor: str, review_id: str) -> dict[str, Any]:
        """Put a review back into the queue."""
        await self.desk.unsnooze(review_id, actor)
        return await self._card(actor, review_id)

    async def escalate(self, actor: str, review_id: str, escalation: Escalation) -> dict[str, Any]:
        """Call in a role or a person."""
        await self.desk.escalate(review_id, escalation.to, actor, escalation.reason)
        return await self._card(actor, review_id)

    async def extend(self, actor: str, review_id: str, extension: Extension) -> dict[str, Any]:
        """Give a review longer."""
        await self.desk.extend(review_id, extension.until, actor, extension.reason)
        return await self._card(actor, review_id)

    async def people(self, actor: str) -> list[dict[str, str]]:
        """Return who may be called in: the active people of the actor's own tenant who may decide."""
        me = await self.desk.users.get(actor)
        return [
            {"name": one.name, "role": one.role}
            for one in await self.desk.users.list()
            if me is not None and one.tenant == me.tenant and one.active and one.role != "viewer"
        ]

    async def _card(self, actor: str, review_id: str) -> dict[str, Any]:
        return {"ok": True, "card": card_json(await self.desk.card(review_id, actor))}
