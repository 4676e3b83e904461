"""Takes classes down that nobody audits badly: those whose key has changed, and all while reviewers cannot be relied on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph.autonomy.earned import VOID
from ...graph.autonomy.levels import EARNED
from ...graph.clock import Clock
from ...graph.store import autonomy, settings
from ...graph.store.autonomy_models import AutonomyRow
from ...graph.store.session import Store
from ..ladder.evidence import HEALTH
from ..ladder.levels import Cause, demoted


async def watched_over(store: Store, clock: Clock, tenant: str) -> int:
    """Take down what has to go, one level each; nothing of it passes until it is signed for. Returns how many classes."""
    async with store.read() as tx:  # a look costs no write lock
        health = await settings.get(tx, tenant, HEALTH)
        due = [row for row in await autonomy.every(tx, tenant) if cause_of(row, health) is not None]
    changed = 0
    for seen in due:
        async with store.begin() as tx:
            row = await autonomy.locked(tx, tenant, seen.agent, seen.tool)
            health = await settings.get(tx, tenant, HEALTH)
            cause = cause_of(row, health) if row is not None else None
            if row is not None and cause is not None:
                changed += await demoted(tx, row, cause[0], cause[1], clock())
    return changed


def cause_of(row: AutonomyRow, health: Mapping[str, Any] | None) -> tuple[Cause, str] | None:
    """Return why a class has to go down, if it has to; one that is suspended already goes once, for its key."""
    if row.level not in EARNED:
        return None
    if row.suspended.startswith(VOID):
        return "key", row.suspended
    if not row.suspended and health is not None and health.get("healthy") is False:
        return "reviewers", f"Reviewers cannot be relied on now. {health.get('why', '')}".strip()
    return None
