"""How much is proposed, how long it waits and what people said of it, over the newest rows only: a long history costs no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import HoldRow
from .models import ActionRow, DecisionRow, ExecutionRow, ReviewRow

NEWEST = 10_000
"""So many of the newest proposals, asked about and not, are counted."""

ANSWERS = 5_000
"""So many of the newest decisions are read."""

WINDOWS = 500
"""So many of the newest windows to veto or undo are looked at."""

_SLICE = 200


class Proposed(NamedTuple):
    """Proposals of one tool by one agent under one schema, model, prompt, policy and terms, as one sum."""

    agent: str
    tool: str
    tool_digest: str
    consequence: str
    provenance: dict[str, Any]
    recent: int
    """How many since the moment asked about."""
    first: datetime
    last: datetime


class Answered(NamedTuple):
    """One decision on an action, with what is needed to tell whether it stands, and how long it took."""

    id: str
    type: str
    withdraws: str | None
    review: str
    status: str
    """Of the review."""
    effective_at: datetime
    seen_ms: int | None
    asked_at: datetime
    decided_at: datetime | None
    action: str
    agent: str
    tool: str
    tool_digest: str
    provenance: dict[str, Any]


class Edited(NamedTuple):
    """What a person made of an action's arguments."""

    decision: str
    args: dict[str, Any]
    edited: dict[str, Any] | None
    schema: dict[str, Any]


_SORT = (
    col(ActionRow.agent),
    col(ActionRow.tool),
    col(ActionRow.tool_digest),
    col(ActionRow.consequence),
    col(ActionRow.provenance),
)


async def proposed(tx: AsyncSession, tenant: str, since: datetime) -> list[Proposed]:
    """Return what was proposed, summed, from the newest reviews and the newest actions nobody was asked about."""
    asked = sa.select(col(ReviewRow.action)).where(col(ReviewRow.tenant) == tenant)
    asked = asked.order_by(sa.desc(col(ReviewRow.number))).limit(NEWEST)
    alone = sa.select(col(ActionRow.id)).where(col(ActionRow.tenant) == tenant, sa.text("actions.verdict <> 'review'"))
    alone = alone.order_by(sa.desc(col(ActionRow.created_at))).limit(NEWEST)
    return [*await _summed(tx, asked, since), *await _summed(tx, alone, since)]


async def _summed(tx: AsyncSession, newest: sa.Select[Any], since: datetime) -> list[Proposed]:
    at = col(ActionRow.created_at)
    recent = sa.func.sum(sa.case((at >= since, 1), else_=0))
    query = sa.select(*_SORT, recent, sa.func.min(at), sa.func.max(at))
    own = (col(ActionRow.verdict) != "probe", col(ActionRow.tool_digest) != "")  # a tool that nobody offers has no digest
    query = query.where(col(ActionRow.id).in_(newest), *own).group_by(*_SORT)
    return [Proposed(*row) for row in await _rows(tx, query)]


async def answered(tx: AsyncSession, tenant: str) -> list[Answered]:
    """Return the newest decisions on actions, newest first; answers to probes are left out, they let nothing run."""
    columns = (
        *(DecisionRow.id, DecisionRow.type, DecisionRow.withdraws, DecisionRow.review, ReviewRow.status, DecisionRow.effective_at),
        *(DecisionRow.seen_ms, ReviewRow.created_at, ReviewRow.decided_at, DecisionRow.action),
        *(ActionRow.agent, ActionRow.tool, ActionRow.tool_digest, ActionRow.provenance),
    )
    query = (
        sa.select(*(col(one) for one in columns))
        .join(ReviewRow, col(ReviewRow.id) == col(DecisionRow.review))
        .join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        .where(col(DecisionRow.tenant) == tenant, col(ReviewRow.kind) == "action")
        .order_by(sa.desc(col(DecisionRow.sequence)))
    )
    return [Answered(*row) for row in await _rows(tx, query.limit(ANSWERS))]


async def edited(tx: AsyncSession, decisions: Sequence[str]) -> list[Edited]:
    """Return the arguments before and after some edits."""
    columns = (DecisionRow.id, ActionRow.args, DecisionRow.args, ActionRow.args_schema)
    found: list[Edited] = []
    for some in _sliced(decisions):
        query = sa.select(*(col(one) for one in columns)).join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        found += [Edited(*row) for row in await _rows(tx, query.where(col(DecisionRow.id).in_(some)))]
    return found


def _sliced(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), _SLICE):
        yield names[first : first + _SLICE]


async def undoable(tx: AsyncSession, tenant: str) -> set[str]:
    """Return the tools of what could lately be undone."""
    newest = select(ExecutionRow.tool).where(ExecutionRow.tenant == tenant, col(ExecutionRow.undo_until).is_not(None))
    return set((await tx.exec(newest.order_by(sa.desc(col(ExecutionRow.undo_until))).limit(WINDOWS))).all())


async def held(tx: AsyncSession, tenant: str) -> dict[str, float]:
    """Return the tools that were lately held for a veto, each with its newest window in seconds."""
    newest = sa.select(col(HoldRow.tool), col(HoldRow.created_at), col(HoldRow.until)).where(col(HoldRow.tenant) == tenant)
    rows = await _rows(tx, newest.order_by(sa.desc(col(HoldRow.until))).limit(WINDOWS))
    return {tool: (until - at).total_seconds() for tool, at, until in reversed(rows)}


async def _rows(tx: AsyncSession, query: Any) -> Sequence[Any]:
    found: Sequence[Any] = (await tx.exec(query)).all()
    return found
