"""What the graph carries between nodes: plain JSON, messages and ids; no rows, and no authority."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

Way = Literal["allow", "gate", "review", "refuse"]
"""Where a call goes next: the policy's ruling, then the verdict."""


class Conversation(TypedDict):
    """The state of an agent: its messages."""

    messages: Annotated[list[AnyMessage], add_messages]


class Refused(TypedDict):
    """What has to be known of a call to answer it."""

    action: str
    tool_call_id: str
    name: str


class Call(TypedDict):
    """One proposed tool call, as it was proposed."""

    action: str
    """Our id of the action."""
    tool_call_id: str
    name: str
    args: dict[str, Any]
    text: str
    """The requester's latest message."""
    earlier: int
    """How many actions of this thread came before."""
    excerpt: list[dict[str, str]]
    """The end of the conversation, for the card and the example: `role` and `text`."""
    rest: NotRequired[list[Refused]]
    """From this call on, the calls of a message that had too many; they are refused together."""


class CallState(TypedDict):
    """The state of one call on its way through the gate."""

    call: Call
    args: NotRequired[dict[str, Any]]
    """Canonical arguments, defaults filled in."""
    way: NotRequired[Way]
    reasons: NotRequired[list[dict[str, str]]]
    evidence: NotRequired[list[dict[str, str]]]
    outcome: NotRequired[dict[str, str]]
    """Where the review stands: `status`, `type`, `actor`, `reason`, `message`."""
    result: NotRequired[Literal["finished", "withheld", "unknown"]]
    messages: NotRequired[list[AnyMessage]]


class CallAnswer(TypedDict):
    """What a call leaves behind: one tool message."""

    messages: list[AnyMessage]
