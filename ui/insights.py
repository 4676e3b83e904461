"""What each class of actions has earned, as the web surface offers it; refuses to compute any of it (evals does)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from ..evals.insights import insight, is_known, overview
from ..evals.ladder.levels import StaleEvidence, demote, promote
from ..graph.autonomy.levels import Level
from .errors import ClassChanged, UnknownClass
from .wire import as_json

if TYPE_CHECKING:
    from ..graph.desk import Desk

SIGNERS = ("lead", "admin")
"""The roles that may sign a promotion or a demotion."""


class Stepping(BaseModel):
    """Which class is to change its level, and why."""

    model_config = ConfigDict(extra="forbid")
    agent: str = Field(min_length=1, max_length=200)
    tool: str = Field(min_length=1, max_length=200)
    to: Level
    reason: str = Field(min_length=1, max_length=400)


class Signing(Stepping):
    """A signature under the evidence that was shown."""

    certificate: str = Field(default="", max_length=80)
    evidence: str = Field(min_length=1, max_length=64)
    """The digest of what was shown."""
    shown: dict[str, Any] | None = None
    """What was shown, so that the answer can say what has changed; it decides nothing."""


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

    async def promote(self, actor: str, signing: Signing) -> dict[str, Any]:
        """Sign a class up to its next level. Raises NotAllowed, and ClassChanged with the class as it is now."""
        which = (signing.agent, signing.tool)
        try:
            await promote(
                self.desk.store,
                self.desk.clock,
                *which,
                signing.to,
                actor,
                digest=signing.evidence,
                reason=signing.reason.strip(),
                certificate=signing.certificate,
                shown=signing.shown,
            )
        except StaleEvidence as error:
            raise ClassChanged(str(error), error.changed, (await self.one(actor, *which))["class"]) from None
        return await self.one(actor, *which)

    async def demote(self, actor: str, stepping: Stepping) -> dict[str, Any]:
        """Take a class down, from the next action on. Raises NotAllowed, UnknownClass."""
        which = (stepping.agent, stepping.tool)
        if not await is_known(self.desk.store, actor, *which):
            raise UnknownClass
        await demote(self.desk.store, self.desk.clock, *which, stepping.to, actor, reason=stepping.reason)
        return await self.one(actor, *which)

    async def _signing(self, actor: str) -> dict[str, Any]:
        user = await self.desk.users.get(actor)
        may = user is not None and user.role in SIGNERS
        told = "" if may or user is None else f"A lead or an admin signs. You are {user.role}, so you look."
        return {"may_sign": may, "why_not": told}
