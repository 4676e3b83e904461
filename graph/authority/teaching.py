"""What a decision teaches: the example that is written with it, in its transaction."""

from __future__ import annotations

from typing import Any

from ...tools.declaration import schema_of
from ..audit.masking import hidden, masked, scrubbed
from ..clock import fresh_id
from ..store.models import ActionRow, DecisionRow, ExampleRow
from ..wiring import Gate
from .standing import APPROVALS


def example_of(action: ActionRow, decision: DecisionRow, gate: Gate | None, *, edited: dict[str, Any] | None) -> ExampleRow:
    """Return what the decision that settled a review teaches.

    `edited` are the arguments a person put in the place of the proposed ones; `accepted` is null when nothing was accepted.
    """
    approved = decision.type in APPROVALS
    secrets, accepted = action.secrets, action.args if edited is None else edited
    told = sorted({*hidden(action.args, secrets), *hidden(accepted, secrets)}, key=len, reverse=True)
    said = [turn["text"] for turn in action.conversation if turn["role"] == "requester"]
    return ExampleRow(
        id=fresh_id("ex"),
        tenant=action.tenant,
        decision=decision.id,
        action=action.id,
        agent=action.agent,
        requester=action.requester,
        text=scrubbed(said[-1], told) if said else "",
        conversation=action.conversation,
        tool=action.tool,
        args=masked(action.args, secrets),
        accepted=masked(accepted, secrets) if approved else None,
        label="edit" if approved and edited is not None else decision.type,
        reason=decision.reason,
        message=scrubbed(decision.message, told),
        offers=offers_of(gate, action.id),
        actor=decision.actor,
        role=decision.role,
        provenance=action.provenance,
        created_at=decision.created_at,
    )


def offers_of(gate: Gate | None, action: str) -> list[dict[str, Any]]:
    """Return the tools the agent was offered, with the case's legal values while the step behind the action is remembered."""
    step = gate.steps.get(action) if gate is not None else None
    if step is not None:
        return [
            {"name": offer.name, "description": offer.description, "schema": offer.schema, "choices": offer.choices}
            for offer in step.offers
        ]
    tools = gate.tools.values() if gate is not None else ()
    return [{"name": tool.name, "description": tool.description, "schema": schema_of(tool)} for tool in tools]
