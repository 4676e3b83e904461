"""Verbalized probability: the model that proposed says how likely its action is right; never a reason to act."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from ..proposing.prompt import FENCE_NOTE, MESSAGE_WEIGHT, action_json, alternating, cleaned, conversation
from ..proposing.step import Proposer, Step
from .reading import Measured, NamedSignal, Signal
from .stated import PROBABILITY, form, stated

_FORM = form("probability", {"probability": PROBABILITY})

_TASK = (
    "The last answer above is the action you propose. Give the probability (0 to 1) that it is exactly right for the message: "
    "the right action, to the right thing, with the right values. Answer with the number only, as JSON."
)


def verbalized(model: BaseChatModel, *, timeout_seconds: float = 60.0, answer_tokens: int = 40) -> Signal:
    """Return a signal in which the proposing model states the probability that its action is right, in one call.

    The model sees the conversation with its action as its own last turn (the two-stage form of arXiv 2305.14975).
    It never gates: models state high numbers whether they are right or not (arXiv 2306.13063).
    """

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        said = AIMessage(cleaned(action_json(tool, args), MESSAGE_WEIGHT))
        turns = alternating([*conversation(step.messages), said, HumanMessage(_TASK)])
        head = SystemMessage(f"{step.instructions.strip()}\n{FENCE_NOTE}".strip())
        limits: dict[str, Any] = {"timeout_seconds": timeout_seconds, "answer_tokens": answer_tokens}
        return await stated(model, [head, *turns], _FORM, "probability", **limits)

    return NamedSignal("verbalized", measure, gates=False)
