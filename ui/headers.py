"""The security headers of every answer; refuses to let Gradio's own cross-origin headers out."""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # gradio compiles its templates in the browser
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
SIGN_IN_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)
_ALWAYS: tuple[Header, ...] = (
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_DROPPED = (b"access-control-", b"x-frame-options", b"x-content-type-options")
_HASHED = "/assets/"


def hardened(headers: Iterable[Header], path: str) -> list[Header]:
    """Return the headers of an answer for `path` with cross-origin permission removed and ours added."""
    kept = [(name, value) for name, value in headers if not name.lower().startswith(_DROPPED)]
    names = {name.lower() for name, _ in kept}
    if b"content-security-policy" not in names:
        kept.append((b"content-security-policy", PAGE_POLICY.encode()))
    if b"referrer-policy" not in names:
        kept.append((b"referrer-policy", b"no-referrer"))
    kept = [(name, value) for name, value in kept if name.lower() != b"cache-control"]
    kept.append((b"cache-control", _caching(path)))
    return [*kept, *_ALWAYS]


def _caching(path: str) -> bytes:
    if path.startswith(_HASHED):  # names that change with their content
        return b"private, max-age=31536000, immutable"
    if path.startswith("/static/"):
        return b"private, max-age=3600"
    return b"no-store"
