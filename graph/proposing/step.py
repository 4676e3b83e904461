"""What a model sees when it proposes, as frozen values that can be replayed; nothing here talks to a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool as the model is offered it in this step."""

    name: str
    description: str
    schema: dict[str, Any]
    """JSON schema of the arguments (an object)."""
    choices: tuple[dict[str, Any], ...] | None = None
    """Legal argument combinations of this case; None: whatever the schema allows. A key absent from one is free."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """An action of a past case that a person accepted, proposed so or edited, or one that was corrected."""

    example_id: str
    text: str
    """The requester's message of that case: untrusted text."""
    tool: str
    args: dict[str, Any]
    similarity: float
    """Cosine between that message and this one, 0..1."""
    decided: bool = True
    """Whether a person decided it; False: a demonstration that the developer wrote, which vouches for nothing."""
    label: str = "approve"
    """What the person decided: `approve`, `edit` or `reject`."""


@dataclass(frozen=True, slots=True)
class Step:
    """Everything a model sees when it proposes, reused unchanged for resampling, and what is measured with beside it."""

    instructions: str
    messages: tuple[BaseMessage, ...]
    offers: tuple[Offer, ...]
    precedents: tuple[Precedent, ...] = ()
    """Past cases with the action that was right, which the model is shown as examples."""
    may_finish: bool = True
    """Whether answering without an action is among the options."""
    corrected: tuple[Precedent, ...] = ()
    """Past actions that people edited or rejected, as they were proposed: measured with, and never shown to a model."""
    proposed: AIMessage | None = None
    """What came of the step the first time; no part of what a model sees."""


class Proposer(Protocol):
    """Turns a step into one message: tool calls, or a plain answer that ends the case."""

    async def __call__(self, step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        """Propose; raises ProposalError when the answer is malformed, ModelUnavailable when there is none."""
        ...
