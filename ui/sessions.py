"""Signing in and out: one-time link or password, one cookie of ours; refuses to say which half of a sign-in was wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import Headers

from ..graph.errors import AssentError, Locked
from .cookies import give, session_token, take
from .errors import NotSignedIn
from .guard import plain_refusal
from .headers import SIGN_IN_POLICY
from .passage import address_of, passage_of
from .paths import base_of, local_path
from .settings import UiSettings
from .sign_in_page import STYLE, again_page, link_page, password_page, refused_page, reset_page

if TYPE_CHECKING:
    from starlette.types import Scope

    from ..graph.desk import Desk

_PLACES = re.compile(r"/(inbox|watch|history|insights|control|playground)?(\?review=[A-Za-z0-9_-]{1,80})?", re.ASCII)
_OLD_LINK = "This link was used already or is too old. Ask for a new one."


def user_of(request: Request) -> Any:
    """Return the request's user; raises NotSignedIn, also where the guard was left out."""
    user = passage_of(request.scope).user
    if user is None or not user.name:
        raise NotSignedIn
    return user


def actor_of(request: Request) -> str:
    """Return the name of the request's user."""
    return str(user_of(request).name)


async def gradio_user(request: Request) -> str | None:
    """Tell Gradio who the session's user is; None closes the door, also for API tokens."""
    passage = passage_of(request.scope)
    return passage.user.name if passage.user is not None and not passage.is_token else None


def sign_in_refusal(scope: Scope, status: int, message: str) -> Response:
    """Answer a browser without a session with the sign-in page, still as a 401; everybody else with one line."""
    headers = Headers(scope=scope)
    wants_page = "text/html" in headers.get("accept", "") and scope["method"] == "GET"
    if status not in (401, 403) or not wants_page or "authorization" in headers:
        return plain_refusal(scope, status, message)
    if status == 403:
        return _page(refused_page(base_of(scope), message), 403)
    if headers.get("sec-fetch-site") == "cross-site":
        return _page(again_page(base_of(scope)), 401)
    query = scope["query_string"].decode("latin-1")
    return _page(password_page(base_of(scope), then=_place(local_path(scope) + (f"?{query}" if query else ""))), 401)


def sign_in_router(desk: Desk, settings: UiSettings) -> APIRouter:
    """Return the only routes that are open to everybody, and the way out."""
    router = APIRouter()
    doors = _Doors(desk, settings)
    router.get("/sign-in.css")(doors.style)
    router.get("/sign-in")(doors.page)
    router.post("/sign-in")(doors.with_password)
    router.post("/sign-in/link")(doors.with_link)
    router.get("/sign-in/reset")(doors.reset_page)
    router.post("/sign-in/reset")(doors.reset)
    router.post("/sign-out")(doors.sign_out)
    return router


@dataclass(frozen=True, slots=True)
class _Doors:
    """The handlers of signing in and out."""

    desk: Desk
    settings: UiSettings

    async def style(self) -> Response:
        return PlainTextResponse(STYLE, media_type="text/css")

    async def page(self, request: Request, token: Annotated[str, Query(max_length=400)] = "") -> Response:
        base = base_of(request.scope)
        return _page(link_page(base, token) if token else password_page(base))

    async def with_password(
        self,
        request: Request,
        name: Annotated[str, Form(max_length=200)],
        password: Annotated[str, Form(max_length=400)],
        then: Annotated[str, Form(max_length=200)] = "/",
    ) -> Response:
        try:
            token = await self.desk.users.sign_in(name, password, address_of(request.scope))
        except Locked as error:
            return self._locked(request, error)
        if token is None:
            return self._refused(request, "That user name and password do not match.")
        return await self._signed_in(request, token, _place(then))

    async def with_link(self, request: Request, token: Annotated[str, Form(max_length=400)]) -> Response:
        try:
            session = await self.desk.users.sign_in_by_link(token, address_of(request.scope))
        except Locked as error:
            return self._locked(request, error)
        if session is None:
            return self._refused(request, _OLD_LINK)
        return await self._signed_in(request, session)

    async def reset_page(self, request: Request, token: Annotated[str, Query(max_length=400)] = "") -> Response:
        return _page(reset_page(base_of(request.scope), token))

    async def reset(
        self,
        request: Request,
        token: Annotated[str, Form(max_length=400)],
        password: Annotated[str, Form(max_length=400)],
        again: Annotated[str, Form(max_length=400)],
    ) -> Response:
        base = base_of(request.scope)
        if password != again:
            return _page(reset_page(base, token, "The two passwords are not the same."), 422)
        try:
            user = await self.desk.users.redeem_reset(token, password, address_of(request.scope))
        except Locked as error:
            return self._locked(request, error)
        except AssentError as error:
            return _page(reset_page(base, token, str(error)), 422)
        if user is None:
            return self._refused(request, _OLD_LINK)
        return _page(password_page(base, note="Your password is set. Sign in with it."))

    async def sign_out(self, request: Request) -> Response:
        await self._end_session(request)
        base = base_of(request.scope)
        response = RedirectResponse(base + "/sign-in", status_code=303)
        take(response, self.settings, base)
        return response

    async def _signed_in(self, request: Request, token: str, place: str = "/") -> Response:
        await self._end_session(request)  # a session never survives a sign-in
        base = base_of(request.scope)
        response = RedirectResponse(base + place, status_code=303)
        give(response, self.settings, base, token)
        return response

    async def _end_session(self, request: Request) -> None:
        if token := session_token(request.headers, self.settings, base_of(request.scope)):
            await self.desk.users.close_session(token)

    def _locked(self, request: Request, error: Locked) -> Response:
        passage_of(request.scope).why = "locked"
        return _page(password_page(base_of(request.scope), str(error)), 429)

    def _refused(self, request: Request, problem: str) -> Response:
        passage_of(request.scope).noted = True  # by the desk, as a failed sign-in
        return _page(password_page(base_of(request.scope), problem), 401)


def _place(wanted: str) -> str:
    """Return a page of the desk, or its first one for anything else: a sign-in leads nowhere but here."""
    return wanted if _PLACES.fullmatch(wanted) else "/"


def _page(html: str, status: int = 200) -> Response:
    headers = {
        "content-security-policy": SIGN_IN_POLICY,
        "referrer-policy": "same-origin",  # under no-referrer a browser sends `Origin: null` with the form
    }
    return HTMLResponse(html, status_code=status, headers=headers)
