"""What reviewers have done: the decisions that draws are made over, what can be asked about once more, and who is there to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .autonomy_models import ProbeRow
from .models import ActionRow, DecisionRow, ExecutionRow, ReviewRow
from .people_models import UserRow

DECIDED = ("approved", "rejected", "answered")


@dataclass(frozen=True, slots=True)
class Said:
    """One decision on an ordinary review."""

    sequence: int
    id: str
    action: str
    actor: str
    type: str
    effective_at: datetime
    status: str
    """Where its review stands."""
    alone: bool
    """Whether nothing else was ever said about it."""


async def _rows(tx: AsyncSession, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return the rows of a query for single columns, more of them than the session's own door is typed for."""
    await tx.flush()
    return (await (await tx.connection()).execute(query)).all()


def _others() -> sa.Exists:
    """Hold where something else was said about the review of a decision."""
    other = orm.aliased(DecisionRow)
    return sa.exists().where(col(other.review) == col(DecisionRow.review), col(other.id) != col(DecisionRow.id))


async def since(tx: AsyncSession, tenant: str, sequence: int, limit: int) -> Sequence[Said]:
    """Return the decisions on ordinary reviews after a sequence number, in order."""
    query = (
        sa.select(
            col(DecisionRow.sequence), col(DecisionRow.id), col(DecisionRow.action), col(DecisionRow.actor), col(DecisionRow.type),
            col(DecisionRow.effective_at), col(ReviewRow.status), ~_others(),
        )
        .join(ReviewRow, col(ReviewRow.id) == col(DecisionRow.review))
        .where(col(DecisionRow.tenant) == tenant, col(DecisionRow.sequence) > sequence, col(ReviewRow.kind) == "action")
        .where(col(DecisionRow.type) != "withdrawn")
    )  # fmt: skip
    rows = await _rows(tx, query.order_by(col(DecisionRow.sequence)).limit(limit))
    return [Said(*row) for row in rows]


async def newest(tx: AsyncSession, tenant: str) -> int:
    """Return the sequence number of a tenant's newest decision; 0 before the first."""
    query = sa.select(col(DecisionRow.sequence)).where(col(DecisionRow.tenant) == tenant)
    return int(await tx.scalar(query.order_by(sa.desc(col(DecisionRow.sequence))).limit(1)) or 0)


async def count_since(tx: AsyncSession, tenant: str, actor: str, at: datetime, cap: int) -> int:
    """Return how many decisions a person gave since a moment, counted to `cap` at most; what was taken back counts too."""
    which = (col(DecisionRow.tenant) == tenant, col(DecisionRow.actor) == actor, col(DecisionRow.created_at) >= at)
    given = sa.select(sa.literal(1)).select_from(DecisionRow).where(*which, col(DecisionRow.type) != "withdrawn").limit(cap)
    return int(await tx.scalar(sa.select(sa.func.count()).select_from(given.subquery())) or 0)


async def deciders(tx: AsyncSession, tenant: str, lately: datetime, limit: int = 2_000) -> dict[str, tuple[str, int]]:
    """Return who of the active people decided lately: their role, and how often among the newest `limit` decisions."""
    recent = sa.select(col(DecisionRow.actor), col(DecisionRow.created_at)).where(col(DecisionRow.tenant) == tenant)
    rows = recent.order_by(sa.desc(col(DecisionRow.sequence))).limit(limit).subquery()
    query = (
        sa.select(col(UserRow.name), col(UserRow.role), sa.func.count())
        .join(rows, rows.c.actor == col(UserRow.name))
        .where(col(UserRow.active).is_(True), col(UserRow.tenant) == tenant, rows.c.created_at >= lately)
        .group_by(col(UserRow.name), col(UserRow.role))
    )
    return {name: (role, count) for name, role, count in await _rows(tx, query)}


@dataclass(frozen=True, slots=True)
class Past:
    """A decided action that may be asked about once more."""

    action: str
    agent: str
    tool: str
    tool_digest: str
    requester: str
    actor: str
    type: str
    args: dict[str, Any] | None
    """What was accepted by an edit."""
    execution: str | None
    """What became of it, if it ran."""


