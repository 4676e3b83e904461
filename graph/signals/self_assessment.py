"""Self-assessment: the model lists what could be wrong, then says how sure it is; never a reason to act."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from ..proposing.prompt import FENCE_NOTE, MESSAGE_WEIGHT, action_json, cleaned, fenced
from ..proposing.step import Proposer, Step
from .reading import Measured, NamedSignal, Signal
from .stated import PROBABILITY, form, stated

_FORM = form(
    "assessment",
    {
        "problems": {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 3},
        "probability_correct": PROBABILITY,
    },
)

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
        asked = [SystemMessage(f"{_TASK}\n{FENCE_NOTE}"), HumanMessage(_case(tool, args, step))]
        limits: dict[str, Any] = {"timeout_seconds": timeout_seconds, "answer_tokens": answer_tokens}
        return await stated(model, asked, _FORM, "probability_correct", **limits)

    return NamedSignal("self assessment", measure, gates=False)


def _case(tool: str, args: dict[str, Any], step: Step) -> str:
    description = next((offer.description for offer in step.offers if offer.name == tool), "")
    last = str(step.messages[-1].text) if step.messages else ""
    action = cleaned(action_json(tool, args), MESSAGE_WEIGHT)
    return f"Message:\n{fenced(last, MESSAGE_WEIGHT)}\nProposed action: {action}\nWhat it does: {description.strip()}"
