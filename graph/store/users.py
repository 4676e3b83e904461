"""Users, sign-in links and sessions; secrets are kept as hashes only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .people_models import TokenRow, UserRow


async def get(tx: AsyncSession, name: str) -> UserRow | None:
    """Return a user."""
    return await tx.get(UserRow, name)


async def put(tx: AsyncSession, row: UserRow) -> None:
    """Add a user or replace the row of that name."""
    await tx.merge(row)
    await tx.flush()


async def every(tx: AsyncSession) -> Sequence[UserRow]:
    """Return all users by name."""
    return (await tx.exec(select(UserRow).order_by(col(UserRow.name)))).all()


async def add_token(tx: AsyncSession, row: TokenRow) -> None:
    """Add a sign-in link or session."""
    tx.add(row)
    await tx.flush()


async def token(tx: AsyncSession, token_hash: str, kind: str, now: datetime) -> TokenRow | None:
    """Return a token that is neither ended nor expired."""
    query = select(TokenRow).where(
        TokenRow.hash == token_hash, TokenRow.kind == kind, col(TokenRow.ended_at).is_(None), TokenRow.expires_at > now
    )
    return (await tx.exec(query)).first()


async def end_token(tx: AsyncSession, token_hash: str, now: datetime) -> bool:
    """End a token; False if it already was, so that a link works once."""
    mine = sa.and_(col(TokenRow.hash) == token_hash, col(TokenRow.ended_at).is_(None))
    return int((await tx.exec(sa.update(TokenRow).where(mine).values(ended_at=now))).rowcount) == 1
