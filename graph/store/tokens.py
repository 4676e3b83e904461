"""Sign-in links, links to set a password, sessions and API tokens; only the SHA-256 of a secret is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .people_models import TokenRow


async def add(tx: AsyncSession, row: TokenRow) -> None:
    """Add a link, session or API token."""
    tx.add(row)
    await tx.flush()


async def opened(tx: AsyncSession, token_hash: str, kind: str, now: datetime) -> TokenRow | None:
    """Return a token that is neither ended nor expired."""
    query = select(TokenRow).where(TokenRow.hash == token_hash, *_open(kind, now))
    return (await tx.exec(query)).first()


async def of_user(tx: AsyncSession, user: str, kind: str, now: datetime) -> Sequence[TokenRow]:
    """Return a user's open tokens of a kind, oldest first."""
    query = select(TokenRow).where(TokenRow.user == user, *_open(kind, now))
    return (await tx.exec(query.order_by(col(TokenRow.created_at)))).all()


async def end(tx: AsyncSession, token_hash: str, now: datetime) -> bool:
    """End a token; False if it already was, so that a link works once."""
    return await _ended(tx, col(TokenRow.hash) == token_hash, now) == 1


async def end_family(tx: AsyncSession, user: str, kind: str, family: str, now: datetime) -> int:
    """End a session or API token with everything it was rotated into; returns how many rows."""
    mine = sa.and_(col(TokenRow.user) == user, col(TokenRow.kind) == kind)
    named = sa.or_(col(TokenRow.id) == family, col(TokenRow.id).startswith(family + ".", autoescape=True))
    return await _ended(tx, sa.and_(mine, named), now)


async def end_all(tx: AsyncSession, user: str, kinds: Sequence[str], now: datetime) -> int:
    """End all of a user's tokens of some kinds; returns how many."""
    return await _ended(tx, sa.and_(col(TokenRow.user) == user, col(TokenRow.kind).in_(kinds)), now)


async def touch(tx: AsyncSession, token_hash: str, now: datetime) -> None:
    """Write down that a token was used."""
    await tx.exec(sa.update(TokenRow).where(col(TokenRow.hash) == token_hash).values(used_at=now))


async def shorten(tx: AsyncSession, row: TokenRow, until: datetime) -> bool:
    """Let a token expire sooner; False if somebody else has changed or ended it, so that it is rotated once."""
    mine = sa.and_(col(TokenRow.hash) == row.hash, col(TokenRow.expires_at) == row.expires_at, col(TokenRow.ended_at).is_(None))
    return int((await tx.exec(sa.update(TokenRow).where(mine).values(expires_at=until))).rowcount) == 1


def _open(kind: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (col(TokenRow.kind) == kind, col(TokenRow.ended_at).is_(None), col(TokenRow.expires_at) > now)


async def _ended(tx: AsyncSession, which: sa.ColumnElement[bool], now: datetime) -> int:
    still = sa.and_(which, col(TokenRow.ended_at).is_(None), col(TokenRow.expires_at) > now)
    return int((await tx.exec(sa.update(TokenRow).where(still).values(ended_at=now))).rowcount)
