"""The notices' outbox: written in the transaction that makes a notice necessary, sent by one process at a time under a lease."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import NoticeRow

LEASE = timedelta(seconds=60)

GIVEN_UP = datetime(9999, 1, 1, tzinfo=UTC)
"""The due time of a notice that is not tried again until a person says so."""


async def add(tx: AsyncSession, tenant: str, kind: str, now: datetime, body: dict[str, Any], review: str | None = None) -> str:
    """Add a notice to be sent as soon as possible; returns its id."""
    row = NoticeRow(id="notice_" + uuid4().hex, tenant=tenant, kind=kind, review=review, body=body, due_at=now)
    tx.add(row)
    await tx.flush()
    return row.id


async def get(tx: AsyncSession, notice: str) -> NoticeRow | None:
    """Return a notice."""
    return await tx.get(NoticeRow, notice)


async def is_due(tx: AsyncSession, tenant: str, now: datetime) -> bool:
    """Tell whether a notice waits to be sent."""
    query = sa.select(sa.literal(1)).select_from(NoticeRow).where(*_open(tenant), col(NoticeRow.due_at) <= now)
    return await tx.scalar(query.limit(1)) is not None


async def take(tx: AsyncSession, tenant: str, owner: str, now: datetime) -> NoticeRow | None:
    """Lease the notice that is due the longest; None when nothing is due."""
    free = sa.or_(col(NoticeRow.lease_until).is_(None), col(NoticeRow.lease_until) < now)
    query = select(NoticeRow).where(*_open(tenant), col(NoticeRow.due_at) <= now, free).order_by(col(NoticeRow.due_at))
    row = (await tx.exec(query.limit(1).with_for_update(skip_locked=True))).first()
    if row is not None:
        row.lease_owner, row.lease_until, row.attempts = owner, now + LEASE, row.attempts + 1
        tx.add(row)
        await tx.flush()
    return row


def _open(tenant: str) -> tuple[sa.ColumnElement[bool], ...]:
    return col(NoticeRow.tenant) == tenant, sa.text("notices.sent_at IS NULL")  # type: ignore[return-value]


async def sent(tx: AsyncSession, notice: str, owner: str, now: datetime) -> bool:
    """Close a notice that we hold; False if somebody else took it over."""
    values = {"sent_at": now, "problem": "", "lease_owner": None, "lease_until": None}
    return int((await tx.exec(sa.update(NoticeRow).where(_mine(notice, owner)).values(**values))).rowcount) == 1


async def put_off(tx: AsyncSession, notice: str, owner: str, due_at: datetime, problem: str) -> bool:
    """Give a notice that we hold back, to be tried again from `due_at`; False if somebody else took it over."""
    values = {"due_at": due_at, "problem": problem, "lease_owner": None, "lease_until": None}
    return int((await tx.exec(sa.update(NoticeRow).where(_mine(notice, owner)).values(**values))).rowcount) == 1


def _mine(notice: str, owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(col(NoticeRow.id) == notice, col(NoticeRow.lease_owner) == owner, col(NoticeRow.sent_at).is_(None))


async def again(tx: AsyncSession, notice: str, now: datetime) -> bool:
    """Let a notice that was given up be tried again; False if it was not given up."""
    mine = sa.and_(col(NoticeRow.id) == notice, col(NoticeRow.sent_at).is_(None), col(NoticeRow.due_at) >= GIVEN_UP)
    return int((await tx.exec(sa.update(NoticeRow).where(mine).values(due_at=now, attempts=0))).rowcount) == 1


async def given_up(tx: AsyncSession, tenant: str, limit: int) -> Sequence[NoticeRow]:
    """Return the notices that could not be sent."""
    query = select(NoticeRow).where(*_open(tenant), col(NoticeRow.due_at) >= GIVEN_UP)
    return (await tx.exec(query.limit(limit))).all()
