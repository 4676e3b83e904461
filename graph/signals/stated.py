"""Asks a model for a probability in words; what it states is read and recorded, and never believed by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from ..errors import ModelUnavailable, ProposalError
from ..proposing.calling import answer, tokens_of
from .reading import Measured

PROBABILITY: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}


def form(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return the response format of an answer that has exactly these properties."""
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}


async def stated(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    answer_form: dict[str, Any],
    key: str,
    *,
    timeout_seconds: float,
    answer_tokens: int,
) -> Measured:
    """Ask once, and return the probability that the answer states under `key`; it never gates.

    An answer in another shape, one without end, or none at all costs its call and has no value.
    """
    message, tokens = None, None
    try:
        message = await answer(
            model,
            messages,
            timeout_seconds=timeout_seconds,
            hidden=True,
            temperature=0.0,
            max_tokens=answer_tokens,
            response_format=answer_form,
        )
        tokens = tokens_of(message)
        said = json.loads(str(message.text), parse_constant=_refuse)
        value = said[key]
    except ModelUnavailable as error:
        return Measured(None, {"error": str(error)}, calls=1, gates=False)
    except (ValueError, TypeError, KeyError, RecursionError, ProposalError):
        told = {"error": "The answer is not as asked.", "answer": str(message.text)[:500] if message else ""}
        return Measured(None, told, calls=1, gates=False, tokens=tokens)
    return Measured(float(value) if _is_probability(value) else None, said, calls=1, gates=False, tokens=tokens)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_probability(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
