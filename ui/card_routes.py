"""The HTTP routes of one card: hold it, put it off, pass it on; they add nothing to what the desk allows."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from .cards import Cards, Escalation, Extension, Snooze, Taking
from .sessions import actor_of


def cards_router(cards: Cards) -> APIRouter:
    """Return the routes under `/api/reviews/{id}` besides deciding, and who can be called in."""
    router = APIRouter(prefix="/api")

    @router.post("/reviews/{review_id}/take")
    async def take(request: Request, review_id: str, body: Taking) -> Any:
        return await cards.take(actor_of(request), review_id, body)

    @router.post("/reviews/{review_id}/release")
    async def release(request: Request, review_id: str) -> Any:
        return await cards.release(actor_of(request), review_id)

    @router.post("/reviews/{review_id}/snooze")
    async def snooze(request: Request, review_id: str, body: Snooze) -> Any:
        return await cards.snooze(actor_of(request), review_id, body)

    @router.post("/reviews/{review_id}/unsnooze")
    async def unsnooze(request: Request, review_id: str) -> Any:
        return await cards.unsnooze(actor_of(request), review_id)

    @router.post("/reviews/{review_id}/escalate")
    async def escalate(request: Request, review_id: str, body: Escalation) -> Any:
        return await cards.escalate(actor_of(request), review_id, body)

    @router.post("/reviews/{review_id}/extend")
    async def extend(request: Request, review_id: str, body: Extension) -> Any:
        return await cards.extend(actor_of(request), review_id, body)

    @router.get("/people")
    async def people(request: Request) -> Any:
        return {"people": await cards.people(actor_of(request))}

    return router
