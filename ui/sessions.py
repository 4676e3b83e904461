"""Signing in and out: one-time link or password, one cookie of ours; refuses to say which half of a sign-in was wrong."""

from __future__ import annotations

import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import Headers

from .errors import NotSignedIn
from .guard import COOKIE, USER, local_path, plain_refusal, session_token
from .headers import SIGN_IN_POLICY
from .settings import UiSettings
from .sign_in_page import STYLE, again_page, link_page, password_page

if TYPE_CHECKING:
    from starlette.types import Scope

    from ..graph.desk import Desk

_WINDOW = 60.0
_REMEMBERED = 10_000
_PER_ADDRESS = 20
_PLACES = re.compile(r"/(inbox|history|playground)?(\?review=[A-Za-z0-9_-]{1,80})?", re.ASCII)


def user_of(request: Request) -> Any:
    """Return the session's user; raises NotSignedIn, also where the guard was left out."""
    user = request.scope.get(USER)
    if user is None or not user.name:
        raise NotSignedIn
    return user


def actor_of(request: Request) -> str:
    """Return the name of the session's user."""
    return str(user_of(request).name)


async def gradio_user(request: Request) -> str | None:
    """Tell Gradio who the session's user is; None closes the door."""
    user = request.scope.get(USER)
    return (user.name or None) if user is not None else None


@dataclass(slots=True)
class Attempts:
    """Failed sign-ins of the last minute, in this process."""

    limit: int
    clock: Callable[[], float] = time.monotonic
    _failures: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def exhausted(self, *keys: tuple[str, int]) -> bool:
        """Say whether one of `(key, factor)` has failed `factor` times the limit within a minute."""
        return any(len(self._recent(key)) >= self.limit * factor for key, factor in keys)

    def failed(self, *keys: str) -> None:
        """Remember one failure."""
        for key in keys:
            self._failures.setdefault(key, deque()).append(self.clock())
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] < self.clock() - _WINDOW:
            failures.popleft()
        return failures


def sign_in_refusal(scope: Scope, status: int, message: str) -> Response:
    """Answer a browser without a session with the sign-in page, still as a 401; everybody else with one line."""
    headers = Headers(scope=scope)
    wants_page = "text/html" in headers.get("accept", "") and scope["method"] == "GET"
    if status != 401 or not wants_page:
        return plain_refusal(scope, status, message)
    if headers.get("sec-fetch-site") == "cross-site":
        return _page(again_page(_base(scope)), 401)
    query = scope["query_string"].decode("latin-1")
    return _page(password_page(_base(scope), then=_place(local_path(scope) + (f"?{query}" if query else ""))), 401)


def sign_in_router(desk: Desk, settings: UiSettings) -> APIRouter:
    """Return the only routes that are open to everybody, and the way out."""
    router = APIRouter()
    doors = _Doors(desk, settings, Attempts(settings.attempts_per_minute))
    router.get("/sign-in.css")(doors.style)
    router.get("/sign-in")(doors.page)
    router.post("/sign-in")(doors.with_password)
    router.post("/sign-in/link")(doors.with_link)
    router.post("/sign-out")(doors.sign_out)
    return router


@dataclass(frozen=True, slots=True)
class _Doors:
    """The handlers of signing in and out."""

    desk: Desk
    settings: UiSettings
    attempts: Attempts

    async def style(self) -> Response:
        return PlainTextResponse(STYLE, media_type="text/css")

    async def page(self, request: Request, token: Annotated[str, Query(max_length=400)] = "") -> Response:
        base = _base(request.scope)
        return _page(link_page(base, token) if token else password_page(base))

    async def with_password(
        self,
        request: Request,
        name: Annotated[str, Form(max_length=200)],
        password: Annotated[str, Form(max_length=400)],
        then: Annotated[str, Form(max_length=200)] = "/",
    ) -> Response:
        keys = (f"name {name}", _address(request))
        if self.attempts.exhausted((keys[0], 1), (keys[1], _PER_ADDRESS)):
            return self._refused(request, "Too many attempts. Wait a minute.", 429)
        user = await self.desk.users.verify(name, password)
        if user is None:
            self.attempts.failed(*keys)
            return self._refused(request, "That user name and password do not match.")
        return await self._signed_in(request, user.name, _place(then))

    async def with_link(self, request: Request, token: Annotated[str, Form(max_length=400)]) -> Response:
        if self.attempts.exhausted((_address(request), _PER_ADDRESS)):
            return self._refused(request, "Too many attempts. Wait a minute.", 429)
        user = await self.desk.users.redeem_sign_in(token)
        if user is None:
            self.attempts.failed(_address(request))
            return self._refused(request, "This link was used already or is too old. Ask for a new one.")
        return await self._signed_in(request, user.name)

    async def sign_out(self, request: Request) -> Response:
        await self._end_session(request)
        base = _base(request.scope)
        response = RedirectResponse(base + "/sign-in", status_code=303)
        response.delete_cookie(COOKIE, path=base or "/")
        return response

    async def _signed_in(self, request: Request, name: str, place: str = "/") -> Response:
        await self._end_session(request)  # a session never survives a sign-in
        base = _base(request.scope)
        response = RedirectResponse(base + place, status_code=303)
        token = await self.desk.users.open_session(name)
        secure = self.settings.secure_cookies
        response.set_cookie(COOKIE, token, path=base or "/", httponly=True, samesite="strict", secure=secure)
        return response

    async def _end_session(self, request: Request) -> None:
        if token := session_token(request.headers):
            await self.desk.users.close_session(token)

    def _refused(self, request: Request, problem: str, status: int = 401) -> Response:
        return _page(password_page(_base(request.scope), problem), status)


def _address(request: Request) -> str:
    return f"address {request.client.host if request.client else '?'}"


def _place(wanted: str) -> str:
    """Return a page of the desk, or its first one for anything else: a sign-in leads nowhere but here."""
    return wanted if _PLACES.fullmatch(wanted) else "/"


def _base(scope: Scope) -> str:
    return str(scope.get("root_path", "")).rstrip("/")


def _page(html: str, status: int = 200) -> Response:
    headers = {
        "content-security-policy": SIGN_IN_POLICY,
        "referrer-policy": "same-origin",  # under no-referrer a browser sends `Origin: null` with the form
    }
    return HTMLResponse(html, status_code=status, headers=headers)
