"""How reviewers are measured and how much they are given: one frozen setting per tenant, and what of it is in force."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..access.people import require
from ..audit import records
from ..autonomy.drawing import draw
from ..clock import Clock
from ..errors import AssentError
from ..rules.terms import LARGEST_QUORUM, Terms
from ..store import settings
from ..store.models import ActionRow
from ..store.session import AsyncSession, Store

SETTING, DRAWN, HEALTH = "reviewing", "reviewing drawn", "reviewer health"
"""The settings rows: what a lead chose, what the draws have come to, and what the last look at the reviewers found."""

CONSEQUENTIAL = ("costly", "irreversible")
"""The consequences for which reading time and a second person matter."""

SECOND = {
    "check": "reviewers",
    "ruling": "review",
    "text": "Two people look at it: how reliably reviewers find what is wrong has not been shown well enough.",
}


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What a lead chose; raises ValueError for what nobody can mean."""

    known: float = 0.05
    """The share of decisions for which a known-answer item is put into the queue."""
    second: float = 0.05
    """The share of decisions that somebody else is asked about a second time."""
    blind: float = 0.2
    """The share of ordinary reviews that are shown without what the machine made of them, as every probe is."""
    daily_cap: int = 0
    """So many decisions a person gives in one day (UTC) at most; 0: no cap."""
    floor: float = 0.25
    """The part of the silent reading time below which a decision on a consequential action is called hasty; 0: none is."""
    least: int = 20
    """So many decisions there are before anything is drawn."""
    pending: int = 2
    """So many known-answer items and second looks wait at one moment at most."""
    catch: float = 0.8
    """The catch rate that reviewers have to have, by its lower bound."""
    audits_due: int = 3
    """So many days an audit may be left unanswered, 1 to 30; after that nothing of its class passes until it is answered."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value, whole = getattr(self, one.name), isinstance(one.default, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not math.isfinite(value):
                raise ValueError(f"{one.name} is a {'whole ' if whole else ''}number, not {value!r}")
            least, most = _RANGES.get(one.name, (0, 1_000_000 if whole else 1))
            if not least <= value <= most:
                raise ValueError(f"{one.name} is from {least} to {most:,}, not {value!r}")

    def as_json(self) -> dict[str, Any]:
        """Return the setting as it is stored."""
        return asdict(self)


_RANGES = {"audits_due": (1, 30)}
"""What is not simply a share or a count; a longer time would let a class pass for long while nobody looks."""

NAMES = tuple(one.name for one in fields(Reviewing))


def reviewing_of(stored: Mapping[str, Any] | None) -> Reviewing:
    """Return a stored setting; what cannot be read is the default."""
    try:
        return Reviewing(**{name: value for name, value in (stored or {}).items() if name in NAMES})
    except ValueError:
        return Reviewing()


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds for a review that is opened now."""

    settings: Reviewing
    seed: str = ""
    """From which it is drawn who is shown what; empty until there is something to measure."""
    second: bool = False
    """Whether one more person has to approve what is consequential."""

    def blind(self, action: str) -> bool:
        """Tell whether the review of an action is shown blind."""
        return bool(self.seed) and draw(self.seed, f"blind {action}") < self.settings.blind

    def terms(self, row: ActionRow, terms: Terms) -> Terms:
        """Return the terms under which an action is asked about, noting on its row where they are stricter than the policy's."""
        if not self.second or row.consequence not in CONSEQUENTIAL or terms.quorum >= LARGEST_QUORUM:
            return terms
        stricter = replace(terms, quorum=terms.quorum + 1)
        row.provenance = {**row.provenance, "stated": terms.as_json(), "terms": stricter.as_json()}
        row.reasons = [*row.reasons, SECOND]
        return stricter


async def in_force(tx: AsyncSession, tenant: str) -> InForce:
    """Return what holds for a tenant's reviews, read in the transaction that opens one."""
    found = await settings.several(tx, tenant, (SETTING, DRAWN, HEALTH))
    health = found.get(HEALTH, {})
    return InForce(reviewing_of(found.get(SETTING)), str(found.get(DRAWN, {}).get("seed", "")), health.get("second") is True)


async def read(tx: AsyncSession, tenant: str) -> Reviewing:
    """Return what a lead chose, or the defaults."""
    return reviewing_of(await settings.get(tx, tenant, SETTING))


async def change(store: Store, clock: Clock, actor: str, values: Mapping[str, float]) -> Reviewing:
    """Change settings by their names; only a lead may. Raises NotAllowed, AssentError for a name or value that means nothing."""
    async with store.begin() as tx:
        user, now = await require(tx, actor, "lead"), clock()
        before = await read(tx, user.tenant)
        if unknown := sorted(set(values) - set(NAMES)):
            raise AssentError(f"There is no setting {unknown[0]!r}; known are {', '.join(NAMES)}.")
        try:
            after = replace(before, **values)  # type: ignore[arg-type]  # checked by the class itself
        except ValueError as error:
            raise AssentError(f"Nothing was changed: {error}.") from None
        if after != before:
            await settings.put(tx, user.tenant, SETTING, after.as_json(), now)
            body = {"before": before.as_json(), "after": after.as_json(), "role": user.role}
            records.about(tx, user.tenant, now, "reviewing.changed", actor, SETTING, body)
        return after
