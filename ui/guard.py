"""The ASGI guard around the whole desk: host, origin, session and size; refuses every path it was not told to open."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response

from ..graph.errors import StoreError
from .headers import hardened
from .settings import UiSettings

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "assent_session"
USER = "assent.user"
SAFE_METHODS = frozenset({"GET", "HEAD"})
OPEN_PATHS = frozenset({"/sign-in", "/sign-in/link", "/sign-in.css"})
GRADIO_DOORS = re.compile(r"/gradio_api/(run/predict|startup-events|heartbeat/[^/]+|app_id|theme\.css)")
"""What Gradio's own pages ask for; no handler of ours is queued, so the queue's doors stay shut."""
NEVER = re.compile(r"/(gradio_api|monitoring|login|logout|svelte|proxy)(/.*)?")
_FORWARDED = (b"x-forwarded-", b"x-gradio-server", b"forwarded")


SessionReader = Callable[[str], Awaitable[Any]]
"""A session token to its user, or None."""
Refusal = Callable[["Scope", int, str], Response]
"""How a refusal is shown: request scope, status and one line."""


def plain_refusal(scope: Scope, status: int, message: str) -> Response:
    """Answer with one line of JSON."""
    return JSONResponse({"error": _WORDS.get(status, "refused"), "message": message}, status_code=status)


_WORDS = {400: "bad_request", 401: "not_signed_in", 403: "refused", 404: "not_found", 413: "too_large", 503: "try_again"}


class Guard:
    """Wraps an ASGI application; only what passes every check reaches it, with the user in `scope["assent.user"]`."""

    def __init__(self, app: ASGIApp, read_session: SessionReader, settings: UiSettings, refusal: Refusal = plain_refusal) -> None:
        self.app = app
        self.read_session = read_session
        self.settings = settings
        self.refusal = refusal

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes behind the guard, so that they can be walked."""
        return list(getattr(self.app, "routes", []))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one connection through, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        path = local_path(scope)
        scope = self._cleaned(scope)
        status, message = await self._verdict(scope, path)
        if status and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": message})
            return
        sender = _hardening(send, path)
        if status:
            await self.refusal(scope, status, message)(scope, receive, sender)
            return
        await self._within_limit(scope, receive, sender)

    async def _verdict(self, scope: Scope, path: str) -> tuple[int, str]:
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self.settings.hosts:
            return 400, "This desk does not answer to that host name."
        method = scope.get("method", "WEBSOCKET")
        if method not in SAFE_METHODS and not self._same_origin(headers):
            return 403, "This request comes from another site."
        if _length(headers) > self.settings.body_limit:
            return 413, f"The request is larger than {self.settings.body_limit} bytes."
        try:
            user = await self._user(headers)
        except StoreError:
            return 503, "The desk's database cannot be used just now; try again."
        scope[USER] = user
        if user is None and path not in OPEN_PATHS:
            return 401, "Sign in first."
        if NEVER.fullmatch(path) and not GRADIO_DOORS.fullmatch(path):
            return 404, "There is nothing here."
        return 0, ""

    def _same_origin(self, headers: Headers) -> bool:
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        return origin in self.settings.origins or (bool(origin) and urlsplit(origin).netloc == headers.get("host"))

    async def _user(self, headers: Headers) -> Any:
        token = session_token(headers)
        if not token:
            return None
        return await self.read_session(token)

    def _cleaned(self, scope: Scope) -> Scope:
        cleaned = dict(scope)
        cleaned.pop(USER, None)
        if not self.settings.trust_proxy:
            cleaned["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(_FORWARDED)]
        return cleaned

    async def _within_limit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        body = await _read(receive, self.settings.body_limit)
        if body is None:
            message = f"The request is larger than {self.settings.body_limit} bytes."
            await self.refusal(scope, 413, message)(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


def local_path(scope: Scope) -> str:
    """Return the path below the mount, exactly as the router will see it."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path.removeprefix(root) or "/" if root and (path == root or path.startswith(root + "/")) else path


def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    return re.sub(r":\d+$", "", host).lower()


def session_token(headers: Headers) -> str | None:
    """Return the session token of the request's cookie."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None once it is larger than `limit` (a length header can lie)."""
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    replayed = False

    async def again() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def _hardening(send: Send, path: str) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": hardened(message.get("headers", []), path)}
        await send(message)

    return sender
