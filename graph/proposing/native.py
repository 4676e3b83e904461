"""Proposes through a model's own tool calls; it refuses only what cannot be read as calls."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage

from ...tools.comparison import unmarked
from ..errors import ProposalError
from .calling import answer, tokens_of
from .prompt import FENCE_NOTE, MESSAGE_WEIGHT, PRECEDENT_WEIGHT, cleaned, fenced, precedent_action, shown
from .step import Offer, Proposer, Step
from .union import merged

NATIVE_WEIGHT = 20 * MESSAGE_WEIGHT
"""The most that is shown of one message to a model with tool calls, in worst-case tokens."""


def native(model: BaseChatModel, *, timeout_seconds: float = 120.0, settings: Mapping[str, Any] | None = None) -> Proposer:
    """Return a proposer for models with reliable tool calls; whether a call is legal is ruled later, call by call.

    Further `settings` go to the model as they are, `{"logprobs": True}` for one.
    """
    further = MappingProxyType(dict(settings or {}))  # what cannot change any more is part of what a certificate holds for

    async def propose(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        """Propose any number of actions; raises ProposalError, ModelUnavailable."""
        tools = [_function(offer) for offer in step.offers if offer.choices != ()]
        bound = model.bind_tools(tools, **({} if step.may_finish else {"tool_choice": "any"})) if tools else model
        message = await answer(
            bound,
            [SystemMessage(_instructions(step)), *map(_cleaned, step.messages)],
            timeout_seconds=timeout_seconds,
            hidden=False,
            temperature=temperature,
            seed=seed,
            **further,
        )
        if problem := _problem(message, step):
            said = str(message.invalid_tool_calls or message.tool_calls or message.text)
            raise ProposalError(problem, said, tokens_of(message))
        return message

    return propose


def _function(offer: Offer) -> dict[str, Any]:
    """Return the offer as an OpenAI function, without keywords of ours; LangChain converts it for other providers."""
    parameters = {"type": "object", "properties": {}, **unmarked(offer.schema)}
    properties = dict(parameters["properties"])
    for name, values in _legal_values(offer).items():
        described = {key: properties[name][key] for key in ("description", "title") if key in properties.get(name, {})}
        properties[name] = {**described, "enum": values}
    return {
        "type": "function",
        "function": {
            "name": offer.name,
            "description": offer.description,
            "parameters": {**parameters, "properties": properties},
        },
    }


def _legal_values(offer: Offer) -> dict[str, list[Any]]:
    """Return for each argument that every legal combination limits the values it may take."""
    boxes = merged(offer.choices or ())
    limited = [name for name in (boxes[0] if boxes else {}) if all(name in box for box in boxes)]
    values = {name: [{name: value} for box in boxes for value in box[name]] for name in limited}
    return {name: merged(choices)[0][name] for name, choices in values.items()}


def _instructions(step: Step) -> str:
    examples = [
        f"Message:\n{fenced(precedent.text, PRECEDENT_WEIGHT)}\nRight action: {action}"
        for precedent in sorted(step.precedents, key=lambda precedent: precedent.similarity)
        if (action := precedent_action(precedent, step.offers)) is not None
    ]
    head = [f"Past cases and the action that was right. {FENCE_NOTE}"] if examples else []
    return "\n\n".join(filter(None, [step.instructions.strip(), *head, *examples])) or "You are a helpful agent."


def _cleaned(message: BaseMessage) -> BaseMessage:
    """Return the message with its text visible and capped; parts that are not text are kept as they are."""
    if isinstance(message, SystemMessage):
        return message
    if isinstance(message, AIMessage) and message.tool_calls:
        calls = [{**call, "args": shown(call["args"], NATIVE_WEIGHT)} for call in message.tool_calls]
        message = message.model_copy(update={"tool_calls": calls})
    if isinstance(message.content, str):
        is_bare_call = isinstance(message, AIMessage) and not message.content
        return message if is_bare_call else message.model_copy(update={"content": cleaned(message.content, NATIVE_WEIGHT)})
    return message.model_copy(update={"content": [_cleaned_part(part) for part in message.content]})


def _cleaned_part(part: Any) -> Any:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return {**part, "text": cleaned(part["text"], NATIVE_WEIGHT)}
    return cleaned(part, NATIVE_WEIGHT) if isinstance(part, str) else part


def _problem(message: AIMessage, step: Step) -> str | None:
    """Return why the message cannot be taken as calls of the tools offered, or None."""
    if message.invalid_tool_calls:
        name = message.invalid_tool_calls[0].get("name")
        return f"The model's call of {str(name)[:80]!r} cannot be read: its arguments are not valid JSON."
    names = {offer.name for offer in step.offers if offer.choices != ()}
    for call in message.tool_calls:
        if call["name"] not in names:
            return f"The model called {call['name'][:80]!r}, which is not offered here."
    if message.tool_calls or (step.may_finish and str(message.text).strip()):
        return None
    return "The model's answer holds neither an action nor a message."
