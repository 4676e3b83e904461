"""Who may do what: users, roles, sign-in links and sessions; names come from here, never from a client.

Passwords are hashed with argon2id (RFC 9106) when the package is there; links and sessions are random, and stored as SHA-256 only.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from . import records
from .clock import Clock
from .errors import AssentError, NotAllowed
from .store import users
from .store.people_models import TokenRow, UserRow
from .store.session import AsyncSession, Store

Role = Literal["viewer", "operator", "lead", "admin"]
"""`viewer` looks; `operator` decides and cancels; `lead` also overrules others' decisions and examples; `admin` manages users."""

ROLES: tuple[str, ...] = get_args(Role)
SIGN_IN = timedelta(minutes=10)
SESSION = timedelta(hours=12)
NAME = 64


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may look or decide."""

    name: str
    tenant: str
    role: str
    active: bool


async def require(tx: AsyncSession, actor: str, role: Role) -> UserRow:
    """Return the actor's row, read in the caller's transaction; raises NotAllowed below `role`."""
    row = await users.get(tx, actor) if actor else None
    if row is None or not row.active:
        raise NotAllowed("You may not do this: the server does not know you, or your account is switched off.")
    if row.role not in ROLES or ROLES.index(row.role) < ROLES.index(role):
        raise NotAllowed(f"You may not do this: it needs the role {role}, and you are {row.role}.")
    return row


class People:
    """The users of a desk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def add(
        self, name: str, password: str | None = None, role: Role = "operator", tenant: str = "main", by: str = ""
    ) -> User:
        """Add a user; raises AssentError for a name that is taken or empty, or an unknown role."""
        _checked(name, role)
        hashed = await asyncio.to_thread(_hash, password) if password else None
        async with self._store.begin() as tx:
            if await users.get(tx, name) is not None:
                raise AssentError(f"There is a user {name!r} already.")
            row = UserRow(name=name, tenant=tenant, role=role, password_hash=hashed, created_at=self._clock())
            await users.put(tx, row)
            records.about(tx, tenant, self._clock(), "user.added", by or name, name, {"role": role})
        return _user(row)

    async def get(self, name: str) -> User | None:
        """Return a user."""
        async with self._store.read() as tx:
            row = await users.get(tx, name)
        return _user(row) if row else None

    async def list(self) -> list[User]:
        """Return all users by name."""
        async with self._store.read() as tx:
            return [_user(row) for row in await users.every(tx)]

    async def set_role(self, name: str, role: Role, actor: str) -> User:
        """Give a user another role; only an admin may."""
        _checked(name, role)
        async with self._store.begin() as tx:
            row = await _of_tenant(tx, name, await require(tx, actor, "admin"))
            records.about(tx, row.tenant, self._clock(), "user.role", actor, name, {"from": row.role, "to": role})
            row.role = role
            await users.put(tx, row)
        return _user(row)

    async def switch(self, name: str, actor: str, *, active: bool) -> User:
        """Switch an account off or on; only an admin may."""
        async with self._store.begin() as tx:
            row = await _of_tenant(tx, name, await require(tx, actor, "admin"))
            row.active = active
            await users.put(tx, row)
            records.about(tx, row.tenant, self._clock(), "user.on" if active else "user.off", actor, name)
        return _user(row)

    async def verify(self, name: str, password: str) -> User | None:
        """Return the user if name and password fit; takes as long when the name is unknown."""
        async with self._store.read() as tx:
            row = await users.get(tx, name)
        hashed = row.password_hash if row and row.password_hash else None
        fits = await asyncio.to_thread(_fits, hashed, password)
        return _user(row) if row and fits and row.active else None

    async def mint_sign_in(self, name: str) -> str:
        """Return the secret of a sign-in link that works once within ten minutes."""
        return await self._mint("sign_in", name, SIGN_IN)

    async def redeem_sign_in(self, token: str) -> User | None:
        """Return the user of a sign-in link and end the link; None if it is unknown, used or too old."""
        async with self._store.begin() as tx:
            now, hashed = self._clock(), _token_hash(token)
            row = await users.token(tx, hashed, "sign_in", now)
            if row is None or not await users.end_token(tx, hashed, now):
                return None
            user = await users.get(tx, row.user)
        return _user(user) if user and user.active else None

    async def open_session(self, name: str) -> str:
        """Return the secret of a new session, good for twelve hours."""
        return await self._mint("session", name, SESSION)

    async def session(self, token: str) -> User | None:
        """Return the user of a session that is open."""
        async with self._store.read() as tx:
            row = await users.token(tx, _token_hash(token), "session", self._clock())
            user = await users.get(tx, row.user) if row else None
        return _user(user) if user and user.active else None

    async def close_session(self, token: str) -> None:
        """End a session."""
        async with self._store.begin() as tx:
            await users.end_token(tx, _token_hash(token), self._clock())

    async def _mint(self, kind: str, name: str, life: timedelta) -> str:
        token, now = secrets.token_urlsafe(32), self._clock()
        async with self._store.begin() as tx:
            user = await _known(tx, name)
            row = TokenRow(hash=_token_hash(token), kind=kind, user=name, created_at=now, expires_at=_after(now, life))
            await users.add_token(tx, row)
            records.about(tx, user.tenant, now, f"{kind}.opened", name, name)
        return token


async def _known(tx: AsyncSession, name: str) -> UserRow:
    row = await users.get(tx, name)
    if row is None:
        raise AssentError(f"There is no user {name!r}.")
    return row


async def _of_tenant(tx: AsyncSession, name: str, admin: UserRow) -> UserRow:
    row = await _known(tx, name)
    if row.tenant != admin.tenant:
        raise AssentError(f"There is no user {name!r}.")
    return row


def _checked(name: str, role: str) -> None:
    if not name.strip() or len(name) > NAME or not name.isprintable():
        raise AssentError(f"A user's name has 1 to {NAME} printable characters.")
    if role not in ROLES:
        raise AssentError(f"A role is one of {', '.join(ROLES)}, not {role!r}.")


def _after(now: datetime, life: timedelta) -> datetime:
    return now + life


def _user(row: UserRow) -> User:
    return User(row.name, row.tenant, row.role, row.active)


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _hash(password: str) -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def _fits(hashed: str | None, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher()
    if hashed is None:
        hasher.hash(password)
        return False
    try:
        return hasher.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False
