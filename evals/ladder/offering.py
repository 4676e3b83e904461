"""Offers certificates: tries to certify a class when enough new decisions came in, and lays what came of it before leads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...graph.access.people import require
from ...graph.autonomy.levels import Level
from ...graph.clock import Clock, fresh_id
from ...graph.errors import AssentError, StoreError
from ...graph.store import autonomy, chores, labelled, settings
from ...graph.store.autonomy_models import CertificateRow
from ...graph.store.session import AsyncSession, Store
from ..certify.certifying import Tried, certified, prepared, tried
from ..certify.labels import STATED, Labels, labels_of
from .evidence import RESTARTS, facts_of, fresh

STATE = "learning"
"""The setting that says up to which decision everything was looked at, and how many are new for each class."""

LEASE = timedelta(minutes=10)
PAGE = 1_000
TRIES = 200
"""So many of the newest certificates of a class are read to number the next try."""

log = logging.getLogger("assent")


class Offers:
    """Looks for classes that are due and offers certificates; one process at a time does it for a tenant."""

    def __init__(self, store: Store, clock: Clock, tenant: str, *, every: int, pause: timedelta) -> None:
        self._store, self._clock, self._tenant, self._every, self._pause = store, clock, tenant, every, pause
        self._owner, self._chore = fresh_id("learner"), f"learn {tenant}"
        self._after: int | None = None
        self._at: datetime | None = None

    async def __call__(self) -> int:
        """Look at what is due; returns how many certificates were offered, tried or ended."""
        if not await self._is_due():
            return 0
        async with self._store.begin() as tx:
            if not await chores.take(tx, self._chore, self._owner, self._clock(), LEASE):
                return 0
        try:
            return await self._round()
        finally:
            async with self._store.begin() as tx:
                await chores.release(tx, self._chore, self._owner, self._clock())

    async def _is_due(self) -> bool:
        """Tell whether enough came in since this process last looked; a look costs no write lock."""
        self._at = self._at or self._clock()
        async with self._store.read() as tx:
            newest = await labelled.newest_decision(tx, self._tenant)
            if self._after is None:
                self._after = int((await settings.get(tx, self._tenant, STATE) or {}).get("after", 0))
        new = newest - self._after
        return new >= self._every or (new > 0 and self._rested())

    def _rested(self) -> bool:
        return self._at is not None and self._clock() - self._at >= self._pause

    async def _round(self) -> int:
        async with self._store.read() as tx:
            state = await settings.get(tx, self._tenant, STATE) or {}
            newest = await labelled.newest_decision(tx, self._tenant)
        after, new = int(state.get("after", 0)), {(agent, tool): count for agent, tool, count in state.get("new", [])}
        after = max(after, newest - labelled.SCANNED)  # what came before on an old desk is read with its class all the same
        while True:
            async with self._store.read() as tx:
                page = await labelled.decided_since(tx, self._tenant, after, PAGE)
            for after, agent, tool in page:  # noqa: B007 - the last number is where to go on
                new[agent, tool] = new.get((agent, tool), 0) + 1
            if len(page) < PAGE:
                break
        rested = self._rested()
        due = [which for which, count in new.items() if count >= self._every or (rested and count > 0)]
        changed = 0
        for agent, tool in due:
            changed += await self._looked_at(agent, tool)
        left = [[agent, tool, count] for (agent, tool), count in sorted(new.items()) if (agent, tool) not in due]
        async with self._store.begin() as tx:
            await settings.put(tx, self._tenant, STATE, {"after": after, "new": left}, self._clock())
        self._after = after
        if rested:
            self._at = self._clock()
        return changed

    async def _looked_at(self, agent: str, tool: str) -> int:
        try:
            return await looked_at(self._store, self._clock, self._tenant, agent, tool)
        except (StoreError, ModuleNotFoundError):
            raise
        except Exception:  # a class that cannot be certified must not keep the others from it
            log.exception("%s of %s could not be certified", tool, agent)
            return 0


async def looked_at(store: Store, clock: Clock, tenant: str, agent: str, tool: str) -> int:
    """Try to certify a class for its next level if it is time; returns how many certificates were offered, tried or ended."""
    labels = await labels_of(store, tenant, agent, tool, clock(), since=await restarted(store, tenant, agent, tool))
    if labels is None:
        return 0
    key = labels.key.digest()
    async with store.begin() as tx:
        known = await autonomy.certificates(tx, tenant, agent, tool, TRIES)
        ended = await _ended(tx, (one for one in known if one.key != key), "The key of the class has changed.", clock())
        row = await autonomy.get(tx, tenant, agent, tool) or fresh(tenant, agent, tool, clock())
        level = max((await facts_of(tx, row, clock())).to, Level.CERTIFIED)
    if level > labels.ceiling or (level == row.level and not row.suspended):
        return ended
    before = [one for one in known if one.key == key and one.level == level]
    found = await asyncio.to_thread(tried, labels, level, len(before) + 1, could_pass_before(before, labels))
    return ended if found is None else ended + await _laid(store, clock, tenant, labels, found)


async def measured(
    store: Store, clock: Clock, actor: str, agent: str, tool: str, *, alpha: float, delta: float
) -> tuple[Labels, Tried]:
    """Certify a class on its rows as they are now, and offer nothing: looking at it spends no try, and promises nothing.

    Raises NotAllowed below viewer, and AssentError for a class that nothing can be certified of.
    """
    async with store.read() as tx:
        tenant = (await require(tx, actor, "viewer")).tenant
    labels = await labels_of(store, tenant, agent, tool, clock(), since=await restarted(store, tenant, agent, tool))
    if labels is None:
        raise AssentError(f"Policy has ruled `gate` on no action of {agent!r} with {tool!r}, so nothing of it can be certified.")
    if labels.stated:
        raise AssentError(STATED)
    return labels, await asyncio.to_thread(lambda: certified(labels, prepared(labels), Level.CERTIFIED, alpha, delta))


async def restarted(store: Store, tenant: str, agent: str, tool: str) -> datetime | None:
    """Return since when actions of a class certify: its last alarm or critical error."""
    async with store.read() as tx:
        steps = await autonomy.changes(tx, tenant, agent, tool, TRIES)
    return next((step.at for step in steps if step.by in RESTARTS), None)


def could_pass_before(before: Sequence[CertificateRow], labels: Labels) -> int:
    """Return how many of the rows that certify now could pass at the last try; 0 where it was on rows that certify no more.

    Args:
        before: the tries for the same level under the same key, newest first.
        labels: what is known of the class.
    """
    if not before or not labels.rows or (labels.begun is not None and before[0].created_at < labels.begun):
        return 0
    return int(before[0].report.get("could_pass", 0))


async def _laid(store: Store, clock: Clock, tenant: str, labels: Labels, found: Tried) -> int:
    """Write down what a try came to; what was on offer before ends, whichever way it went."""
    async with store.begin() as tx:
        now = clock()
        row = await autonomy.locked(tx, tenant, labels.agent, labels.tool)
        facts = await facts_of(tx, row or fresh(tenant, labels.agent, labels.tool, now), now)
        if max(facts.to, Level.CERTIFIED) != found.level or facts.key != labels.key.digest():
            return 0  # somebody signed, or the key changed, while it was tried
        known = await autonomy.certificates(tx, tenant, labels.agent, labels.tool, TRIES)
        told = (
            "A later try certified it anew." if found.certified.threshold is not None else "A later try did not keep the promise."
        )
        ended = await _ended(tx, known, told, now, new="replaced" if found.certified.threshold is not None else "void")
        await autonomy.add_certificate(tx, row_of(tenant, labels, found, now))
        return ended + 1


async def _ended(tx: AsyncSession, rows: Iterable[CertificateRow], reason: str, now: datetime, new: str = "void") -> int:
    offered = [one for one in rows if one.status == "offered"]
    for one in offered:
        await autonomy.turn_certificate(tx, one, "offered", new, ended_at=now, ended_reason=reason)
    return len(offered)


def row_of(tenant: str, labels: Labels, found: Tried, now: datetime) -> CertificateRow:
    """Return the row of a certificate that waits for a signature, or of a try that kept no threshold."""
    result = found.certified
    numbers: dict[str, Any] = {name: getattr(result, name) for name in ("alpha", "delta", "threshold", "rows", "n", "k")}
    return CertificateRow(
        id=fresh_id("cert"),
        tenant=tenant,
        agent=labels.agent,
        tool=labels.tool,
        key=labels.key.digest(),
        parts=labels.key.as_json(),
        level=int(found.level),
        coverage=result.coverage,
        bound=result.bound,
        head=found.head.as_json(),
        report=dict(found.report),
        status="offered" if result.threshold is not None else "none",
        created_at=now,
        **numbers,
    )
