"""The HTTP routes of the feed and of the stop button; they add nothing to what the desk allows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from .control import Control, Reason, Stopping
from .sessions import actor_of


def control_router(control: Control) -> APIRouter:
    """Return the routes that watch, veto, undo, stop and lift."""
    router = APIRouter(prefix="/api")

    @router.get("/feed")
    async def feed(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Any:
        return await control.feed(actor_of(request), limit)

    @router.post("/actions/{action_id}/veto")
    async def veto(request: Request, action_id: str, body: Reason) -> Any:
        return await control.veto(actor_of(request), action_id, body.reason)

    @router.post("/actions/{action_id}/undo")
    async def undo(request: Request, action_id: str, body: Reason) -> Any:
        return await control.undo(actor_of(request), action_id, body.reason)

    @router.get("/stops")
    async def stops(request: Request) -> Any:
        return await control.stops(actor_of(request))

    @router.post("/stops")
    async def stop(request: Request, body: Stopping) -> Any:
        return await control.stop(actor_of(request), body)

    @router.post("/stops/{stop_id}/lift")
    async def lift(request: Request, stop_id: str, body: Reason) -> Any:
        return await control.lift(actor_of(request), stop_id, body.reason)

    return router
