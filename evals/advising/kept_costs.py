"""The costs that a tenant's lead keeps for advice: one setting, every change of it on record; it advises nothing."""

from __future__ import annotations

from ...graph.access.people import require
from ...graph.audit import records
from ...graph.clock import Clock
from ...graph.errors import AssentError
from ...graph.store import settings
from ...graph.store.session import Store
from .advice_files import CostsGiven
from .oversight_costs import Costs

SETTING = "advice.costs"


async def kept(store: Store, actor: str) -> Costs | None:
    """Return the costs kept for the actor's tenant; None where nobody kept any. Raises NotAllowed, AssentError."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        value = await settings.get(tx, user.tenant, SETTING)
    try:
        return CostsGiven.model_validate(value).costs() if value is not None else None
    except ValueError:  # pydantic's errors are ValueErrors too
        raise AssentError("The costs kept for advice cannot be read by this version; a lead has to save them anew.") from None


async def keep(store: Store, clock: Clock, actor: str, costs: Costs) -> bool:
    """Keep costs for the actor's tenant; only a lead or an admin may. Returns whether they changed anything; raises NotAllowed."""
    async with store.begin() as tx:
        user, now, value = await require(tx, actor, "lead"), clock(), costs.as_json()
        changed, before = await settings.swap(tx, user.tenant, SETTING, value, now)
        if changed:
            body = {"role": user.role, "from": before, "to": value}
            records.about(tx, user.tenant, now, "advice.costs", actor, SETTING, body)
    return changed
