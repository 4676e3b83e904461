"""Signing in: counted before it is tried, told apart for nobody, noted whatever came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from ..audit import records
from ..clock import Clock
from ..store import users
from ..store.people_models import UserRow
from ..store.session import Store
from .attempts import Attempts
from .passwords import Passwords
from .sessions import SESSION, minted, redeemed

Result = TypeVar("Result")
UNKNOWN = "unknown"
"""What the audit log calls a name no user has: people type passwords into the wrong field."""


class SigningIn:
    """The ways into a desk for people."""

    def __init__(self, store: Store, clock: Clock, tenant: str, attempts: Attempts, passwords: Passwords) -> None:
        self._store, self._clock, self._tenant = store, clock, tenant
        self._attempts, self._passwords = attempts, passwords

    async def with_password(self, name: str, password: str, address: str) -> str | None:
        """Return the secret of a new session, or None if name and password do not fit; raises Locked."""
        user = await self.checked(name, password, address)
        if user is None:
            return None
        async with self._store.begin() as tx:
            return await minted(tx, self._clock(), "session", user.name, SESSION)

    async def with_link(self, token: str, address: str) -> str | None:
        """Return the secret of a new session for a link, or None if the link is unknown, used or too old; raises Locked."""
        return await self.counted(address, "link", lambda: self._by_link(token))

    async def _by_link(self, token: str) -> str | None:
        async with self._store.begin() as tx:
            now = self._clock()
            user = await redeemed(tx, now, token, "sign_in")
            return await minted(tx, now, "session", user.name, SESSION) if user is not None else None

    async def counted(self, address: str, way: str, attempt: Callable[[], Awaitable[Result | None]]) -> Result | None:
        """Make an attempt that needs no name; None is a failure, which is counted and noted. Raises Locked."""
        locks = await self._attempts.enter(None, address)
        found = await attempt()
        if found is None:
            await self.failed(None, way, address, locks)
        else:
            await self._attempts.succeeded(None, address)
        return found

    async def checked(self, name: str, password: str, address: str) -> UserRow | None:
        """Return the user if name and password fit, and count and note it if they do not; raises Locked."""
        locks = await self._attempts.enter(name, address)
        user = await self.verified(name, password)
        if user is None:
            await self.failed(name, "password", address, locks)
            return None
        await self._attempts.succeeded(name, address)
        return user

    async def verified(self, name: str, password: str) -> UserRow | None:
        """Return the user if name and password fit; takes as long when the name is unknown."""
        async with self._store.read() as tx:
            row = await users.get(tx, name)
        hashed = row.password_hash if row is not None else None
        if not await self._passwords.fits(hashed, password) or row is None or hashed is None:
            return None
        if not row.active or row.role == "service":
            return None
        renewed = await self._passwords.renewed(hashed, password)
        if renewed is not None:
            async with self._store.begin() as tx:
                if await users.rehash(tx, name, hashed, renewed):
                    records.about(tx, row.tenant, self._clock(), "user.rehashed", name, name)
        return row

    async def failed(self, name: str | None, way: str, address: str, locks: datetime | None) -> None:
        """Note an attempt that failed, and whether it locked a name or an address."""
        kind = "session.refused" if locks is None else "session.locked"
        body: dict[str, Any] = {"way": way} if locks is None else {"way": way, "until": locks.isoformat(timespec="microseconds")}
        async with self._store.begin() as tx:
            user = await users.get(tx, name) if name is not None else None
            who = user.name if user is not None else UNKNOWN
            tenant = user.tenant if user is not None else self._tenant
            records.about(tx, tenant, self._clock(), kind, who, who, body, {"address": address})
