"""The nodes of a call: rule, assess, review, act, settle, answer, refuse; each does its one thing and never chooses the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.types import interrupt

from ..tools.declaration import declaration_of, schema_digest
from . import crashpoints, wording
from .assessing import assessed
from .audit.masking import hidden, scrubbed
from .authority.ledger import Assessed, Claimed, InFlight, Recorded, Withheld
from .autonomy.earned import Earned
from .clock import fresh_id
from .confidence import Reading
from .config import thread_of
from .errors import Unauthorised, UnknownTool
from .payload import held_payload, payload
from .proposals import Proposal, check, rest_of, row_of
from .running import run_tool
from .signals.reading import taken, unread
from .state import Call, CallState
from .wiring import Gate
from .work.leases import lease, let_finish
from .work.patience import patiently

Node = Callable[..., Awaitable[dict[str, Any]]]

BUSY_SECONDS = 0.2

AWAY_SECONDS = 10.0
"""How long the database may be away before an act gives up."""


def rule(gate: Gate) -> Node:
    """Validate, dry-run and ask the policy; store the verdict unless confidence has a say in it."""

    async def rule(state: CallState, config: RunnableConfig) -> dict[str, Any]:
        stored = await gate.ledger.stored(state["call"]["action"])
        if stored is not None:
            return {"way": stored.verdict, "args": stored.args, "reasons": stored.reasons}
        proposal = await _checked(gate, state["call"], config)
        if proposal.way != "gate":
            row = await gate.ledger.record(row_of(gate, state["call"], proposal, proposal.way), proposal.terms)
            crashpoints.reach("after-record")
            return {"way": row.verdict, "args": row.args, "reasons": row.reasons}
        return {
            "way": "gate",
            "args": proposal.action.args,
            "reasons": list(proposal.reasons),
            "evidence": list(proposal.evidence),
        }

    return rule


async def _checked(gate: Gate, call: Call, config: RunnableConfig) -> Proposal:
    """Return the checked call; refused are the rest of a message with too many, and what is not worth assessing in a crowd."""
    if call.get("rest"):
        return rest_of(gate, call, config)
    proposal = await check(gate, call, config)
    if proposal.way == "gate":
        full = await gate.ledger.crowded(gate.tenant, proposal.action.thread, proposal.action.requester)
        if full is not None:
            return replace(proposal.with_reason("limits", "refuse", full), way="refuse")
    return proposal


def assess(gate: Gate) -> Node:
    """Measure how sure we may be; store the verdict: `allow` if its class has earned it, or a stated threshold lets it."""

    async def assess(state: CallState, config: RunnableConfig) -> dict[str, Any]:
        call = state["call"]
        stored = await gate.ledger.stored(call["action"])
        if stored is not None:
            return {"way": stored.verdict}
        proposal = await Proposal.resumed(gate, state, config)
        readings = await _readings(gate, state)

        def ruled(earned: Earned | None) -> Assessed:
            return assessed(gate, call, proposal, readings, earned)

        row = await gate.ledger.assessed(gate.tenant, gate.agent, call["name"], ruled)
        return {"way": row.verdict, "reasons": row.reasons}

    return assess


async def _readings(gate: Gate, state: CallState) -> list[Reading]:
    step = gate.steps.get(state["call"]["action"])
    if step is None or gate.propose is None:  # as after a restart: a fitted head must not take it for an average action
        return [unread(signal) for signal in gate.signals]
    return [await taken(signal, state["call"]["name"], state["args"], step, gate.propose) for signal in gate.signals]


def review(gate: Gate) -> Node:
    """Wait until a decision is on record, a veto window is over, or a stop is lifted; the interrupt's answer counts for nothing."""

    async def review(state: CallState) -> dict[str, Any]:
        action = state["call"]["action"]
        while (outcome := await gate.ledger.outcome(action)).status == "pending":
            row, asked = await gate.ledger.stored(action), await gate.ledger.review_of(action)
            if row is None:
                raise Unauthorised
            crashpoints.reach("before-interrupt")
            interrupt(held_payload(row, outcome.message) if asked is None or outcome.message else payload(row, asked))
        return {"outcome": asdict(outcome)}

    return review


