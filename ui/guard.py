"""The ASGI guard around the whole desk: host, origin, identity and size; refuses every path it was not told to open."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response

from ..graph.access.roles import SPEAKS
from ..graph.errors import StoreError
from .cookies import cookie_header, session_token
from .headers import hardened
from .passage import PASSAGE, Denied, Passage, address_of, door_of
from .paths import GRADIO_DOORS, LASTING, NEVER, OPEN_PATHS, SAFE_METHODS, SPEAKING, base_of, local_path
from .scopes import scopes_of
from .settings import UiSettings

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ..graph.access.people import People

_FORWARDED = (b"x-forwarded-", b"x-gradio-server", b"forwarded")
_FORMS = ("text/", "application/x-www-form-urlencoded", "multipart/")
"""What a page of another site can send without being asked whether it may."""
_NOTED = frozenset({401, 403, 429})
_BEARER = re.compile(r"bearer(\s+(?P<secret>.*))?", re.IGNORECASE)

Refusal = Callable[["Scope", int, str], Response]
"""How a refusal is shown: request scope, status and one line."""


def plain_refusal(scope: Scope, status: int, message: str) -> Response:
    """Answer with one line of JSON."""
    return JSONResponse({"error": _WORDS.get(status, "refused"), "message": message}, status_code=status)


_WORDS = {400: "bad_request", 401: "not_signed_in", 403: "refused", 404: "not_found", 413: "too_large", 503: "try_again"}


class Guard:
    """Wraps an ASGI application; only what passes every check reaches it, with who asks in `scope["assent.passage"]`."""

    def __init__(
        self, app: ASGIApp, people: People, settings: UiSettings, denied: Denied, refusal: Refusal = plain_refusal
    ) -> None:
        self.app = app
        self.people = people
        self.settings = settings
        self.denied = denied
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
        passage = Passage()
        scope = self._cleaned(scope, passage)
        status, message = await self._verdict(scope, passage)
        if status:
            passage.why = message
        if status and scope["type"] == "websocket":
            await self._note(scope, passage)
            await send({"type": "websocket.close", "code": 1008, "reason": message})
            return
        sender = self._sending(send, scope, passage)
        if status:
            await self.refusal(scope, status, message)(scope, receive, sender)
            return
        await self._within_limit(scope, receive, sender)

    async def _verdict(self, scope: Scope, passage: Passage) -> tuple[int, str]:
        headers, path = Headers(scope=scope), local_path(scope)
        if host_name(headers.get("host", "")) not in self.settings.hosts:
            return 400, "This desk does not answer to that host name."
        if _length(headers) > self.settings.body_limit:
            return 413, f"The request is larger than {self.settings.body_limit} bytes."
        try:
            await self._identify(headers, scope, passage)
        except StoreError:
            return 503, "The desk's database cannot be used just now; try again."
        if path.startswith(("/api/", "/gradio_api/")) and headers.get("content-type", "").lower().startswith(_FORMS):
            return 403, "This door takes JSON, never a form or plain text."
        refused = self._by_token(scope, path, passage) if passage.is_token else self._by_session(scope, headers, path, passage)
        if refused[0]:
            return refused
        if NEVER.fullmatch(path) and not GRADIO_DOORS.fullmatch(path):
            return 404, "There is nothing here."
        if passage.session is not None and path not in OPEN_PATHS and not LASTING.fullmatch(path):
            passage.fresh = await self.people.sessions.keep(passage.session)
        return 0, ""

    async def _identify(self, headers: Headers, scope: Scope, passage: Passage) -> None:
        bearer = _BEARER.fullmatch(headers.get("authorization", "").strip())
        if bearer is not None:
            passage.is_token = True
            passage.bearer = await self.people.tokens.find(bearer["secret"] or "")
        elif token := session_token(headers, self.settings, base_of(scope)):
            passage.session = await self.people.sessions.find(token)

    def _by_session(self, scope: Scope, headers: Headers, path: str, passage: Passage) -> tuple[int, str]:
        if scope.get("method", "WEBSOCKET") not in SAFE_METHODS and not self._same_origin(headers):
            return 403, "This request comes from another site."
        if path in OPEN_PATHS:
            return 0, ""
        if passage.user is None:
            return 401, "Sign in first."
        return self._by_role(scope, path, passage)

    def _by_token(self, scope: Scope, path: str, passage: Passage) -> tuple[int, str]:
        if passage.bearer is None:
            return 401, "This API token is unknown, ended or too old."
        if not path.startswith("/api/"):
            return 403, "An API token opens what is under /api/, never a page."
        needed = scopes_of(scope.get("method", "WEBSOCKET"), path)
        if not needed & passage.bearer.scopes:
            return 403, f"This needs a token with the scope {' or '.join(sorted(needed))}." if needed else "No token opens this."
        return self._by_role(scope, path, passage)

    def _by_role(self, scope: Scope, path: str, passage: Passage) -> tuple[int, str]:
        reads = path.startswith("/api/threads/") and scope.get("method") in SAFE_METHODS
        if SPEAKING.fullmatch(path) and not reads and (passage.user is None or passage.user.role not in SPEAKS):
            return 403, "Your role looks and does not speak: this needs the role operator."
        return 0, ""

    def _same_origin(self, headers: Headers) -> bool:
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        return origin in self.settings.origins or (bool(origin) and urlsplit(origin).netloc == headers.get("host"))

    def _cleaned(self, scope: Scope, passage: Passage) -> Scope:
        cleaned = {**scope, PASSAGE: passage}
        if not self.settings.trust_proxy:
            cleaned["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(_FORWARDED)]
        return cleaned

    async def _note(self, scope: Scope, passage: Passage) -> None:
        if passage.noted:
            return
        passage.noted = True
        actor = passage.user.name if passage.user is not None else ""
        await self.denied(actor, door_of(scope), passage.why, address=address_of(scope))

    def _sending(self, send: Send, scope: Scope, passage: Passage) -> Send:
        path, base = local_path(scope), base_of(scope)  # kept now: a router below changes the scope
        told = dict(scope)

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] in _NOTED:
                    await self._note(told, passage)
                message = {**message, "headers": self._headers(message.get("headers", []), path, base, passage)}
            await send(message)

        return sender

    def _headers(self, headers: list[tuple[bytes, bytes]], path: str, base: str, passage: Passage) -> list[tuple[bytes, bytes]]:
        if passage.is_token:
            headers = [pair for pair in headers if pair[0].lower() != b"set-cookie"]
        elif passage.fresh is not None and b"set-cookie" not in {name.lower() for name, _ in headers}:
            headers = [*headers, cookie_header(self.settings, base, passage.fresh)]
        return hardened(headers, path)

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


def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    return re.sub(r":\d+$", "", host).lower()


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
