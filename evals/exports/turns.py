"""Turns conversation, calls and offers into the chat shapes that training formats share; it picks no labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...tools.comparison import unmarked
from ..examples import Call, Example

Message = dict[str, Any]

CALL_ID = "call_1"
"""Every row holds one call, so one name is enough."""


def prompt(example: Example) -> list[Message]:
    """Return what the model saw before it proposed."""
    return turns_of(example.conversation, example.text)


def turns_of(conversation: Iterable[Mapping[str, Any]], text: str) -> list[Message]:
    """Return a conversation about a request as alternating user and assistant turns that end with a user turn.

    Results of earlier actions and notices are user turns that say so, because a `tool` turn without its call is
    refused by trainers. What the agent said last belongs to the proposal and is left out.
    """
    said = list(conversation)
    turns = [_turn(part) for part in said]
    if not any(part.get("role") == "requester" and part.get("text") == text for part in said):
        turns.append({"role": "user", "content": text})
    while turns and turns[-1]["role"] == "assistant":
        turns.pop()
    return _joined(turn for turn in turns if turn["content"])


def tools(example: Example, *calls: Call) -> list[dict[str, Any]] | None:
    """Return the offered tools as function declarations; None unless all the calls are to offered tools."""
    offered = [offer for offer in example.offers if offer.choices != ()]
    if not {call.tool for call in calls} <= {offer.name for offer in offered}:
        return None
    return [
        {
            "type": "function",
            "function": {"name": offer.name, "description": offer.description, "parameters": unmarked(offer.schema)},
        }
        for offer in offered
    ]


def openai_call(call: Call) -> Message:
    """Return a call as OpenAI's chat API has it: the arguments are JSON in a string."""
    arguments = json.dumps(call.args, ensure_ascii=False, allow_nan=False)
    function = {"name": call.tool, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": CALL_ID, "type": "function", "function": function}]}


def trl_call(call: Call) -> Message:
    """Return a call as chat templates have it: the arguments are an object."""
    function = {"name": call.tool, "arguments": call.args}
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}


def _turn(part: Mapping[str, Any]) -> Message:
    text = str(part.get("text", ""))
    match part.get("role"):
        case "requester":
            return {"role": "user", "content": text}
        case "agent":
            return {"role": "assistant", "content": text}
        case "action":
            return {"role": "user", "content": f"Result of an action: {text}"}
        case _:
            return {"role": "user", "content": f"Note: {text}"}


def _joined(turns: Iterable[Message]) -> list[Message]:
    """Join neighbours of one role, because many chat templates refuse two in a row."""
    joined: list[Message] = []
    for turn in turns:
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1] = {"role": turn["role"], "content": f"{joined[-1]['content']}\n\n{turn['content']}"}
        else:
            joined.append(turn)
    return joined
