"""The session cookie; refuses scripts, other sites, and over https also a sibling's forgery of it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

from .settings import UiSettings

COOKIE = "assent_session"


def cookie_name(settings: UiSettings, base: str) -> str:
    """Return the cookie's name; the prefixes make browsers refuse one that another host or an http page has set."""
    if not settings.secure_cookies:
        return COOKIE
    return f"__Secure-{COOKIE}" if base else f"__Host-{COOKIE}"


def session_token(headers: Headers, settings: UiSettings, base: str) -> str | None:
    """Return the session token of the request's cookie."""
    return cookie_parser(headers.get("cookie", "")).get(cookie_name(settings, base))


def give(response: Response, settings: UiSettings, base: str, token: str) -> None:
    """Hand a session to the browser; it lasts until the browser or the server ends it."""
    name, secure = cookie_name(settings, base), settings.secure_cookies
    response.set_cookie(name, token, path=base or "/", httponly=True, samesite="strict", secure=secure)


def take(response: Response, settings: UiSettings, base: str) -> None:
    """Take the cookie away from the browser."""
    response.delete_cookie(cookie_name(settings, base), path=base or "/", httponly=True, secure=settings.secure_cookies)


def cookie_header(settings: UiSettings, base: str, token: str) -> tuple[bytes, bytes]:
    """Return the header that hands a session to the browser."""
    carrier = Response()
    give(carrier, settings, base, token)
    return next(pair for pair in carrier.raw_headers if pair[0] == b"set-cookie")
