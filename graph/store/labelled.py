"""Reads what people said of a class's gated actions, which classes there are, and which decisions are new; bounded reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .autonomy_models import ProbeRow
from .models import ActionRow, DecisionRow, ReviewRow
from .session import Store

PAGE = 500
"""Actions read at a time, so that nothing else waits long; a class whose newest page has no gated action has none."""

SCANNED = 10_000
"""So many of the newest actions of a class are read at most: a long history costs no more than this."""

CLASSES = 500
"""So many classes are told at most."""

_OWN = sa.text("actions.verdict <> 'probe'")


class Gated(NamedTuple):
    """An action that policy ruled `gate`, with what was said of it, if anything was."""

    id: str
    thread: str
    verdict: str
    consequence: str
    tool_digest: str
    readings: Sequence[Mapping[str, Any]]
    reasons: Sequence[Mapping[str, Any]]
    provenance: Mapping[str, Any]
    args: dict[str, Any]
    args_schema: dict[str, Any]
    created_at: datetime
    erased_at: datetime | None
    status: str | None
    """Of its review; None when nobody was asked before it ran."""
    decision: str | None
    """The type of the last decision on it."""
    accepted: dict[str, Any] | None
    """The arguments of that decision where a person changed them."""
    effective_at: datetime | None
    """From when on all decisions on it count."""
    probe: str | None
    """`audit` or `shadow` when one asked about it."""
    outcome: str | None
    """What that probe's answer came to; empty while there is none."""
    answer: str | None
    """What was decided on that probe."""

    @property
    def earned(self) -> Mapping[str, Any]:
        """What was recorded of its class at that moment."""
        found: Mapping[str, Any] = self.provenance["earned"]
        return found


async def gated(store: Store, tenant: str, agent: str, tool: str, limit: int = SCANNED) -> AsyncIterator[Gated]:
    """Yield the gated actions of a class, newest first, page by page, each page one view of the rows."""
    before: tuple[datetime, str] | None = None
    for start in range(0, limit, PAGE):
        async with store.read() as tx:
            page = [Gated(*row) for row in await _page(tx, tenant, agent, tool, before, min(PAGE, limit - start))]
        found = [row for row in page if row.provenance.get("earned")]
        for row in found:
            yield row
        if len(page) < PAGE or (start == 0 and not found):
            return
        before = (page[-1].created_at, page[-1].id)


async def latest(tx: AsyncSession, tenant: str, agent: str, tool: str) -> Gated | None:
    """Return the newest gated action of a class: under which key, consequence and ceiling it acts now."""
    for limit in (1, PAGE):
        rows = [Gated(*row) for row in await _page(tx, tenant, agent, tool, None, limit)]
        if found := [row for row in rows if row.provenance.get("earned")]:
            return found[0]
    return None


async def _page(
    tx: AsyncSession, tenant: str, agent: str, tool: str, before: tuple[datetime, str] | None, limit: int
) -> Sequence[Any]:
    said, last = aliased(DecisionRow), aliased(DecisionRow)
    newest = sa.select(sa.func.max(col(said.sequence))).where(col(said.review) == col(ReviewRow.id)).correlate(ReviewRow)
    counts = sa.select(sa.func.max(col(said.effective_at))).where(col(said.review) == col(ReviewRow.id)).correlate(ReviewRow)
    asked = sa.and_(col(ProbeRow.source) == col(ActionRow.id), col(ProbeRow.kind).in_(["audit", "shadow"]))
    own = (ActionRow.id, ActionRow.thread, ActionRow.verdict, ActionRow.consequence, ActionRow.tool_digest)
    measured = (ActionRow.readings, ActionRow.reasons, ActionRow.provenance, ActionRow.args, ActionRow.args_schema)
    answered = (ReviewRow.status, last.type, last.args, counts.scalar_subquery())
    probed = (ProbeRow.kind, ProbeRow.outcome, ProbeRow.decision)
    query = (
        sa.select(*own, *measured, ActionRow.created_at, ActionRow.erased_at, *answered, *probed)  # type: ignore[call-overload]
        .join(ReviewRow, col(ReviewRow.action) == col(ActionRow.id), isouter=True)
        .join(last, col(last.sequence) == newest.scalar_subquery(), isouter=True)
        .join(ProbeRow, asked, isouter=True)
        .where(col(ActionRow.tenant) == tenant, col(ActionRow.agent) == agent, col(ActionRow.tool) == tool, _OWN)
    )
    if before is not None:
        query = query.where(sa.tuple_(col(ActionRow.created_at), col(ActionRow.id)) < before)
    query = query.order_by(sa.desc(col(ActionRow.created_at)), sa.desc(col(ActionRow.id)))
    found: Sequence[Any] = (await tx.exec(query.limit(limit))).all()
    return found


async def classes(tx: AsyncSession, tenant: str, limit: int = CLASSES) -> list[tuple[str, str]]:
    """Return agent and tool of every class that ever proposed anything, by one step along the index each."""
    found: list[tuple[str, str]] = []
    place = sa.tuple_(col(ActionRow.agent), col(ActionRow.tool))
    while len(found) < limit:
        query = select(ActionRow.agent, ActionRow.tool).where(ActionRow.tenant == tenant, _OWN)
        if found:
            query = query.where(place > found[-1])
        row = (await tx.exec(query.order_by(col(ActionRow.agent), col(ActionRow.tool)).limit(1))).first()
        if row is None:
            break
        found.append((row[0], row[1]))
    return found


async def newest_decision(tx: AsyncSession, tenant: str) -> int:
    """Return the number of a tenant's newest decision; 0 when there is none."""
    query = select(DecisionRow.sequence).where(DecisionRow.tenant == tenant).order_by(sa.desc(col(DecisionRow.sequence)))
    return (await tx.exec(query.limit(1))).first() or 0


async def decided_since(tx: AsyncSession, tenant: str, after: int, limit: int) -> Sequence[tuple[int, str, str]]:
    """Return number, agent and tool of the decisions after a number, in their order; answers to probes are among them."""
    query = (
        select(DecisionRow.sequence, ActionRow.agent, ActionRow.tool)
        .join(ActionRow, col(ActionRow.id) == col(DecisionRow.action))
        .where(DecisionRow.tenant == tenant, col(DecisionRow.sequence) > after)
        .order_by(col(DecisionRow.sequence))
    )
    return [(number or 0, agent, tool) for number, agent, tool in (await tx.exec(query.limit(limit))).all()]
