"""Reads classes of actions, an agent's use of one tool, as a whole: which there are, and what people decided about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .apart import not_apart
from .asked_again import MEASURING
from .autonomy_models import CertificateRow, ProbeRow
from .models import ActionRow, DecisionRow, ReviewRow


class Seen(NamedTuple):
    """How many actions of a class got one verdict."""

    agent: str
    tool: str
    title: str
    consequence: str
    verdict: str
    actions: int
    latest: datetime


class Decided(NamedTuple):
    """A decision that stands; `kind` is `action` or the kind of the probe."""

    type: str
    at: datetime
    kind: str


class Measured(NamedTuple):
    """What was measured of an action, whoever let it pass."""

    at: datetime
    readings: Sequence[Mapping[str, Any]]


async def seen(tx: AsyncSession, tenant: str, since: datetime) -> Sequence[Seen]:
    """Return the classes that proposed anything since a moment, by verdict; copies that probes ask about are left out."""
    parts = (col(ActionRow.agent), col(ActionRow.tool), col(ActionRow.title), col(ActionRow.consequence), col(ActionRow.verdict))
    query = sa.select(*parts, sa.func.count(), sa.func.max(col(ActionRow.created_at)))
    mine = sa.and_(col(ActionRow.tenant) == tenant, col(ActionRow.created_at) >= since, sa.text("actions.verdict <> 'probe'"))
    found = await tx.exec(query.where(mine).group_by(*parts))  # type: ignore[call-overload]
    return [Seen(*row) for row in found.all()]


async def asked_blind(tx: AsyncSession, tenant: str, since: datetime, name: str) -> Sequence[Seen]:
    """Return the copies that wait for an answer as if they were proposals: whoever counts proposals must not find them by it.

    Those are left out that are kept from `name`, and so do not look like new work to them.
    """
    parts = (col(ActionRow.agent), col(ActionRow.tool), col(ActionRow.title), col(ActionRow.consequence), sa.literal("review"))
    query = sa.select(*parts, sa.func.count(), sa.func.max(col(ActionRow.created_at)))
    query = query.join(ReviewRow, col(ReviewRow.action) == col(ActionRow.id)).join(
        ProbeRow, col(ProbeRow.review) == col(ReviewRow.id)
    )
    mine = (col(ProbeRow.tenant) == tenant, col(ProbeRow.kind).in_(MEASURING), col(ProbeRow.answered_at).is_(None))
    query = query.where(*mine, col(ReviewRow.status) == "pending", col(ActionRow.created_at) >= since, not_apart(name))
    found = await tx.exec(query.group_by(*parts[:-1]))  # type: ignore[call-overload]
    return [Seen(*row) for row in found.all()]


async def is_known(tx: AsyncSession, tenant: str, agent: str, tool: str) -> bool:
    """Tell whether a class ever proposed anything."""
    mine = (ActionRow.tenant == tenant, ActionRow.agent == agent, ActionRow.tool == tool, sa.text("actions.verdict <> 'probe'"))
    return (await tx.exec(select(ActionRow.id).where(*mine).limit(1))).first() is not None


async def decided(tx: AsyncSession, tenant: str, agent: str, tool: str, since: datetime, limit: int) -> Sequence[Decided]:
    """Return what people decided about a class since a moment, newest first: the last word on each review, unless taken back."""
    later = aliased(DecisionRow)
    overtaken = sa.exists().where(col(later.review) == col(DecisionRow.review), col(later.sequence) > col(DecisionRow.sequence))
    query = (
        sa.select(col(DecisionRow.type), col(DecisionRow.created_at), col(ReviewRow.kind), col(ProbeRow.kind))
        .join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        .join(ReviewRow, col(ReviewRow.id) == col(DecisionRow.review))
        .join(ProbeRow, col(ProbeRow.review) == col(DecisionRow.review), isouter=True)
        .where(col(ActionRow.tenant) == tenant, col(ActionRow.agent) == agent, col(ActionRow.tool) == tool)
        .where(col(DecisionRow.created_at) >= since, col(DecisionRow.type) != "withdrawn", ~overtaken)
        .order_by(sa.desc(col(DecisionRow.sequence)))
        .limit(limit)
    )
    found = await tx.exec(query)  # type: ignore[call-overload]
    return [Decided(decided, at, probe or kind) for decided, at, kind, probe in found.all()]


async def measured(tx: AsyncSession, tenant: str, agent: str, tool: str, since: datetime, limit: int) -> Sequence[Measured]:
    """Return what was measured of the actions of a class that policy ruled `gate`, newest first."""
    query = sa.select(col(ActionRow.created_at), col(ActionRow.readings)).where(col(ActionRow.tenant) == tenant)
    mine = (col(ActionRow.agent) == agent, col(ActionRow.tool) == tool, sa.text("actions.verdict <> 'probe'"))
    query = query.where(*mine, col(ActionRow.created_at) >= since).order_by(sa.desc(col(ActionRow.created_at))).limit(limit)
    found = await tx.exec(query)  # type: ignore[call-overload]
    return [Measured(at, readings) for at, readings in found.all() if readings]


async def offered(tx: AsyncSession, tenant: str) -> Sequence[CertificateRow]:
    """Return the certificates that wait for a signature, newest first."""
    query = select(CertificateRow).where(CertificateRow.tenant == tenant, CertificateRow.status == "offered")
    return (await tx.exec(query.order_by(sa.desc(col(CertificateRow.created_at))))).all()
