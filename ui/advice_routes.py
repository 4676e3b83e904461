"""The HTTP routes of advice; trying costs out changes nothing, keeping them is for a lead."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ..evals.advising.advice_files import CostsGiven
from .advice import Advising
from .sessions import actor_of


def advice_router(advising: Advising) -> APIRouter:
    """Return the routes that advise an oversight mode for each type of actions."""
    router = APIRouter(prefix="/api")

    @router.get("/advice")
    async def advice(request: Request, costs: Annotated[str | None, Query(max_length=4_000)] = None) -> Any:
        given = CostsGiven.model_validate_json(costs) if costs is not None else None
        return await advising.advice(actor_of(request), given)

    @router.post("/advice/costs")
    async def keep(request: Request, body: CostsGiven) -> Any:
        return await advising.keep(actor_of(request), body)

    return router
