"""What people may do to their own account: change its password; refuses API tokens, and everybody who does not know the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ..graph.errors import NotAllowed
from .cookies import give
from .passage import address_of, passage_of
from .paths import base_of
from .sessions import actor_of
from .settings import UiSettings

if TYPE_CHECKING:
    from ..graph.desk import Desk


class NewPassword(BaseModel):
    """The password of today and the one of tomorrow."""

    model_config = ConfigDict(extra="forbid")
    old: str = Field(max_length=400)
    new: str = Field(max_length=400)


def account_router(desk: Desk, settings: UiSettings) -> APIRouter:
    """Return the routes of one's own account."""
    router = APIRouter(prefix="/api/me")

    @router.post("/password")
    async def password(request: Request, response: Response, body: NewPassword) -> Any:
        name = actor_of(request)
        if not await desk.users.change_password(name, body.old, body.new, address_of(request.scope)):
            passage_of(request.scope).noted = True  # by the desk, as a failed sign-in
            raise NotAllowed("The old password does not fit; nothing was changed.")
        give(response, settings, base_of(request.scope), await desk.users.open_session(name))
        return {"ok": True}

    return router
