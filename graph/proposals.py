"""From a proposed call to a checked proposal: validated, dry-run, ruled on by policy; it stores nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ..tools.declaration import (
    UNDECLARED,
    ActionRefused,
    Case,
    declaration_of,
    dry_run,
    legal_choices,
    plain,
)
from .actions import Action
from .audit.masking import hidden, masked, scrubbed, still_masked
from .canonical import NotCanonical, canonical
from .config import requester_of, thread_of
from .proposing.legality import schema_problem
from .rules.policy import Facts
from .rules.terms import DEFAULT, Terms
from .state import Call, CallState, Way
from .store.models import ActionRow
from .wiring import Gate

SHOWN = 6
"""How many past decisions a card shows."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action with what was found out about it before anybody was asked."""

    action: Action
    way: Way
    reasons: tuple[dict[str, str], ...] = ()
    evidence: tuple[dict[str, str], ...] = ()
    choices: list[dict[str, Any]] | None = None
    terms: Terms = DEFAULT
    """Under which it is asked about, or runs."""

    def with_reason(self, check: str, ruling: str, text: str) -> Proposal:
        """Return the proposal with one more reason, first."""
        return replace(self, reasons=({"check": check, "ruling": ruling, "text": text}, *self.reasons))

    @classmethod
    async def resumed(cls, gate: Gate, state: CallState, config: RunnableConfig) -> Proposal:
        """Return the proposal that `rule` passed on to `assess`, ruled on once more: a checkpoint has no authority."""
        case, call = case_of(gate, state["call"], config), state["call"]
        tool = gate.tools[call["name"]]
        action, evidence = action_of(gate, call, case, tool, state["args"]), tuple(state.get("evidence", ()))
        choices, trouble = await _choices(tool, case)
        ruled = await gate.policy.rule(facts_of(action, case.text, evidence, choices, call["earlier"]))
        way = "review" if trouble is not None else ruled.kind
        return cls(action, way, tuple(state.get("reasons", ())), evidence, choices, ruled.terms)


def case_of(gate: Gate, call: Call, config: RunnableConfig) -> Case:
    """Return what tools may know about the case."""
    return Case(gate.tenant, thread_of(config), requester_of(config), call["text"], call["action"])


def action_of(gate: Gate, call: Call, case: Case, tool: BaseTool | None, args: dict[str, Any]) -> Action:
    """Return the action of a call; an unknown tool has an empty digest and counts as irreversible."""
    return Action(
        id=call["action"],
        tenant=gate.tenant,
        thread=case.thread,
        agent=gate.agent,
        requester=case.requester,
        tool=call["name"],
        tool_digest=gate.digests[tool.name] if tool else "",
        args=args,
        consequence=declaration_of(tool).consequence if tool else UNDECLARED.consequence,
    )


async def check(gate: Gate, call: Call, config: RunnableConfig) -> Proposal:
    """Validate a call, dry-run it, and ask the policy; whatever the agent did wrong goes back to the agent as `refuse`."""
    case, tool = case_of(gate, call, config), gate.tools.get(call["name"])
    if tool is None:
        action = action_of(gate, call, case, None, {})
        known = ", ".join(sorted(gate.tools))
        return Proposal(action, "refuse").with_reason("tools", "refuse", f"There is no tool {call['name']!r}; use {known}.")
    try:
        args = fitting(tool, gate.schemas[tool.name], call["args"])
    except (ValidationError, NotCanonical, NotFitting) as error:
        action = action_of(gate, call, case, tool, {})
        return Proposal(action, "refuse").with_reason("schema", "refuse", f"The arguments do not fit: {problem(error)}")
    if hiding := still_masked(args, declaration_of(tool).secret):
        told = f"{hiding[0]} is hidden in what you saw; give the value itself, or ask for it."
        return Proposal(action_of(gate, call, case, tool, {}), "refuse").with_reason("secrets", "refuse", told)
    return await _ruled(gate, tool, case, action_of(gate, call, case, tool, args), call["earlier"])


def rest_of(gate: Gate, call: Call, config: RunnableConfig) -> Proposal:
    """Return the refusal of a call and of all after it, because their message had too many."""
    action = action_of(gate, call, case_of(gate, call, config), gate.tools.get(call["name"]), {})
    limits = gate.ledger.room.limits
    return Proposal(action, "refuse").with_reason("limits", "refuse", limits.beyond(limits.calls + len(call["rest"])))


async def _ruled(gate: Gate, tool: BaseTool, case: Case, action: Action, earlier: int) -> Proposal:
    evidence, trouble = await _dry_run(gate, tool, case, action)
    if trouble is not None and trouble["ruling"] == "refuse":
        return Proposal(action, "refuse", (trouble,))
    choices, unknown = await _choices(tool, case)
    trouble = trouble or unknown
    ruled = await gate.policy.rule(facts_of(action, case.text, evidence, choices, earlier))
    reasons = tuple({"check": one.check, "ruling": one.kind, "text": one.reason} for one in ruled.rulings)
    proposal = Proposal(action, ruled.kind, reasons, evidence, choices, ruled.terms)
    if trouble is None:
        return proposal
    return replace(proposal, way="refuse" if ruled.kind == "refuse" else "review", reasons=(trouble, *reasons))


