"""The gate: the subgraph that takes the place of a tool node, so that every call waits for assent before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from ..tools.declaration import declaration_of
from . import nodes
from .actions import mint_action_id
from .audit.masking import hidden
from .config import requester_of, thread_of
from .errors import AssentError
from .excerpt import excerpt, latest_text
from .routing import by_outcome, by_result, by_ruling, by_verdict
from .state import Call, CallAnswer, CallState, Conversation, Refused
from .steps import step_for
from .texts import storable
from .wiring import Gate


def call_graph(gate: Gate) -> StateGraph[CallState, None, CallState, CallAnswer]:
    """Return the state machine of one call, as the diagram shows it."""
    return (
        StateGraph(CallState, output_schema=CallAnswer)
        .add_node("rule", nodes.rule(gate))
        .add_node("assess", nodes.assess(gate))
        .add_node("review", nodes.review(gate))
        .add_node("act", nodes.act(gate))
        .add_node("settle", nodes.settle(gate))
        .add_node("answer", nodes.answer(gate))
        .add_node("refuse", nodes.refuse(gate))
        .add_edge(START, "rule")
        .add_conditional_edges("rule", by_ruling)
        .add_conditional_edges("assess", by_verdict)
        .add_conditional_edges("review", by_outcome)
        .add_conditional_edges("act", by_result)
        .add_edge("settle", END)
        .add_edge("answer", END)
        .add_edge("refuse", END)
    )


def gate_graph(gate: Gate) -> StateGraph[Conversation, None, Conversation, Conversation]:
    """Return the gate: messages with tool calls in, tool messages out, one independent branch per call."""

    async def fan_out(state: Conversation, config: RunnableConfig) -> list[Send]:
        branches = sends(gate, state, thread_of(config))
        if gate.propose is not None:
            *before, message = state["messages"]
            step = await step_for(gate, before, thread_of(config), requester_of(config))
            for branch in branches:
                gate.steps.put(branch.arg["call"]["action"], replace(step, proposed=cast(AIMessage, message)))
        return branches

    return (
        StateGraph(Conversation)
        .add_node("call", call_graph(gate).compile())
        .add_conditional_edges(START, fan_out, ["call"])
        .add_edge("call", END)
    )


def sends(gate: Gate, state: Conversation, thread: str) -> list[Send]:
    """Return one branch per tool call of the last message, and one more for all that are too many."""
    message, most = state["messages"][-1], gate.ledger.room.limits.calls
    if not isinstance(message, AIMessage) or not message.tool_calls:
        raise AssentError("The gate needs a message with tool calls as the last one.")
    calls = calls_of(message, state["messages"], thread, secrets_in(gate, state["messages"]))
    branches = [Send("call", {"call": call}) for call in calls[:most]]
    if len(calls) > most:
        rest = [Refused(action=one["action"], tool_call_id=one["tool_call_id"], name=one["name"]) for one in calls[most:]]
        branches.append(Send("call", {"call": {**calls[most], "rest": rest}}))
    return branches


def secrets_in(gate: Gate, messages: Sequence[BaseMessage]) -> list[str]:
    """Return the texts by which the secret arguments of any call of a conversation could be told, longest first."""
    asked = [call for one in messages if isinstance(one, AIMessage) for call in one.tool_calls if call["name"] in gate.tools]
    found = {text for call in asked for text in hidden(call["args"], declaration_of(gate.tools[call["name"]]).secret)}
    return sorted(found, key=len, reverse=True)


def calls_of(message: AIMessage, messages: Sequence[BaseMessage], thread: str, secret: Sequence[str] = ()) -> list[Call]:
    """Return the calls of a message under ids of ours, each with the end of the conversation without its secrets."""
    text, said = latest_text(messages), excerpt(messages, secret)
    earlier = sum(isinstance(one, ToolMessage) for one in messages)
    return [
        Call(
            action=mint_action_id(thread, message.id or "", index),
            tool_call_id=call["id"] or "",
            name=storable(call["name"]),
            args=call["args"],
            text=text,
            earlier=earlier,
            excerpt=said,
        )
        for index, call in enumerate(message.tool_calls)
    ]
