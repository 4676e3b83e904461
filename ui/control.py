"""What is watched, undone and stopped, as the web surface offers it; refuses to know who may do what (the desk does)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..graph.control.watched import became
from .wire import as_json

if TYPE_CHECKING:
    from ..graph.desk import Desk

_STOPPERS = ("lead", "admin")


class Reason(BaseModel):
    """Why somebody steps in."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=400)


class Stopping(Reason):
    """What is to be stopped."""

    scope: Literal["all", "agent", "tool"]
    name: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Control:
    """The doors of the feed and of the stop button; `actor` is always the session's user name."""

    desk: Desk

    async def feed(self, actor: str, limit: int) -> dict[str, Any]:
        """Return what can be vetoed or undone now, and what became of what could."""
        ended = await became(self.desk.store, self.desk.clock, actor, limit)
        return {
            "feed": [as_json(line) for line in await self.desk.feed(actor, limit=limit)],
            "became": [as_json(line) for line in ended],
        }

    async def veto(self, actor: str, action_id: str, reason: str) -> dict[str, Any]:
        """Keep a held action from running."""
        await self.desk.veto(action_id, actor, reason)
        return {"ok": True}

    async def undo(self, actor: str, action_id: str, reason: str) -> dict[str, Any]:
        """Have the effect of an action undone."""
        await self.desk.undo(action_id, actor, reason)
        return {"ok": True}

    async def stops(self, actor: str) -> dict[str, Any]:
        """Return what is stopped, whether the actor may stop and lift, and what this process could stop by name."""
        user = await self.desk.users.get(actor)
        gates = {name: self.desk.gates(name) for name in self.desk.agents}
        return {
            "stops": [as_json(stop) for stop in await self.desk.stops(actor)],
            "may_stop": user is not None and user.role in _STOPPERS,
            "agents": sorted(gates),
            "tools": sorted({tool for several in gates.values() for gate in several for tool in gate.tools}),
        }

    async def stop(self, actor: str, stopping: Stopping) -> dict[str, Any]:
        """Stop everything, an agent or a tool."""
        await self.desk.stop(stopping.scope, stopping.name, actor, stopping.reason)
        return await self.stops(actor)

    async def lift(self, actor: str, stop_id: str, reason: str) -> dict[str, Any]:
        """Lift a stop."""
        await self.desk.lift(stop_id, actor, reason)
        return await self.stops(actor)
