"""The desk's doors of time and control: later, longer, somebody else, not at all, back again, stop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from . import feed, holding, notifying, stopping, timing, undoing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..agent import Agent
    from ..clock import Clock
    from ..store.session import Store
    from ..wiring import Gate
    from ..work.worker import Worker


class Controls:
    """The part of a desk that holds work back, moves it in time and takes it back."""

    store: Store
    clock: Clock
    worker: Worker
    agents: Mapping[str, Agent]
    _gates: Mapping[str, list[Gate]]

    async def snooze(self, review_id: str, until: datetime, actor: str) -> None:
        """Put a review aside until a moment before it is due; it wakes by itself, and to warn."""
        await timing.snooze(self.store, self.clock, review_id, until, actor)

    async def unsnooze(self, review_id: str, actor: str) -> None:
        """Put a snoozed review back into the queue."""
        await timing.unsnooze(self.store, self.clock, review_id, actor)

    async def escalate(self, review_id: str, to: str, actor: str, reason: str = "") -> None:
        """Call in a role (`role:lead`), needed from then on, or a person (`user:ada`); it comes first, and people are told."""
        await timing.escalate(self.store, self.clock, review_id, to, actor, reason)

    async def extend(self, review_id: str, until: datetime, actor: str, reason: str = "") -> None:
        """Give a review longer, up to 30 days after it was asked; its warning moves along."""
        await timing.extend(self.store, self.clock, review_id, until, actor, reason)

    async def veto(self, action_id: str, actor: str, reason: str = "") -> None:
        """Say no to an allowed action inside its veto window; the agent is told. Raises TooLate once it has begun."""
        await holding.veto(self.store, self.clock, action_id, actor, reason)
        self.worker.hint()

    async def undo(self, action_id: str, actor: str, reason: str = "") -> None:
        """Have an action that ran without a person undone, inside its window; a worker of its agent does it. Raises TooLate."""
        await undoing.request(self.store, self.clock, action_id, actor, reason)
        self.worker.hint()

    async def feed(self, actor: str, *, limit: int = 50) -> list[feed.FeedLine]:
        """Return what can still be vetoed or undone, the most pressing first."""
        return await feed.feed(self.store, self.clock, actor, limit)

    async def stop(self, scope: str, name: str, actor: str, reason: str = "") -> stopping.StopView:
        """Press the stop button: nothing of `all`, or of the `agent` or `tool` of this name, starts until it is lifted.

        Only a lead or an admin may. What was claimed before is in the view as in flight; what waits keeps waiting.
        """
        tools = {tool for gates in self._gates.values() for one in gates for tool in one.tools}
        known = {*self.agents, *self._gates} if scope == "agent" else tools
        return await stopping.press(self.store, self.clock, known, scope, name, actor, reason)

    async def lift(self, stop_id: str, actor: str, reason: str = "") -> None:
        """Lift a stop; what it kept back goes on."""
        await stopping.lift(self.store, self.clock, stop_id, actor, reason)
        self.worker.hint()

    async def stops(self, actor: str) -> list[stopping.StopView]:
        """Return the stops that are pressed, with what is in flight and how many cases wait."""
        return await stopping.shown(self.store, actor)

    async def resend(self, notice_id: str, actor: str) -> None:
        """Let a notice that could not be sent be tried again."""
        await notifying.resend(self.store, self.clock, notice_id, actor)
