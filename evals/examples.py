"""Examples: what people's final decisions teach, read from the store one tenant at a time; it changes nothing there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from ..graph.clock import Clock, utc_now
from ..graph.proposing import Offer
from ..graph.store import taught
from ..graph.store.session import Store
from ..graph.store.taught import Taught

Label = Literal["approve", "edit", "reject", "respond"]
"""What the person did: let it run, changed its arguments, stopped it, or answered in the tool's place."""

PAGE = 200
"""How many examples are read in one short transaction, so that a slow reader never holds the database."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool with its arguments: plain JSON, defaults filled in."""

    tool: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """What one decision teaches; `text`, `conversation`, `reason` and `message` are untrusted text."""

    id: str
    text: str
    """The requester's latest message."""
    conversation: tuple[dict[str, Any], ...]
    """Turns before the proposal, oldest first: `role` (requester, agent, action, notice) and `text`."""
    tool: str
    args: dict[str, Any]
    """The proposed arguments."""
    accepted: dict[str, Any] | None
    """The arguments a person accepted; None when the action was rejected or answered."""
    label: Label
    reason: str = ""
    message: str = ""
    actor: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Which model, prompt and policy proposed and ruled."""
    offers: tuple[Offer, ...] = ()
    """The tools the model could choose from."""
    alternative: Call | None = None
    """For a rejected action: what was accepted for the same request after the rejection."""
    agent: str = ""
    requester: str = ""
    created_at: str = ""
    """When it was decided, ISO 8601, UTC."""
    evidence: str = ""
    """What the dry run said of the proposed action."""
    choices: tuple[dict[str, Any], ...] | None = None
    """The legal argument combinations of the proposed tool in that case; None when nothing limited them."""

    @property
    def proposed(self) -> Call:
        """The action as the agent proposed it."""
        return Call(self.tool, self.args)

    @property
    def right(self) -> Call | None:
        """The action a person accepted: as proposed, as edited, or in place of a rejected one."""
        return self.alternative if self.accepted is None else Call(self.tool, self.accepted)


async def read_examples(store: Store, tenant: str, *, clock: Clock = utc_now) -> AsyncIterator[Example]:
    """Yield the examples of one tenant in the order they were made: not retired, of decisions that are final."""
    after = 0
    while True:
        async with store.read() as tx:
            rows = await taught.page(tx, tenant, clock(), after=after, limit=PAGE)
            after = (rows[-1].example.sequence or after) if rows else after
            found = [example_of(row) for row in rows]  # rows are read before their transaction ends
        for example in found:
            yield example
        if len(found) < PAGE:
            return


def example_of(found: Taught) -> Example:
    """Return what was read as an example."""
    row, action, instead = found
    return Example(
        id=row.id,
        text=row.text,
        conversation=tuple(row.conversation),
        tool=row.tool,
        args=row.args,
        accepted=row.accepted,
        label=cast(Label, row.label),
        reason=row.reason,
        message=row.message,
        actor=row.actor,
        provenance=row.provenance,
        offers=tuple(offer_of(offer) for offer in row.offers),
        alternative=Call(instead.tool, instead.accepted) if instead and instead.accepted is not None else None,
        agent=row.agent,
        requester=row.requester,
        created_at=row.created_at.isoformat(),
        evidence=" ".join(str(line["text"]) for line in action.evidence),
        choices=None if action.choices is None else tuple(action.choices),
    )


def offer_of(stored: dict[str, Any]) -> Offer:
    """Return a stored offer; one without choices allows whatever its schema allows."""
    choices = stored.get("choices")
    return Offer(
        name=stored["name"],
        description=stored.get("description", ""),
        schema=stored.get("schema", {"type": "object"}),
        choices=None if choices is None else tuple(choices),
    )
