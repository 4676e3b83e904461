"""Sign-in links and sessions: random secrets kept as SHA-256, worth what their user is worth at that moment and no longer.

A session ends after twelve hours, after one hour without a request, at sign-out, and when its user's password, role or account
changes. After an hour its secret is replaced; the old one still works for a minute, for requests that were on their way.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..audit import records
from ..clock import Clock, fresh_id
from ..errors import AssentError, NotAllowed, StoreError
from ..store import tokens, users
from ..store.people_models import TokenRow, UserRow
from ..store.session import AsyncSession, Store

LINK = timedelta(minutes=10)
RESET = timedelta(hours=24)
SESSION = timedelta(hours=12)
IDLE = timedelta(hours=1)
ROTATE = timedelta(hours=1)
OVERLAP = timedelta(minutes=1)
TOUCH = timedelta(minutes=5)
"""Use is written down this often: a page that asks every ten seconds must not write every ten seconds."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session as its request carries it."""

    id: str
    user: UserRow
    hash: str
    since: datetime
    used: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """An open session as people see it."""

    id: str
    opened_at: datetime
    used_at: datetime
    expires_at: datetime


class Sessions:
    """The links and sessions of a desk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def mint(self, kind: str, name: str, life: timedelta) -> str:
        """Return the secret of a new link or session of a user whose account is on; raises AssentError, NotAllowed."""
        async with self._store.begin() as tx:
            return await minted(tx, self._clock(), kind, name, life)

    async def find(self, token: str) -> Session | None:
        """Return the session of a secret while it is open and its user's account is on."""
        async with self._store.read() as tx:
            now = self._clock()
            row = await tokens.opened(tx, token_hash(token), "session", now)
            user = await users.get(tx, row.user) if row is not None else None
        if row is None or user is None or not user.active or now - (row.used_at or row.created_at) > IDLE:
            return None
        return Session(row.id or "", user, row.hash, row.created_at, row.used_at or row.created_at)

    async def keep(self, session: Session) -> str | None:
        """Write down that a session is used; returns its next secret when it is time for one. What cannot be written is left."""
        now = self._clock()
        due = now - session.since > ROTATE
        if not due and now - session.used <= TOUCH:
            return None
        try:
            async with self._store.begin() as tx:
                await tokens.touch(tx, session.hash, now)
                return await self._rotated(tx, session, now) if due else None
        except StoreError:
            return None  # a busy database ends nobody's session

    async def _rotated(self, tx: AsyncSession, session: Session, now: datetime) -> str | None:
        row = await tokens.opened(tx, session.hash, "session", now)
        if row is None or row.expires_at - now <= OVERLAP:
            return None  # rotated already, or about to end for good
        ends = row.expires_at
        if not await tokens.shorten(tx, row, now + OVERLAP):
            return None
        token = secrets.token_urlsafe(32)
        family, _, turn = session.id.partition(".")
        await tokens.add(tx, _row(token, "session", session.user.name, now, ends, id=f"{family}.{int(turn or 0) + 1}"))
        records.about(tx, session.user.tenant, now, "session.rotated", session.user.name, session.user.name, {"session": family})
        return token

    async def close(self, token: str) -> None:
        """End a session, with every secret it has had."""
        async with self._store.begin() as tx:
            now = self._clock()
            row = await tokens.opened(tx, token_hash(token), "session", now)
            user = await users.get(tx, row.user) if row is not None else None
            if row is None or user is None:
                return
            family = (row.id or "").partition(".")[0]
            ended = await tokens.end_family(tx, row.user, "session", family, now) if family else await tokens.end(tx, row.hash, now)
            if ended:
                records.about(tx, user.tenant, now, "session.ended", user.name, user.name, {"session": family})

    async def of(self, name: str) -> list[SessionView]:
        """Return a user's open sessions, oldest first."""
        async with self._store.read() as tx:
            now = self._clock()
            rows = await tokens.of_user(tx, name, "session", now)
        latest = {(row.id or row.hash[:8]).partition(".")[0]: row for row in rows}
        return [
            SessionView(family, row.created_at, row.used_at or row.created_at, row.expires_at)
            for family, row in latest.items()
            if now - (row.used_at or row.created_at) <= IDLE
        ]


async def minted(tx: AsyncSession, now: datetime, kind: str, name: str, life: timedelta) -> str:
    """Add a link or session inside the caller's transaction and return its secret; raises AssentError, NotAllowed."""
    user = await users.get(tx, name)
    if user is None:
        raise AssentError(f"There is no user {name!r}.")
    if not user.active:
        raise NotAllowed(f"The account of {name!r} is switched off.")
    if user.role == "service" and kind != "reset":
        raise NotAllowed(f"{name!r} is a service: it has API tokens and never signs in.")
    token = secrets.token_urlsafe(32)
    row = _row(token, kind, name, now, now + life, id=fresh_id("ses") if kind == "session" else None)
    await tokens.add(tx, row)
    records.about(tx, user.tenant, now, f"{kind}.opened", name, name, {"session": row.id} if row.id else None)
    return token


async def redeemed(tx: AsyncSession, now: datetime, token: str, kind: str) -> UserRow | None:
    """End a link inside the caller's transaction and return its user; None if it is unknown, used or too old."""
    row = await tokens.opened(tx, token_hash(token), kind, now)
    if row is None or not await tokens.end(tx, row.hash, now):
        return None
    user = await users.get(tx, row.user)
    return user if user is not None and user.active else None


async def end_all(tx: AsyncSession, user: UserRow, now: datetime, actor: str, why: str) -> int:
    """End all sessions and links of a user inside the caller's transaction; returns how many sessions."""
    ended = await tokens.end_all(tx, user.name, ("session",), now)
    await tokens.end_all(tx, user.name, ("sign_in", "reset"), now)
    if ended:
        records.about(tx, user.tenant, now, "session.ended", actor, user.name, {"sessions": ended, "why": why})
    return ended


def token_hash(token: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _row(token: str, kind: str, user: str, now: datetime, ends: datetime, *, id: str | None) -> TokenRow:
    return TokenRow(hash=token_hash(token), kind=kind, user=user, created_at=now, expires_at=ends, id=id)
