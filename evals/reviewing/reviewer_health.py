"""Looks at a desk's reviewers now and then: writes down whether they can be relied on, and tells a lead once where they cannot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ...graph.audit import records
from ...graph.authority import reviewing
from ...graph.authority.reviewing import HEALTH
from ...graph.clock import Clock
from ...graph.control import notices
from ...graph.store import probes, reviewed, settings
from ...graph.store.session import AsyncSession, Store
from .contested import known_items
from .reviewers import Given, Health, Line, Pair, health, new_alarms

SINCE = timedelta(days=90)
"""What is older says nothing of the reviewers as they are."""

LATELY = timedelta(days=14)
"""Whoever decided within this time can be the second person."""

AGAIN = timedelta(minutes=5)
"""How long a look holds good."""


async def seen(tx: AsyncSession, tenant: str, now: datetime) -> Health:
    """Return what the last ninety days say of a tenant's reviewers."""
    bar, since = (await reviewing.read(tx, tenant)).catch, now - SINCE
    given = [Given(*row) for row in await reviewed.given(tx, tenant, since)]
    items = await known_items(tx, tenant, since, now)
    pairs = [Pair(first, second, (one, other)) for first, second, one, other in await reviewed.seconds(tx, tenant, since)]
    return health(
        given, items, pairs, bar, [(row.answered_by, row.outcome) for row in await probes.answered(tx, tenant, "audit", since)]
    )


async def look(store: Store, clock: Clock, tenant: str) -> int:
    """Look at the reviewers, if the last look is long enough ago; returns 1 when something about them has changed.

    Nothing is written before somebody answered a known-answer item or was hasty: what was never measured is not in doubt.
    """
    async with store.read() as tx:
        now, before = clock(), await settings.get(tx, tenant, HEALTH)
        if before is not None and now - datetime.fromisoformat(before["at"]) < AGAIN:
            return 0
        found = await seen(tx, tenant, now)
        people = await reviewed.deciders(tx, tenant, now - LATELY)
    if before is None and not found.catch.n and not any(line.alarms for line in found.lines):
        return 0
    return await _written(store, tenant, now, found, len(people))


async def _written(store: Store, tenant: str, now: datetime, found: Health, people: int) -> int:
    async with store.begin() as tx:
        before = await settings.locked(tx, tenant, HEALTH)
        value = _row(found, people, now)
        if not (await settings.swap(tx, tenant, HEALTH, value, now))[0]:
            return 0
        told: dict[str, Sequence[str]] = (before or {}).get("alarms", {})
        for line, word in new_alarms(told, found.lines):
            await notices.about_reviewer(tx, tenant, now, line.name, ALARMS[word](line), word)
        if before is None or before["healthy"] is not found.healthy or before["alarms"] != value["alarms"]:
            body = {name: part for name, part in value.items() if name != "at"}
            records.about(tx, tenant, now, "reviewers.judged", "learner", HEALTH, body)
            return 1
        return 0


def _row(found: Health, people: int, now: datetime) -> dict[str, Any]:
    """Return what is stored; a second person is asked for only where there are enough people to be one."""
    return {
        "healthy": found.healthy,
        "why": found.why,
        "at": now.isoformat(),
        "catch": found.catch.bounds[0] if found.catch.n else None,
        "caught": found.catch.as_json(),
        "second": found.healthy is False and people >= 2,
        "alarms": {line.name: list(line.alarms) for line in found.lines if line.alarms},
    }


def _missed(line: Line) -> str:
    missed = line.catch.n - line.catch.caught
    return (
        f"{line.name} let {missed} of {line.catch.n} known-answer items through that are wrong; see to it that they are not alone."
    )


def _rushed(line: Line) -> str:
    return f"{line.name} decided {line.hasty} of {line.timed} costly or irreversible actions faster than their cards can be read."


def _evaded(line: Line) -> str:
    found = line.left_out
    return (
        f"{line.name} answered {found.caught} of {found.n} audits in the tool's place, which says neither right nor wrong; "
        "audits of such answers measure nothing."
    )


ALARMS = {"catch": _missed, "hasty": _rushed, "left_out": _evaded}
