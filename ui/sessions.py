"""Signing in and out: one-time link or password, one cookie of ours; refuses to say which half of a sign-in was wrong."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import Headers

from .errors import NotSignedIn
from .guard import COOKIE, USER, plain_refusal, session_token
from .headers import SIGN_IN_POLICY
from .settings import UiSettings
from .sign_in_page import STYLE, link_page, password_page

if TYPE_CHECKING:
    from starlette.types import Scope

    from ..graph.desk import Desk

_WINDOW = 60.0
_REMEMBERED = 10_000
_PER_ADDRESS = 20


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
    wants_page = "text/html" in Headers(scope=scope).get("accept", "") and scope["method"] == "GET"
    if status != 401 or not wants_page:
        return plain_refusal(scope, status, message)
    return _page(password_page(_base(scope)), 401)


def sign_in_router(desk: Desk, settings: UiSettings) -> APIRouter:
    """Return the only routes that are open to everybody, and the way out."""
    router = APIRouter()
    attempts = Attempts(settings.attempts_per_minute)

    @router.get("/sign-in.css")
    async def style() -> Response:
        return PlainTextResponse(STYLE, media_type="text/css")

    @router.get("/sign-in")
    async def page(request: Request, token: Annotated[str, Query(max_length=400)] = "") -> Response:
        base = _base(request.scope)
        return _page(link_page(base, token) if token else password_page(base))

    @router.post("/sign-in")
    async def with_password(
        request: Request, name: Annotated[str, Form(max_length=200)], password: Annotated[str, Form(max_length=400)]
    ) -> Response:
        base, address = _base(request.scope), request.client.host if request.client else "?"
        keys = (f"name {name}", f"address {address}")
        if attempts.exhausted((keys[0], 1), (keys[1], _PER_ADDRESS)):
            return _page(password_page(base, "Too many attempts. Wait a minute."), 429)
        user = await desk.users.verify(name, password)
        if user is None:
            attempts.failed(*keys)
            return _page(password_page(base, "That user name and password do not match."), 401)
        return await _signed_in(desk, settings, request, user)

    @router.post("/sign-in/link")
    async def with_link(request: Request, token: Annotated[str, Form(max_length=400)]) -> Response:
        base, address = _base(request.scope), request.client.host if request.client else "?"
        if attempts.exhausted((f"address {address}", _PER_ADDRESS)):
            return _page(password_page(base, "Too many attempts. Wait a minute."), 429)
        user = await desk.users.redeem_sign_in(token)
        if user is None:
            attempts.failed(f"address {address}")
            return _page(password_page(base, "This link was used already or is too old. Ask for a new one."), 401)
        return await _signed_in(desk, settings, request, user)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        if token := session_token(request.headers):
            await desk.users.close_session(token)
        response = RedirectResponse(_base(request.scope) + "/sign-in", status_code=303)
        response.delete_cookie(COOKIE, path=_base(request.scope) or "/")
        return response

    return router


async def _signed_in(desk: Desk, settings: UiSettings, request: Request, user: Any) -> Response:
    if old := session_token(request.headers):  # a session never survives a sign-in
        await desk.users.close_session(old)
    base = _base(request.scope)
    response = RedirectResponse(base + "/", status_code=303)
    response.set_cookie(
        COOKIE,
        await desk.users.open_session(user.name),
        path=base or "/",
        httponly=True,
        samesite="strict",
        secure=settings.secure_cookies,
    )
    return response


def _base(scope: Scope) -> str:
    return str(scope.get("root_path", "")).rstrip("/")


def _page(html: str, status: int = 200) -> Response:
    headers = {
        "content-security-policy": SIGN_IN_POLICY,
        "referrer-policy": "same-origin",  # under no-referrer a browser sends `Origin: null` with the form
    }
    return HTMLResponse(html, status_code=status, headers=headers)
