"""What a person may answer to a review; parsed here, at the boundary, and nowhere else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

MAX_TEXT = 4_000


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    digest: str = Field(min_length=64, max_length=64)
    """The digest of the action as it was shown."""
    seen_ms: int | None = Field(default=None, ge=0)
    """How long it was on the screen, in milliseconds."""


class Approve(_Answer):
    """The action runs as shown."""

    type: Literal["approve"] = "approve"


class Edit(_Answer):
    """The same tool runs with these arguments instead: a full replacement, and its author's approval of it."""

    type: Literal["edit"] = "edit"
    args: dict[str, Any]


class Reject(_Answer):
    """The action does not run; the feedback goes to the agent."""

    type: Literal["reject"] = "reject"
    reason: str = Field(min_length=1, max_length=200)
    feedback: str = Field(default="", max_length=MAX_TEXT)


class Respond(_Answer):
    """The action does not run; the message goes to the agent as if it were the tool's answer."""

    type: Literal["respond"] = "respond"
    message: str = Field(min_length=1, max_length=MAX_TEXT)


Decision = Annotated[Approve | Edit | Reject | Respond, Field(discriminator="type")]

_decision: TypeAdapter[Approve | Edit | Reject | Respond] = TypeAdapter(Decision)


def parse_decision(value: Any) -> Approve | Edit | Reject | Respond:
    """Return the decision a client sent; raises pydantic.ValidationError."""
    return _decision.validate_python(value)