def act(gate: Gate) -> Node:
    """Claim the execution, call the tool once with exactly what was assented to, record what came of it."""

    async def act(state: CallState, config: RunnableConfig) -> dict[str, Any]:
        call = state["call"]
        tool = gate.tools.get(call["name"])
        if tool is None:
            raise UnknownTool(f"The tool {call['name']!r} is not offered here any more; offer it again, or cancel the case.")
        row = await gate.ledger.stored(call["action"])
        if row is None or row.thread != thread_of(config):
            raise Unauthorised
        crashpoints.reach("before-claim")
        async with lease(gate.ledger.store, row.thread, gate.clock, patience=60.0) as owner:
            try:
                claim = await _claim(gate, row.id, owner, tool)
            except Unauthorised as error:
                return _finished(call, str(error), failed=True)
            if isinstance(claim, Withheld):
                return {"result": "withheld"}
            done = await _done(gate, claim) if isinstance(claim, Claimed) else claim
        crashpoints.reach("before-checkpoint")
        if done.status == "unknown":
            return {"result": "unknown"}
        edited = claim.decision if isinstance(claim, Claimed) else await gate.ledger.decision(row.id)
        return _finished(call, wording.ran(done, row.args, edited, row.secrets), failed=done.status == "failed")

    return act


async def _claim(gate: Gate, action: str, owner: str, tool: BaseTool) -> Claimed | Recorded | Withheld:
    """Claim the action, waiting while another holder calls the tool; after a broken connection again under the same nonce."""
    # of the very tool that is called, not the one the gate was built with: some change in place
    digest, idempotent, nonce = schema_digest(tool), declaration_of(tool).idempotent, fresh_id("call")
    while True:
        claim = await patiently(lambda: gate.ledger.claim(action, owner, digest, idempotent=idempotent, nonce=nonce), AWAY_SECONDS)
        if not isinstance(claim, InFlight):
            return claim
        await asyncio.sleep(BUSY_SECONDS)


async def _done(gate: Gate, claim: Claimed) -> Recorded:
    """Call the tool and record the outcome; what was started is let finish, though a sibling's fault cancels this branch."""
    return await let_finish(_run_and_record(gate, claim))


async def _run_and_record(gate: Gate, claim: Claimed) -> Recorded:
    async def again() -> bool:
        return await gate.ledger.again(claim.action.id, claim.fence)

    crashpoints.reach("after-claim")
    tool = gate.tools[claim.action.tool]
    status, result = await run_tool(tool, claim, again)
    told = scrubbed(result, hidden(claim.args, claim.action.secrets))
    has_undo = declaration_of(tool).undo is not None

    async def record() -> Recorded:
        return await gate.ledger.finish(claim.action.id, claim.fence, status, told, has_undo=has_undo)

    done = await patiently(record, AWAY_SECONDS)
    crashpoints.reach("after-finish")
    return done


def settle(gate: Gate) -> Node:
    """Wait until a person has found out what became of an execution that nobody can vouch for."""

    async def settle(state: CallState) -> dict[str, Any]:
        call = state["call"]
        while (known := await gate.ledger.execution(call["action"])) is not None and known.status == "unknown":
            interrupt({"type": "outcome_unknown", "reason": "input_required", "action": call["action"], "name": call["name"]})
        if known is None:
            raise Unauthorised
        return _finished(call, wording.settled(known), failed=known.status != "succeeded")

    return settle


def answer(gate: Gate) -> Node:
    """Give the agent a person's words in the tool's place."""

    async def answer(state: CallState) -> dict[str, Any]:
        return _finished(state["call"], state["outcome"]["message"], failed=False)

    return answer


def refuse(gate: Gate) -> Node:
    """Tell the agent that the action does not happen, and why."""

    async def refuse(state: CallState) -> dict[str, Any]:
        text = wording.refused(state.get("outcome"), state.get("reasons", []))
        told = [_finished(call, text, failed=True)["messages"][0] for call in state["call"].get("rest", [state["call"]])]
        return {"result": "finished", "messages": told}

    return refuse


def _finished(call: Any, text: str, *, failed: bool) -> dict[str, Any]:
    message = ToolMessage(
        text,
        name=call["name"],
        tool_call_id=call["tool_call_id"],
        id=f"result_{call['action']}",
        status="error" if failed else "success",
    )
    return {"result": "finished", "messages": [message]}
