"""Proposes through structured output over a union of the actions; it refuses answers that are not legal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from ..errors import ProposalError
from .brief import brief_step, completed
from .calling import answer, tokens_of
from .legality import legal_problem
from .prompt import prompt
from .step import Proposer, Step
from .union import FINISH, action_schema


def structured(
    model: BaseChatModel,
    *,
    timeout_seconds: float = 120.0,
    answer_tokens: int | None = 512,
    settings: Mapping[str, Any] | None = None,
) -> Proposer:
    """Return a proposer for any OpenAI-compatible server that constrains answers by JSON schema.

    The answer is checked again on our side. It is at most one call; text that ends the case comes back without calls.
    Where one action only is legal and nothing is free to write, no model is asked. Further `settings` go to the server as they
    are, `{"logprobs": True}` for one.
    """
    further = MappingProxyType(dict(settings or {}))  # what cannot change any more is part of what a certificate holds for

    async def propose(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        """Propose one action; raises ProposalError, ModelUnavailable."""
        shown = brief_step(step)
        if (only := _only_action(shown)) is not None:
            return _called(step, *only, {})
        try:
            schema = action_schema(shown.offers, step.may_finish)
        except ValueError as error:
            raise ProposalError(f"Nothing can be proposed: {error}.") from error
        form = {"name": "action", "schema": schema, "strict": True}
        message = await answer(
            model,
            prompt(shown),
            timeout_seconds=timeout_seconds,
            hidden=True,
            temperature=temperature,
            seed=seed,
            max_tokens=answer_tokens,
            response_format={"type": "json_schema", "json_schema": form},
            **further,
        )
        try:
            return _proposal(message, step)
        except ProposalError as error:
            error.tokens = tokens_of(message)
            raise

    return propose


def _proposal(message: AIMessage, step: Step) -> AIMessage:
    """Return the message with its JSON turned into a tool call or a closing text; raises ProposalError."""
    raw = str(message.text)
    if refusal := message.additional_kwargs.get("refusal"):
        raise ProposalError("The model refused to answer.", refusal)
    tool, args = _parsed(raw)
    kept: dict[str, Any] = {"response_metadata": message.response_metadata, "usage_metadata": message.usage_metadata}
    if tool == FINISH and step.may_finish:
        text = args.get("message") if isinstance(args, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise ProposalError("The model ended the case without a message.", raw)
        return AIMessage(text, **kept)
    offer = next((offer for offer in step.offers if offer.name == tool), None)
    full = completed(offer, args) if offer and isinstance(args, dict) else args
    if problem := legal_problem(step.offers, tool, full):
        raise ProposalError(f"The model's answer is not a legal action: {problem}.", raw)
    return _called(step, tool, args, kept)


def _only_action(shown: Step) -> tuple[str, dict[str, Any]] | None:
    """Return the one action that is legal, when there is nothing to choose and nothing to write."""
    if shown.may_finish or len(shown.offers) != 1 or len(shown.offers[0].choices or ()) != 1:
        return None
    (offer,) = shown.offers
    (choice,) = offer.choices or ()
    return None if set(offer.schema.get("properties", {})) - set(choice) else (offer.name, choice)


def _called(step: Step, tool: str, args: dict[str, Any], kept: dict[str, Any]) -> AIMessage:
    """Return the message that makes the call, with the texts that were left out of the answer."""
    offer = next(offer for offer in step.offers if offer.name == tool)
    call = {"name": tool, "args": completed(offer, args), "id": f"call_{uuid4().hex}"}
    return AIMessage("", tool_calls=[call], **kept)


def _parsed(raw: str) -> tuple[Any, Any]:
    """Return name and arguments as the model wrote them; raises ProposalError when it is not such an object."""
    try:
        value = json.loads(raw, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ProposalError("The model's answer is not valid JSON.", raw) from error
    if not isinstance(value, dict) or set(value) != {"name", "arguments"}:
        raise ProposalError("The model's answer is not an action with a name and arguments.", raw)
    return value["name"], value["arguments"]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
