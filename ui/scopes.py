"""Which scope of an API token opens which route; what is not listed here is shut for tokens."""

from __future__ import annotations

import re

from .paths import SAFE_METHODS

_READING: tuple[tuple[str, frozenset[str]], ...] = (
    (r"/api/threads(/.*)?", frozenset({"read", "send"})),
    (r"/api/(users|audit|settings)(/.*)?", frozenset({"admin"})),
    (r"/api/.*", frozenset({"read"})),
)
_CHANGING: tuple[tuple[str, frozenset[str]], ...] = (
    (r"/api/threads/.*", frozenset({"send"})),
    (r"/api/(reviews|actions|holds|tasks|cases|examples)/.*", frozenset({"decide"})),
    (r"/api/autonomy/promote", frozenset()),  # a promotion takes a person's signature
    (r"/api/(stops|advice|autonomy|reviewers)(/.*)?", frozenset({"control"})),
    (r"/api/(users|audit|settings)(/.*)?", frozenset({"admin"})),
)


def scopes_of(method: str, path: str) -> frozenset[str]:
    """Return the scopes any one of which opens a route to a token; none at all means that no token opens it."""
    rules = _READING if method in SAFE_METHODS else _CHANGING
    return next((scopes for pattern, scopes in rules if re.fullmatch(pattern, path)), frozenset())
