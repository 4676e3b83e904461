"""Self-assessment: the model lists what could be wrong, then says how sure it is; never a reason to act."""

from __future__ import annotations

import json
import math
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from ..errors import ProposalError
from ..proposing.calling import answer
from ..proposing.prompt import FENCE_NOTE, MESSAGE_WEIGHT, action_json, cleaned, fenced
from ..proposing.step import Proposer, Step
from .reading import Measured, NamedSignal, Signal

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "problems": {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 3},
        "probability_correct": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["problems", "probability_correct"],
    "additionalProperties": False,
}

_TASK = (
    "You review an action that another agent proposes. Look for what is wrong with it: does it do what is asked, "
    "to the right thing, with the right values, and nothing more? List the problems you find, at most three. "
    "Then give the probability (0 to 1) that the action is exactly right."
)


def self_assessment(model: BaseChatModel, *, timeout_seconds: float = 60.0, answer_tokens: int = 300) -> Signal:
    """Return a signal in which a model hunts for problems and states P(correct).

    It never gates: agents that succeed in a fifth of the cases claim three quarters (arXiv 2602.06948). It is a feature
    for a calibrator fitted on outcomes.
    """

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        message = await answer(
            model,
            [SystemMessage(f"{_TASK}\n{FENCE_NOTE}"), HumanMessage(_case(tool, args, step))],
            timeout_seconds=timeout_seconds,
            hidden=True,
            temperature=0.0,
            max_tokens=answer_tokens,
            response_format={"type": "json_schema", "json_schema": {"name": "assessment", "schema": _SCHEMA}},
        )
        return Measured(*_read(str(message.text)), calls=1, gates=False)

    return NamedSignal("self assessment", measure, gates=False)


def _case(tool: str, args: dict[str, Any], step: Step) -> str:
    description = next((offer.description for offer in step.offers if offer.name == tool), "")
    last = str(step.messages[-1].text) if step.messages else ""
    action = cleaned(action_json(tool, args), MESSAGE_WEIGHT)
    return f"Message:\n{fenced(last, MESSAGE_WEIGHT)}\nProposed action: {action}\nWhat it does: {description.strip()}"


def _read(text: str) -> tuple[float | None, Any]:
    """Return the stated probability and the answer as it was; raises ProposalError when it is not as asked."""
    try:
        said = json.loads(text)
        value = said["probability_correct"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProposalError("The self-assessment is not as asked.", text) from error
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
    return (float(value) if usable else None), said
