"""What every door of the web surface calls: one typed service over the desk; refuses to know who may do what (the desk does)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from ..graph.authority.decisions import parse_decision
from ..graph.errors import StaleDigest
from .edits import edited
from .errors import ActionChanged
from .settings import UiSettings
from .wire import as_json, card_json

if TYPE_CHECKING:
    from ..graph.desk import Desk

PREFETCH = 6
_DUE_SOON = timedelta(minutes=10)
_SCANNED = 50


class DecisionRequest(BaseModel):
    """A click: what was shown (digest), what is wanted, and a key that makes sending it twice harmless."""

    model_config = ConfigDict(extra="forbid")
    digest: str = Field(max_length=64)
    decision: dict[str, Any]
    seen_ms: int | None = Field(default=None, ge=0, le=86_400_000)
    key: str | None = Field(default=None, min_length=8, max_length=100)
    holding: list[str] = Field(default_factory=list, max_length=200)
    """Ids of reviews the client already shows or has just decided; they are not sent again."""


@dataclass(frozen=True, slots=True)
class DeskService:
    """The desk as the web surface sees it; `actor` is always the session's user name, never something a client sent."""

    desk: Desk
    settings: UiSettings

    async def opening(self, actor: str, holding: Sequence[str] = ()) -> dict[str, Any]:
        """Return the next cards to show and the stats line; reviews are counted up to 1000."""
        items = await self._next(actor, holding)
        stats = {"waiting": await self.desk.count_pending(actor), "due": await self._due_soon(actor, items)}
        return {"items": items, "stats": stats}

    async def decide(self, actor: str, review_id: str, request: DecisionRequest) -> dict[str, Any]:
        """Record one decision and return the next cards; raises the desk's errors and pydantic.ValidationError."""
        answer = parse_decision(await self._decision(actor, review_id, request))
        window = self.settings.undo_window
        try:
            decided = await self.desk.decide(review_id, answer, actor, undo_window=window, key=request.key)
        except StaleDigest:
            raise ActionChanged(review_id, await self.card(actor, review_id)) from None
        return {
            "ok": True,
            "decided": as_json(decided),
            "undo_seconds": 0.0 if decided.probe else window,
            "items": await self._next(actor, [*request.holding, review_id]),
            "stats": {"waiting": await self.desk.count_pending(actor)},
        }

    async def withdraw(self, actor: str, review_id: str) -> dict[str, Any]:
        """Take a decision back and return the card, pending again."""
        await self.desk.withdraw(review_id, actor)
        return {"ok": True, "card": await self.card(actor, review_id)}

    async def card(self, actor: str, review_id: str) -> dict[str, Any]:
        """Return one review as its card."""
        return card_json(await self.desk.card(review_id, actor))

    async def reviews(self, actor: str, search: str, limit: int) -> list[dict[str, Any]]:
        """Return pending reviews in the order they should be decided."""
        return [card_json(card) for card in await self.desk.pending(actor, limit=limit, search=search)]

    async def _decision(self, actor: str, review_id: str, request: DecisionRequest) -> dict[str, Any]:
        decision = {**request.decision, "digest": request.digest, "seen_ms": request.seen_ms}
        if decision.get("type") != "edit" or "args" in decision:
            return decision
        card = await self.desk.card(review_id, actor)
        current = as_json(card)
        if current["digest"] != request.digest:
            raise ActionChanged(review_id, card_json(card))
        decision["args"] = edited(current["args"], decision.pop("changes", None), decision.pop("removed", None))
        return decision

    async def _next(self, actor: str, holding: Sequence[str]) -> list[dict[str, Any]]:
        """Return what is the actor's to decide; where nothing is, what waits for others, so that they see why."""
        cards = await self.desk.pending(actor, limit=PREFETCH, exclude=tuple(holding), mine=True)
        cards = cards or await self.desk.pending(actor, limit=PREFETCH, exclude=tuple(holding))
        return [card_json(card) for card in cards]

    async def _due_soon(self, actor: str, items: Sequence[dict[str, Any]]) -> int:
        """Count the dues of the next ten minutes among the first fifty; the most urgent come first, so none means none."""
        if not any(item.get("due") for item in items):
            return 0
        horizon = datetime.now(UTC) + _DUE_SOON
        dues = [as_json(card).get("due") for card in await self.desk.pending(actor, limit=_SCANNED)]
        return sum(1 for due in dues if due and datetime.fromisoformat(due) <= horizon)