async def _dry_run(
    gate: Gate, tool: BaseTool, case: Case, action: Action
) -> tuple[tuple[dict[str, str], ...], dict[str, str] | None]:
    try:
        found = await dry_run(tool, action.args, case)
    except ActionRefused as error:
        return (), {"check": "dry run", "ruling": "refuse", "text": str(error)}
    except Exception as error:  # a dry run that fails for reasons of its own says nothing in the action's favour
        told = f"The dry run could not be carried out ({type(error).__name__}: {error})."
        return (), {"check": "dry run", "ruling": "review", "text": told[:500]}
    if found is None:
        return (), None
    return ({"source": "dry run", "text": found, "at": gate.clock().isoformat()},), None


async def _choices(tool: BaseTool, case: Case) -> tuple[list[dict[str, Any]] | None, dict[str, str] | None]:
    try:
        return await legal_choices(tool, case), None
    except Exception as error:  # without the legal values nobody can say that these are
        told = f"The legal values could not be looked up ({type(error).__name__}: {error})."
        return None, {"check": "legal values", "ruling": "review", "text": told[:500]}


def facts_of(
    action: Action,
    text: str,
    evidence: tuple[dict[str, str], ...],
    choices: list[dict[str, Any]] | None,
    earlier: int = 0,
) -> Facts:
    """Return what the policy may know of an action."""
    return Facts(
        tool=action.tool,
        args=action.args,
        consequence=action.consequence,
        requester=action.requester,
        tenant=action.tenant,
        agent=action.agent,
        thread=action.thread,
        context={
            "text": text,
            "evidence": " ".join(line["text"] for line in evidence),
            "earlier": earlier,
            "choices_legal": choices is None or any(covers(choice, action.args) for choice in choices),
        },
    )


def covers(choice: Mapping[str, Any], args: Mapping[str, Any]) -> bool:
    """Tell whether a legal combination fixes exactly the values that the arguments have; absent fields are free."""
    return all(name in args and canonical(args[name]) == canonical(value) for name, value in choice.items())


class NotFitting(ValueError):
    """The arguments do not fit the tool's schema."""


def fitting(tool: BaseTool, schema: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the canonical arguments, defaults filled in; raises ValidationError, NotCanonical or NotFitting.

    Refused too are arguments that the tool's own schema would drop, and schemas that change a value every time they read it:
    what is shown must be what runs.
    """
    found = plain(tool, args)
    unknown = sorted(set(args) - set(schema.get("properties", {})))
    if unknown and not schema.get("additionalProperties"):
        raise NotFitting(f"{', '.join(unknown)}: the tool knows no such argument")
    if canonical(plain(tool, found)) != canonical(found):
        raise NotFitting("the tool's schema changes the arguments each time it reads them, so what is shown would not be what runs")
    if isinstance(tool.args_schema, dict) and (wrong := schema_problem(found, schema, dict(schema))):
        raise NotFitting(wrong)
    return found


def problem(error: ValidationError | NotCanonical | NotFitting) -> str:
    """Return the first problem of a validation in one line."""
    if isinstance(error, NotCanonical | NotFitting):
        return str(error)
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def row_of(
    gate: Gate,
    call: Call,
    proposal: Proposal,
    verdict: str,
    readings: list[dict[str, Any]] | None = None,
    confidence: float | None = None,
    threshold: float | None = None,
) -> ActionRow:
    """Return the row of an action with its verdict."""
    action, tool = proposal.action, gate.tools.get(call["name"])
    step = gate.steps.get(action.id)
    secrets = list(declaration_of(tool).secret) if tool else []
    texts = hidden({**call["args"], **action.args}, secrets)
    return ActionRow(
        id=action.id,
        tenant=action.tenant,
        thread=action.thread,
        agent=action.agent,
        requester=action.requester,
        tool=action.tool,
        tool_digest=action.tool_digest,
        args=action.args,
        digest=action.digest(),
        consequence=action.consequence,
        title=(declaration_of(tool).title if tool else "") or action.tool.replace("_", " "),
        verdict=verdict,
        reasons=scrubbed(list(proposal.reasons), texts),
        readings=scrubbed(readings or [], texts),
        confidence=confidence,
        threshold=threshold,
        evidence=scrubbed(list(proposal.evidence), texts),
        conversation=scrubbed(call["excerpt"], texts),
        precedents=[precedent_json(one) for one in step.precedents if one.decided][:SHOWN] if step else [],
        choices=None if proposal.choices is None else [masked(choice, secrets) for choice in proposal.choices],
        args_schema=gate.schemas[tool.name] if tool else {},
        description=tool.description if tool else "",
        provenance=_provenance(gate, action.tool, proposal.terms),
        secrets=secrets,
        created_at=gate.clock(),
    )


def _provenance(gate: Gate, tool: str, terms: Terms) -> dict[str, Any]:
    """Return who proposed and ruled, and the terms of the ruling where they are not the ordinary ones."""
    stated = terms.as_json()
    return {**gate.provenance_of(tool), **({"terms": stated} if stated else {})}


def precedent_json(precedent: Any) -> dict[str, Any]:
    """Return a precedent as plain JSON."""
    return {name: getattr(precedent, name) for name in ("example_id", "text", "tool", "args", "similarity")}
