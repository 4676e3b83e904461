"""What each class of actions has earned, as the web surface offers it; refuses to compute any of it (evals does)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..evals.insights import insight, overview
from .errors import UnknownClass
from .wire import as_json

if TYPE_CHECKING:
    from ..graph.desk import Desk

SIGNERS = ("lead", "admin")
"""The roles that may sign a promotion or a demotion."""


@dataclass(frozen=True, slots=True)
class Insights:
    """The doors of the page Insights; `actor` is always the session's user name."""

    desk: Desk

    async def overview(self, actor: str) -> dict[str, Any]:
        """Return all classes, a line each, and whether the actor may sign."""
        lines = await overview(self.desk.store, self.desk.clock, actor)
        return {"classes": [as_json(line) for line in lines], **await self._signing(actor)}

    async def one(self, actor: str, agent: str, tool: str) -> dict[str, Any]:
        """Return everything that is known of one class. Raises UnknownClass."""
        found = await insight(self.desk.store, self.desk.clock, actor, agent, tool)
        if found is None:
            raise UnknownClass
        return {"class": as_json(found), **await self._signing(actor)}

    async def _signing(self, actor: str) -> dict[str, Any]:
        user = await self.desk.users.get(actor)
        may = user is not None and user.role in SIGNERS
        told = "" if may or user is None else f"A lead or an admin signs. You are {user.role}, so you look."
        return {"may_sign": may, "why_not": told}
