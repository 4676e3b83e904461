"""What the model is shown: the offers that are legal now and the nearest precedents; kept in memory to be resampled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from ..tools.deadline import TooSlow
from ..tools.declaration import Case, legal_choices
from .canonical import NotCanonical, canonical
from .excerpt import latest_text
from .proposing import Offer, Step
from .wiring import Gate

log = logging.getLogger("assent")


async def step_for(gate: Gate, messages: Sequence[BaseMessage], thread: str, requester: str) -> Step:
    """Return the step after these messages: offers less what was turned down in this turn, and precedents."""
    text = latest_text(messages)
    case = Case(gate.tenant, thread, requester, text)
    refused = turned_down(this_turn(messages))
    offers = await asyncio.gather(*(_offer(gate, name, case, refused) for name in gate.tools))
    precedents, corrected = await gate.memory.similar(text) if gate.memory is not None else ((), ())
    return Step(
        instructions=gate.instructions,
        messages=tuple(messages),
        offers=tuple(offer for offer in offers if offer is not None),
        precedents=precedents,
        may_finish=gate.may_finish,
        corrected=corrected,
    )


async def _offer(gate: Gate, name: str, case: Case, refused: Sequence[tuple[str, Any]]) -> Offer | None:
    """Return a tool as it is offered now; None when the case leaves it no legal arguments, or they could not be had in time."""
    tool = gate.tools[name]
    try:
        choices = await legal_choices(tool, case)
    except TooSlow as error:
        log.warning("the tool %s is not offered now: its legal values could not be looked up, %s", name, error)
        return None
    if choices is not None:
        taken = [args for tool_name, args in refused if tool_name == name]
        choices = [choice for choice in choices if not any(_same(choice, args) for args in taken)]
        if not choices:
            return None
    return Offer(name, tool.description, gate.schemas[name], None if choices is None else tuple(choices))


def _same(choice: dict[str, Any], args: dict[str, Any]) -> bool:
    try:
        return all(name in args and canonical(args[name]) == canonical(value) for name, value in choice.items())
    except NotCanonical:
        return False


def this_turn(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """Return the messages since the requester last spoke."""
    spoken = [index for index, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return messages[spoken[-1] + 1 :] if spoken else messages


def turned_down(turn: Sequence[BaseMessage]) -> list[tuple[str, Any]]:
    """Return the calls of a turn that came back as errors, with their arguments."""
    failed = {message.tool_call_id for message in turn if isinstance(message, ToolMessage) and message.status == "error"}
    calls = [call for message in turn if isinstance(message, AIMessage) for call in message.tool_calls]
    return [(call["name"], call["args"]) for call in calls if call["id"] in failed]
