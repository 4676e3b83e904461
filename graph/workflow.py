"""Our own agent: propose, then every call through the gate, then propose again, until nothing is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from . import crashpoints
from .config import requester_of, thread_of
from .errors import ProposalError, Stopped
from .excerpt import text_of
from .gate import call_graph, calls_of, sends
from .state import Conversation
from .steps import step_for, this_turn
from .wiring import Gate

PROPOSALS = 2
"""How often a malformed answer is asked for again before the case stalls."""

MOST_ACTIONS = 25
"""So many actions end a turn, whatever the model still wants: a loop of allowed ones must not go on for ever."""

HANDED_OVER = "I could not settle this; a colleague will look at it."


def agent_graph(gate: Gate) -> StateGraph[Conversation, None, Conversation, Conversation]:
    """Return the agent: one branch per proposed call, all of them back to `propose`."""

    async def to_calls(state: Conversation, config: RunnableConfig) -> list[Send] | str:
        message = state["messages"][-1]
        return sends(gate, state, thread_of(config)) if getattr(message, "tool_calls", None) else END

    return (
        StateGraph(Conversation)
        .add_node("propose", propose(gate))
        .add_node("call", call_graph(gate).compile())
        .add_edge(START, "propose")
        .add_conditional_edges("propose", to_calls, ["call", END])
        .add_edge("call", "propose")
    )


def propose(gate: Gate) -> Any:
    """Ask the model for the next action, unless the turn is over."""

    async def propose(state: Conversation, config: RunnableConfig) -> dict[str, Any]:
        messages, thread = state["messages"], thread_of(config)
        closing = turn_over(this_turn(messages), gate.actions_per_turn, gate.attempts)
        if closing is not None:
            return {"messages": [AIMessage(closing, id=uuid4().hex)]}
        if told := await gate.ledger.rests(gate.tenant, gate.agent, thread):
            raise Stopped(told)
        step = await step_for(gate, messages, thread, requester_of(config))
        message = await _asked(gate, step)
        crashpoints.reach("after-propose")
        for call in calls_of(message, messages, thread)[: gate.ledger.room.limits.calls]:
            gate.steps.put(call["action"], replace(step, proposed=message))
        return {"messages": [message]}

    return propose


async def _asked(gate: Gate, step: Any) -> AIMessage:
    """Return a well-formed proposal under an id of ours; raises ProposalError after the last malformed one."""
    if gate.propose is None:
        raise ProposalError("This agent has no model.")
    for attempt in range(PROPOSALS):
        try:
            message = await gate.propose(step, temperature=0.0 if attempt == 0 else 0.7, seed=attempt)
        except ProposalError:
            if attempt == PROPOSALS - 1:
                raise
            continue
        return message.model_copy(update={"id": uuid4().hex})
    raise ProposalError


def turn_over(turn: Sequence[BaseMessage], actions: int | None, attempts: int) -> str | None:
    """Return the closing words of a turn whose limits are reached; None while it goes on."""
    results = [message for message in turn if isinstance(message, ToolMessage)]
    done = [message for message in results if message.status != "error"]
    if actions is not None and len(done) >= actions:
        return "\n".join(text_of(message) for message in done)
    return HANDED_OVER if len(results) - len(done) >= attempts or len(results) >= MOST_ACTIONS else None
