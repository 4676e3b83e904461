"""Reads what final decisions teach; a decision that was taken back, or still can be, teaches nothing yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .models import ActionRow, DecisionRow, ExampleRow


class Taught(NamedTuple):
    """An example with its action, and for a rejected one what was accepted in its place, if anything was."""

    example: ExampleRow
    action: ActionRow
    instead: ExampleRow | None


_Found = tuple[ExampleRow, DecisionRow, ActionRow]


async def page(tx: AsyncSession, tenant: str, now: datetime, *, after: int = 0, limit: int = 200) -> Sequence[Taught]:
    """Return the examples of final decisions that were not retired, in order, from sequence `after` on."""
    found = await _final(tx, tenant, now, col(ExampleRow.sequence) > after, limit)
    rejected = {action.thread for example, _, action in found if example.label == "reject"}
    accepted = sa.and_(col(ActionRow.thread).in_(list(rejected)), col(ExampleRow.label).in_(["approve", "edit"]))
    instead = await _final(tx, tenant, now, accepted, None) if rejected else []
    return [Taught(row[0], row[2], _instead_of(row, instead) if row[0].label == "reject" else None) for row in found]


async def _final(
    tx: AsyncSession, tenant: str, now: datetime, which: sa.ColumnElement[bool], limit: int | None
) -> Sequence[_Found]:
    later = aliased(DecisionRow)
    withdrawn = sa.exists().where(
        col(later.review) == col(DecisionRow.review),
        col(later.sequence) > col(DecisionRow.sequence),
        col(later.type) == "withdrawn",
    )
    query = (
        select(ExampleRow, DecisionRow, ActionRow)
        .join(DecisionRow, col(DecisionRow.id) == col(ExampleRow.decision))
        .join(ActionRow, col(ActionRow.id) == col(ExampleRow.action))
        .where(ExampleRow.tenant == tenant, col(ExampleRow.retired_at).is_(None))
        .where(col(DecisionRow.effective_at) <= now, ~withdrawn, which)
    )
    return (await tx.exec(query.order_by(col(ExampleRow.sequence)).limit(limit))).all()


def _instead_of(rejected: _Found, accepted: Iterable[_Found]) -> ExampleRow | None:
    """Return what was accepted for the same request after the rejection; a sibling proposed before it is not."""
    example, decision, action = rejected
    for other, _, other_action in accepted:
        answers = other_action.thread == action.thread and other.text == example.text
        if answers and other_action.created_at > decision.created_at:
            return other
    return None
