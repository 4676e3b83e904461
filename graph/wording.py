"""What the agent and the reviewer are told, in one place; plain sentences, no decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .audit.masking import masked
from .authority.ledger import Recorded
from .store.models import DecisionRow


def ran(done: Recorded, proposed: Mapping[str, Any], decision: DecisionRow | None, secrets: Sequence[str] = ()) -> str:
    """Tell the agent what came of its action, and what a person changed in it."""
    if done.status == "failed":
        return f"Not done: {done.result}"
    if done.status == "undone":
        return f"Done, and undone again by a person; nothing of it stands. {done.result}"
    if decision is None or decision.args is None:
        return done.result
    return f"{done.result} (A person changed the arguments: {changes(proposed, decision.args, secrets)}.)"


def changes(before: Mapping[str, Any], after: Mapping[str, Any], secrets: Sequence[str] = ()) -> str:
    """Name the fields that differ, `amount 412.50 to 250.00`; of secret ones no more than that."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    before, after = masked(before, secrets), masked(after, secrets)
    return ", ".join(f"{name} {before.get(name)!r} to {after.get(name)!r}" for name in names) or "none"


def settled(known: Recorded) -> str:
    """Tell the agent what a person found out about an execution."""
    if known.status == "succeeded":
        return f"Done; a person made sure of it. {known.result}".strip()
    return f"Not done; a person made sure of it. {known.result}".strip()


def refused(outcome: Mapping[str, str] | None, reasons: Sequence[Mapping[str, str]]) -> str:
    """Tell the agent why its action does not happen."""
    if outcome is None:
        told = " ".join(reason["text"] for reason in reasons if reason["ruling"] == "refuse")
        return f"Refused: {told}".strip()
    if outcome["status"] == "rejected":
        feedback = f" {outcome['message']}" if outcome["message"] else ""
        return f"A person rejected this action: {outcome['reason']}.{feedback}"
    if outcome["status"] == "vetoed":
        return f"A person vetoed this action before it began: {outcome['reason'] or 'no reason given'}."
    if outcome["status"] == "expired":
        return "This action does not happen: nobody decided in time."
    return f"This action does not happen: its review was {outcome['status']}."
