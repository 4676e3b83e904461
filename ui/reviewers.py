"""How reviewers do, as the page and the REST door show it: leads see everybody, an operator sees their own line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..evals.reviewing.reviewer_health import seen
from ..graph.access.people import require
from ..graph.authority import reviewing
from ..graph.store import reviewed, settings

if TYPE_CHECKING:
    from ..graph.desk import Desk

OVERSEEING = ("lead", "admin")


@dataclass(frozen=True, slots=True)
class Reviewers:
    """The doors to what is known of reviewers; `actor` is always the session's user name."""

    desk: Desk

    async def overview(self, actor: str) -> dict[str, Any]:
        """Return the health of the desk's reviewers over ninety days, live; for an operator their own line only."""
        async with self.desk.store.read() as tx:
            user, now = await require(tx, actor, "operator"), self.desk.clock()
            chosen = await reviewing.read(tx, user.tenant)
            found = (await seen(tx, user.tenant, now)).as_json()
            kept = await settings.get(tx, user.tenant, reviewing.HEALTH)
            today = await reviewed.deciders(tx, user.tenant, _midnight(now))
        lines = [{**line, "today": today.get(line["name"], ("", 0))[1]} for line in found.pop("reviewers")]
        if user.role not in OVERSEEING:
            mine = [line for line in lines if line["name"] == actor]
            return {"settings": {"daily_cap": chosen.daily_cap}, "reviewers": mine}
        judged = {name: kept[name] for name in ("healthy", "why", "at", "second", "alarms")} if kept is not None else None
        return {**found, "judged": judged, "settings": chosen.as_json(), "reviewers": lines}

    async def change(self, actor: str, values: dict[str, float]) -> dict[str, Any]:
        """Change settings; only a lead may."""
        chosen = await reviewing.change(self.desk.store, self.desk.clock, actor, values)
        return {"ok": True, "settings": chosen.as_json()}


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
