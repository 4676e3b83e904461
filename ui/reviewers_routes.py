"""The HTTP routes of reviewer health and its settings; they add nothing to what the desk and evals allow."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from .reviewers import Reviewers
from .sessions import actor_of


class Chosen(BaseModel):
    """Settings by their names."""

    model_config = ConfigDict(extra="forbid", strict=True)
    values: dict[str, int | float]


def reviewers_router(reviewers: Reviewers) -> APIRouter:
    """Return the routes that show how reviewers do, and change how they are measured."""
    router = APIRouter(prefix="/api")

    @router.get("/reviewers")
    async def overview(request: Request) -> Any:
        return await reviewers.overview(actor_of(request))

    @router.post("/reviewers/settings")
    async def change(request: Request, body: Chosen) -> Any:
        return await reviewers.change(actor_of(request), dict(body.values))

    return router
