"""Passwords as argon2id hashes (RFC 9106); refuses short ones, and more than a few hashes at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import AssentError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 8
LONGEST = 400
AT_ONCE = 4
"""Each hash takes 64 MiB; a flood of sign-ins waits in line instead of taking all memory."""


class Passwords:
    """Hashes and compares off the event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        """Return the hash of a new password; raises AssentError for one that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise AssentError(f"A password has {SHORTEST} to {LONGEST} characters.")
        return await self._hash(password)

    async def fits(self, hashed: str | None, password: str) -> bool:
        """Tell whether a password belongs to a hash; takes as long where there is no hash."""
        if hashed is None:
            await self._hash(password)
            return False
        async with self._room:
            return await asyncio.to_thread(_fits, hashed, password)

    async def renewed(self, hashed: str, password: str) -> str | None:
        """Return a hash by the parameters of today where `hashed` was made by others, else None."""
        return await self._hash(password) if _hasher().check_needs_rehash(hashed) else None

    async def _hash(self, password: str) -> str:
        async with self._room:
            return await asyncio.to_thread(_hasher().hash, password.encode("utf-8", "surrogatepass"))


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


def _fits(hashed: str, password: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return _hasher().verify(hashed, password.encode("utf-8", "surrogatepass"))
    except (Argon2Error, InvalidHashError):
        return False
