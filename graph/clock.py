"""Time and fresh ids, as arguments, so that tests can hold them still."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


def fresh_id(prefix: str) -> str:
    """Return an id nobody can guess, such as `rev_3f...`."""
    return f"{prefix}_{secrets.token_hex(12)}"
