"""API tokens: what a program may do for a user, at most what that user may do; refuses a scope its user's role does not have."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from ..audit import records
from ..clock import Clock, fresh_id
from ..errors import AssentError, NotAllowed, StoreError
from ..store import tokens, users
from ..store.people_models import TokenRow, UserRow
from ..store.session import AsyncSession, Store
from .roles import require
from .sessions import TOUCH, token_hash

Scope = Literal["read", "send", "decide", "control", "admin"]
"""`read` looks; `send` speaks as a requester; `decide` answers reviews; `control` stops and lifts; `admin` manages users."""

SCOPES: tuple[str, ...] = get_args(Scope)
OF_ROLE: dict[str, tuple[Scope, ...]] = {
    "service": ("send",),
    "viewer": ("read",),
    "operator": ("read", "send", "decide"),
    "lead": ("read", "send", "decide", "control"),
    "admin": ("read", "send", "decide", "control", "admin"),
}
"""What a token of each role can be made for."""
INCLUDED: dict[str, str] = {"decide": "read", "control": "read", "admin": "read"}
"""Whoever decides must be able to look."""
PREFIX = "assent_"
LONGEST = 366


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token as people see it; its secret is shown once, when it is made."""

    id: str
    user: str
    label: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a request with a token speaks for, and what it may do: the token's scopes as far as the user's role has them today."""

    user: UserRow
    token: ApiToken
    scopes: frozenset[str]


class ApiTokens:
    """The API tokens of a desk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def make(
        self, name: str, scopes: Sequence[str], actor: str, *, days: float = 30, label: str = ""
    ) -> tuple[str, ApiToken]:
        """Return the secret of a new token, and the token; an admin makes them for everybody, others for themselves."""
        life = _life(days)
        async with self._store.begin() as tx:
            user = await _entitled(tx, name, actor)
            wanted = _wanted(user, scopes)
            secret, now = PREFIX + secrets.token_urlsafe(32), self._clock()
            row = TokenRow(
                hash=token_hash(secret), kind="api", user=name, created_at=now, expires_at=now + life,
                id=fresh_id("tok"), label=label.strip()[:80], scopes=list(wanted),
            )  # fmt: skip
            await tokens.add(tx, row)
            body = {"token": row.id, "scopes": row.scopes, "expires_at": row.expires_at.isoformat()}
            records.about(tx, user.tenant, now, "token.made", actor, name, body, {"label": row.label})
        return secret, _view(row)

    async def find(self, secret: str) -> Bearer | None:
        """Return whom a secret speaks for, while the token is open and its user's account is on."""
        now = self._clock()
        async with self._store.read() as tx:
            row = await tokens.opened(tx, token_hash(secret), "api", now)
            user = await users.get(tx, row.user) if row is not None else None
        if row is None or user is None or not user.active:
            return None
        if row.used_at is None or now - row.used_at > TOUCH:
            await self._touch(row, now)
        return Bearer(user, _view(row), _scopes(row, user))

    async def of(self, name: str) -> list[ApiToken]:
        """Return a user's open tokens, oldest first."""
        async with self._store.read() as tx:
            return [_view(row) for row in await tokens.of_user(tx, name, "api", self._clock())]

    async def revoke(self, name: str, token_id: str, actor: str) -> None:
        """End a token; its user or an admin may. Raises AssentError where there is no such open token."""
        async with self._store.begin() as tx:
            now = self._clock()
            user = await _entitled(tx, name, actor)
            if not token_id or not await tokens.end_family(tx, name, "api", token_id, now):
                raise AssentError(f"{name!r} has no open token {token_id!r}.")
            records.about(tx, user.tenant, now, "token.revoked", actor, name, {"token": token_id})

    async def _touch(self, row: TokenRow, now: datetime) -> None:
        try:
            async with self._store.begin() as tx:
                await tokens.touch(tx, row.hash, now)
        except StoreError:
            return  # a busy database refuses nobody


async def _entitled(tx: AsyncSession, name: str, actor: str) -> UserRow:
    one = await require(tx, actor, "service" if actor == name else "admin")
    user = await users.get(tx, name)
    if user is None or user.tenant != one.tenant:
        raise AssentError(f"There is no user {name!r}.")
    return user


def _wanted(user: UserRow, scopes: Sequence[str]) -> tuple[str, ...]:
    if not user.active:
        raise NotAllowed(f"The account of {user.name!r} is switched off.")
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise AssentError(f"A token needs at least one scope of {', '.join(SCOPES)}.")
    beyond = [scope for scope in scopes if scope not in OF_ROLE.get(user.role, ())]
    if beyond:
        raise NotAllowed(f"A token never exceeds its user: {user.name!r} is {user.role} and cannot have {', '.join(beyond)}.")
    return tuple(scope for scope in SCOPES if scope in scopes)


def _scopes(row: TokenRow, user: UserRow) -> frozenset[str]:
    held = {scope for scope in row.scopes or () if scope in OF_ROLE.get(user.role, ())}
    return frozenset(held | {INCLUDED[scope] for scope in held if scope in INCLUDED})


def _life(days: float) -> timedelta:
    if not math.isfinite(days) or not 0 < days <= LONGEST:
        raise AssentError(f"A token is good for up to {LONGEST} days.")
    return timedelta(days=days)


def _view(row: TokenRow) -> ApiToken:
    scopes = tuple(row.scopes or ())
    return ApiToken(row.id or "", row.user, row.label, scopes, row.created_at, row.expires_at, row.used_at)
