"""The HTTP routes of the page Insights; they add nothing to what the desk and evals allow."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from .insights import Insights, Signing, Stepping
from .sessions import actor_of


def insights_router(insights: Insights) -> APIRouter:
    """Return the routes that show what classes of actions have earned, and change it."""
    router = APIRouter(prefix="/api")

    @router.get("/insights")
    async def overview(request: Request) -> Any:
        return await insights.overview(actor_of(request))

    @router.get("/insights/{agent:path}/{tool}")  # a tool's name has no slash, an agent's may
    async def one(request: Request, agent: str, tool: str) -> Any:
        return await insights.one(actor_of(request), agent, tool)

    @router.post("/autonomy/promote")
    async def promote(request: Request, body: Signing) -> Any:
        return await insights.promote(actor_of(request), body)

    @router.post("/autonomy/demote")
    async def demote(request: Request, body: Stepping) -> Any:
        return await insights.demote(actor_of(request), body)

    return router
