"""The advice on oversight as the web surface offers it; refuses to keep costs for anybody but a lead (evals does)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..evals.advising.action_types import MODES
from ..evals.advising.advice import advise_all
from ..evals.advising.advice_files import CostsGiven
from ..evals.advising.advice_rows import Offered, desk_types
from ..evals.advising.kept_costs import keep, kept
from ..evals.advising.oversight_costs import Costs
from ..graph.access.people import ROLES
from ..tools.declaration import declaration_of

if TYPE_CHECKING:
    from ..graph.desk import Desk


@dataclass(frozen=True, slots=True)
class Advising:
    """The doors of the page Advice; `actor` is always the session's user name."""

    desk: Desk

    async def advice(self, actor: str, given: CostsGiven | None = None) -> dict[str, Any]:
        """Return what is advised for each type of actions, at the costs given, else at those kept, else at the defaults."""
        user = await self.desk.users.get(actor)
        offered = self._offered() if user is not None and user.tenant == self.desk.tenant else []
        types = await desk_types(self.desk.store, self.desk.clock, actor, offered)
        saved = await kept(self.desk.store, actor)
        costs = given.costs() if given is not None else saved or Costs()
        return {
            "costs": costs.as_json(),
            "kept": saved is not None and saved == costs,
            "may_keep": user is not None and ROLES.index(user.role) >= ROLES.index("lead"),
            "modes": list(MODES),
            "advice": [one.as_json() for one in advise_all(types, costs)],
        }

    async def keep(self, actor: str, given: CostsGiven) -> dict[str, Any]:
        """Keep the costs for everybody of the tenant, on record, and return the advice at them."""
        await keep(self.desk.store, self.desk.clock, actor, given.costs())
        return await self.advice(actor)

    def _offered(self) -> list[Offered]:
        """Return every tool of this process's agents, with what it and its policy declare."""
        found = []
        for agent in self.desk.agents:
            for gate in self.desk.gates(agent):
                for name, tool in gate.tools.items():
                    declared = declaration_of(tool)
                    ceiling = gate.policy.ceiling_for(name, declared.consequence)
                    found.append(Offered(agent, name, declared.consequence, declared.undo is not None, ceiling))
        return found
