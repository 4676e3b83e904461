"""The stop button: nothing it covers starts until it is lifted; what waits keeps waiting, and nothing is refused by it.

Pressing a stop and claiming an execution are serial: once `press` returns, whatever it covers either was claimed before, and is
shown as in flight, or does not start. Undoing goes on: it makes things safer. An agent that is stopped proposes nothing either.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..access.people import require
from ..audit import records
from ..clock import Clock, fresh_id
from ..errors import AssentError, NotAllowed
from ..store import stops, threads, wakes
from ..store.control_models import StopRow
from ..store.models import ActionRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from . import notices
from .due import in_words

SCOPES = ("all", "agent", "tool")
CAP = 1_000
SHOWN = 50
BATCH = 100


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop as people see it."""

    id: str
    scope: str
    name: str
    reason: str
    by: str
    at: str
    lifted_by: str | None
    lifted_at: str | None
    in_flight: list[dict[str, Any]]
    """What had been claimed before and has not ended: `action`, `title`, `tool`, `agent`, `thread`, `since`; fifty at most."""
    waiting: int
    """How many cases it keeps back, counted to 1,000 at most."""

    def as_json(self) -> dict[str, Any]:
        """Return the stop as plain JSON."""
        return asdict(self)


async def press(store: Store, clock: Clock, known: Collection[str], scope: str, name: str, actor: str, reason: str) -> StopView:
    """Press a stop; only a lead or an admin may. `known` are the agents, or tools, that this process knows."""
    if scope not in SCOPES or bool(name) == (scope == "all"):
        raise AssentError("Stop 'all', or 'agent' or 'tool' with its exact name.")
    async with store.begin() as tx:
        user = await require(tx, actor, "lead")
        if scope != "all" and name not in known and not await stops.is_known(tx, user.tenant, scope, name):
            raise AssentError(
                f"There is no {scope} {name!r}, so nothing was stopped; known here: {', '.join(sorted(known)) or 'none'}."
            )
        await stops.seize(tx, user.tenant)
        now = clock()
        row = StopRow(id=fresh_id("stop"), tenant=user.tenant, scope=scope, name=name, reason=reason, by=actor, at=now)
        await stops.add(tx, row)
        body = {"scope": scope, "name": name, "role": user.role}
        records.about(tx, row.tenant, now, "stop.pressed", actor, row.id, body, {"reason": reason})
        await notices.about_stop(tx, "stopped", row, now)
    async with store.read() as tx:
        return await _view(tx, row)


async def lift(store: Store, clock: Clock, stop_id: str, actor: str, reason: str) -> None:
    """Lift a stop; what it kept back goes on, unless another stop covers it."""
    async with store.begin() as tx:
        user = await require(tx, actor, "lead")
        row = await _of(tx, user, stop_id)
        if not await stops.lift(tx, stop_id, actor, reason, clock()):
            raise NotAllowed(f"This stop was lifted already, by {row.lifted_by}.")
        row = await _of(tx, user, stop_id)
        body = {"scope": row.scope, "name": row.name, "role": user.role}
        records.about(tx, row.tenant, clock(), "stop.lifted", actor, stop_id, body, {"reason": reason})
        await notices.about_stop(tx, "lifted", row, clock())


async def shown(store: Store, actor: str) -> list[StopView]:
    """Return the stops that are pressed, oldest first."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        return [await _view(tx, row) for row in await stops.pressed(tx, user.tenant)]


async def _of(tx: AsyncSession, user: UserRow, stop_id: str) -> StopRow:
    row = await stops.get(tx, stop_id)
    if row is None or row.tenant != user.tenant:
        raise AssentError("There is no such stop.")
    return row


async def _view(tx: AsyncSession, row: StopRow) -> StopView:
    flying = [
        {
            "action": action.id,
            "title": action.title,
            "tool": action.tool,
            "agent": action.agent,
            "thread": action.thread,
            "since": notices.told(execution.claimed_at),
        }
        for execution, action in await stops.in_flight(tx, row, SHOWN)
    ]
    waiting = await stops.waiting(tx, row, CAP)
    at, lifted_at = row.at.isoformat(), notices.told(row.lifted_at)
    return StopView(row.id, row.scope, row.name, row.reason, row.by, at, row.lifted_by, lifted_at, flying, waiting)


async def keeps_back(tx: AsyncSession, row: ActionRow, now: datetime) -> bool:
    """Tell whether a stop covers an action, and note that its thread waits for it; the caller has shared the tenant's stops."""
    stop = await stops.covering(tx, row.tenant, await _agents(tx, row.thread, row.agent), row.tool)
    if stop is not None:
        await stops.pause(tx, stop.id, row.thread, now)
    return stop is not None


async def forbids(tx: AsyncSession, row: ActionRow) -> bool:
    """Tell whether a stop covers an action; locks the tenant's stops as they are, so it comes before any other lock."""
    await stops.share(tx, row.tenant)
    return await stops.covering(tx, row.tenant, await _agents(tx, row.thread, row.agent), row.tool) is not None


async def keeps(store: Store, clock: Clock, row: ActionRow) -> str:
    """Return the words of a stop that covers an action, having noted that its thread waits for it; empty when there is none."""
    return await _kept(store, clock, row.tenant, row.agent, row.tool, row.thread)


async def rests(store: Store, clock: Clock, tenant: str, agent: str, thread: str) -> str:
    """Return the words of a stop under which an agent proposes nothing, having noted that the thread waits; empty without one."""
    return await _kept(store, clock, tenant, agent, None, thread)


async def _agents(tx: AsyncSession, thread: str, agent: str) -> set[str]:
    """Return the names of who is at work: of the gate, and of the agent that drives the thread."""
    row = await threads.get(tx, thread)
    return {agent, row.agent} if row is not None else {agent}


async def _kept(store: Store, clock: Clock, tenant: str, agent: str, tool: str | None, thread: str) -> str:
    async with store.read() as tx:  # a look costs no write lock
        if await stops.covering(tx, tenant, await _agents(tx, thread, agent), tool) is None:
            return ""
    async with store.begin() as tx:
        await stops.share(tx, tenant)
        stop = await stops.covering(tx, tenant, await _agents(tx, thread, agent), tool)
        if stop is None:
            return ""
        if await threads.get(tx, thread) is not None:
            await stops.pause(tx, stop.id, thread, clock())
    return f"{notices.described(stop)} was stopped by {stop.by} at {in_words(stop.at)}; it goes on when the stop is lifted."


class Waker:
    """Wakes what a lifted stop kept back; a part of the sweep."""

    def __init__(self, store: Store, clock: Clock, tenant: str) -> None:
        self._store, self._clock, self._tenant = store, clock, tenant

    async def __call__(self) -> int:
        """Wake some; returns how many."""
        async with self._store.read() as tx:
            found = await stops.lifted(tx, self._tenant, BATCH)
        if not found:
            return 0
        woken = 0
        async with self._store.begin() as tx:
            for row in found:
                if await stops.release(tx, row):
                    await wakes.add(tx, row.thread, "lifted", self._clock())
                    woken += 1
        return woken
