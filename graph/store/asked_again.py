"""What is asked about once more, blind, just now: whoever could be handed that probe is not shown what became of its action."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from .apart import not_apart
from .autonomy_models import ProbeRow
from .models import ReviewRow

MEASURING = ("audit", "known", "second", "shadow")
"""The probes that nobody is to recognise; who settles which of two is right may look both up."""


def asked_again(action: Any, name: str) -> sa.ColumnElement[bool]:
    """Hold where a probe about an action waits that somebody is not kept from; never for an empty name.

    Args:
        action: the column with the action's id.
        name: who looks; empty for somebody from whom nothing is held back.
    """
    if not name:
        return sa.false()
    waiting, probe = orm.aliased(ReviewRow), orm.aliased(ProbeRow)
    return (
        sa.exists()
        .where(col(probe.source) == action, col(probe.kind).in_(MEASURING), col(probe.answered_at).is_(None))
        .where(col(waiting.id) == col(probe.review), col(waiting.status) == "pending", not_apart(name, col(waiting.not_for)))
    )


async def among(tx: AsyncSession, actions: Collection[str], name: str) -> set[str]:
    """Return which of these actions are held back from somebody now."""
    if not name or not actions:
        return set()
    query = sa.select(col(ProbeRow.source)).where(col(ProbeRow.source).in_(actions), asked_again(col(ProbeRow.source), name))
    return {row[0] for row in (await (await tx.connection()).execute(query)).all()}
