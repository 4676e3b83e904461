"""Probes: reviews whose answer lets nothing run; they ask about a copy of an action, and the copy can never be claimed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .autonomy_models import ProbeRow
from .inserting import add_or_leave
from .models import ActionRow, ReviewRow


async def add(tx: AsyncSession, row: ProbeRow) -> bool:
    """Add a probe; False if its action has one of this kind already."""
    added = await tx.exec(add_or_leave(tx, ProbeRow).values(**row.model_dump()).returning(col(ProbeRow.review)))
    return added.first() is not None


async def of_source(tx: AsyncSession, source: str, kind: str) -> ProbeRow | None:
    """Return the probe of a kind about an action."""
    return (await tx.exec(select(ProbeRow).where(ProbeRow.source == source, ProbeRow.kind == kind))).first()


async def of_review(tx: AsyncSession, review: str) -> ProbeRow | None:
    """Return what a review measures, if it is a probe."""
    return await tx.get(ProbeRow, review, populate_existing=True)


async def answer(tx: AsyncSession, review: str, decision: str, outcome: str, by: str, at: datetime, seen_ms: int | None) -> bool:
    """Write down what was answered; False if it was answered already."""
    mine = sa.and_(col(ProbeRow.review) == review, col(ProbeRow.answered_at).is_(None))
    values = {"decision": decision, "outcome": outcome, "answered_by": by, "answered_at": at, "seen_ms": seen_ms}
    changed = sa.update(ProbeRow).where(mine).values(**values).execution_options(synchronize_session=False)
    return int((await tx.exec(changed)).rowcount) == 1


_UNCOUNTED = sa.text("probes.counted_at IS NULL AND probes.answered_at IS NOT NULL")


async def uncounted(tx: AsyncSession, tenant: str, limit: int) -> Sequence[ProbeRow]:
    """Return what was answered and the monitor has not taken in, in the order of the answers."""
    query = select(ProbeRow).where(ProbeRow.tenant == tenant, _UNCOUNTED)
    return (await tx.exec(query.order_by(col(ProbeRow.answered_at), col(ProbeRow.review)).limit(limit))).all()


async def is_behind(tx: AsyncSession, tenant: str, agent: str, tool: str) -> bool:
    """Tell whether an audit of a class was answered that the monitor has not taken in."""
    mine = (ProbeRow.tenant == tenant, ProbeRow.agent == agent, ProbeRow.tool == tool, ProbeRow.kind == "audit")
    return (await tx.exec(select(ProbeRow.review).where(*mine, _UNCOUNTED).limit(1))).first() is not None


class Unanswered(NamedTuple):
    """The audits of a class under one key that wait for an answer."""

    agent: str
    tool: str
    key: str
    audits: int
    since: datetime
    """When the oldest of them was asked."""


async def unanswered(tx: AsyncSession, tenant: str, until: datetime) -> list[Unanswered]:
    """Return the audits that were asked up to a moment and still wait in the queue; what was cancelled nobody can answer."""
    query = (
        sa.select(col(ProbeRow.agent), col(ProbeRow.tool), col(ProbeRow.key), col(ProbeRow.created_at))
        .join(ReviewRow, col(ReviewRow.id) == col(ProbeRow.review))
        .where(col(ProbeRow.tenant) == tenant, sa.text("probes.kind = 'audit' AND probes.answered_at IS NULL"))
        .where(col(ProbeRow.created_at) <= until, col(ReviewRow.status) == "pending")
    )
    await tx.flush()
    since: dict[tuple[str, str, str], list[datetime]] = {}  # grouped here: the database would sort them all
    for agent, tool, key, at in (await (await tx.connection()).execute(query)).all():
        since.setdefault((agent, tool, key), []).append(at)
    return [Unanswered(*asked, len(times), min(times)) for asked, times in since.items()]


async def counted(tx: AsyncSession, review: str, at: datetime) -> bool:
    """Mark an answer as taken in; False if another process did."""
    mine = sa.and_(col(ProbeRow.review) == review, col(ProbeRow.counted_at).is_(None))
    changed = sa.update(ProbeRow).where(mine).values(counted_at=at).execution_options(synchronize_session=False)
    return int((await tx.exec(changed)).rowcount) == 1


async def answered(tx: AsyncSession, tenant: str, kind: str, since: datetime, limit: int = 5_000) -> Sequence[ProbeRow]:
    """Return the answered probes of a kind since a moment, newest first."""
    query = select(ProbeRow).where(ProbeRow.tenant == tenant, ProbeRow.kind == kind, col(ProbeRow.answered_at) >= since)
    return (await tx.exec(query.order_by(sa.desc(col(ProbeRow.answered_at))).limit(limit))).all()


async def of_class(tx: AsyncSession, tenant: str, agent: str, tool: str, kind: str, limit: int = 5_000) -> Sequence[ProbeRow]:
    """Return the probes of a class of actions, newest first."""
    query = select(ProbeRow).where(ProbeRow.tenant == tenant, ProbeRow.agent == agent, ProbeRow.tool == tool, ProbeRow.kind == kind)
    return (await tx.exec(query.order_by(sa.desc(col(ProbeRow.created_at))).limit(limit))).all()


async def copies_of(tx: AsyncSession, thread: str) -> Sequence[tuple[str, str]]:
    """Return review and thread of every probe about an action of a thread."""
    copy = aliased(ActionRow)
    query = (
        select(ReviewRow.id, copy.thread)
        .join(ProbeRow, col(ProbeRow.review) == col(ReviewRow.id))
        .join(ActionRow, col(ActionRow.id) == col(ProbeRow.source))
        .join(copy, col(copy.id) == col(ReviewRow.action))
        .where(ActionRow.thread == thread)
    )
    return (await tx.exec(query)).all()