async def askable(tx: AsyncSession, tenant: str, after: datetime, limit: int = 500) -> list[Past]:
    """Return actions that exactly one person decided since a moment, newest first, and that no probe has asked about yet.

    Left out is what has changed since: actions of tools whose schema is not that of the newest one, and what was erased.
    """
    probed = sa.exists().where(col(ProbeRow.source) == col(ActionRow.id))
    query = (
        sa.select(
            col(ActionRow.id), col(ActionRow.agent), col(ActionRow.tool), col(ActionRow.tool_digest), col(ActionRow.requester),
            col(DecisionRow.actor), col(DecisionRow.type), col(DecisionRow.args), col(ExecutionRow.status), ~probed,
        )
        .join(ReviewRow, col(ReviewRow.id) == col(DecisionRow.review))
        .join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        .join(ExecutionRow, col(ExecutionRow.action) == col(ActionRow.id), isouter=True)
        .where(col(DecisionRow.tenant) == tenant, col(DecisionRow.created_at) >= after, col(ReviewRow.kind) == "action")
        .where(col(ReviewRow.status).in_(DECIDED), ~_others(), col(ActionRow.erased_at).is_(None))
    )  # fmt: skip
    rows = await _rows(tx, query.order_by(sa.desc(col(DecisionRow.sequence))).limit(limit))
    schemas: dict[tuple[str, str], str] = {}
    found = [(Past(*row[:-1]), bool(row[-1])) for row in rows]
    return [one for one, fresh in found if schemas.setdefault((one.agent, one.tool), one.tool_digest) == one.tool_digest and fresh]


async def open_probes(tx: AsyncSession, tenant: str, kinds: Sequence[str]) -> Sequence[tuple[ProbeRow, ReviewRow]]:
    """Return the probes of these kinds that wait for an answer."""
    query = (
        select(ProbeRow, ReviewRow)
        .join(ReviewRow, col(ReviewRow.id) == col(ProbeRow.review))
        .where(ProbeRow.tenant == tenant, col(ProbeRow.kind).in_(kinds), col(ProbeRow.answered_at).is_(None))
        .where(ReviewRow.status == "pending")
    )
    return (await tx.exec(query)).all()


async def given(tx: AsyncSession, tenant: str, since: datetime, limit: int = 20_000) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return who decided what when, how long they had it before them and how long it takes to read at least, newest first."""
    query = sa.select(
        col(DecisionRow.actor), col(DecisionRow.type), col(DecisionRow.created_at), col(DecisionRow.seen_ms),
        col(DecisionRow.floor_ms),
    )  # fmt: skip
    query = query.where(col(DecisionRow.tenant) == tenant, col(DecisionRow.created_at) >= since)
    return await _rows(
        tx, query.where(col(DecisionRow.type) != "withdrawn").order_by(sa.desc(col(DecisionRow.sequence))).limit(limit)
    )


async def known(tx: AsyncSession, tenant: str, since: datetime, limit: int = 20_000) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return who answered a known-answer item, what the answer was known to be, and what they made of it; newest first.

    Then: when a lead was asked about it, if one was, and what the lead made of it, empty while they have not answered.
    """
    asked = orm.aliased(ProbeRow)
    query = sa.select(
        col(ProbeRow.answered_by), col(ProbeRow.expected), col(ProbeRow.outcome), col(asked.created_at), col(asked.outcome)
    ).join(asked, sa.and_(col(asked.source) == col(ProbeRow.source), col(asked.kind) == "settling"), isouter=True)
    query = query.where(col(ProbeRow.tenant) == tenant, col(ProbeRow.kind) == "known", col(ProbeRow.answered_at) >= since)
    return await _rows(tx, query.order_by(sa.desc(col(ProbeRow.answered_at))).limit(limit))


async def seconds(tx: AsyncSession, tenant: str, since: datetime, limit: int = 20_000) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return who decided an action first, who was asked second, and what each made of it; newest first."""
    query = sa.select(col(ReviewRow.not_for), col(ProbeRow.answered_by), col(ProbeRow.expected), col(ProbeRow.outcome))
    query = query.join(ReviewRow, col(ReviewRow.id) == col(ProbeRow.review))
    query = query.where(col(ProbeRow.tenant) == tenant, col(ProbeRow.kind) == "second", col(ProbeRow.answered_at) >= since)
    return await _rows(tx, query.order_by(sa.desc(col(ProbeRow.answered_at))).limit(limit))
