"""The end of a conversation in plain words, bounded, for cards and examples; it is untrusted text and stays so."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from .audit.masking import scrubbed

TURNS = 8
CHARACTERS = 4_000


def text_of(message: BaseMessage) -> str:
    """Return the text of a message, whatever its content is made of."""
    return message.text if isinstance(message.content, list) else str(message.content)


def latest_text(messages: Sequence[BaseMessage]) -> str:
    """Return the requester's latest message, cut to 4,000 characters."""
    found = next((text_of(message) for message in reversed(messages) if isinstance(message, HumanMessage)), "")
    return cut(found)


def excerpt(messages: Sequence[BaseMessage], secret: Sequence[str] = ()) -> list[dict[str, str]]:
    """Return the last eight turns that say something, without these secrets, each cut to 4,000 characters and marked where cut."""
    # scrubbed before it is cut: half a secret would not be found any more
    said = [{"role": role_of(message), "text": cut(scrubbed(text_of(message), secret))} for message in messages[-3 * TURNS :]]
    return [turn for turn in said if turn["text"].strip()][-TURNS:]


def role_of(message: BaseMessage) -> str:
    """Return who speaks: `requester`, `agent` or `action`."""
    match message:
        case HumanMessage():
            return "requester"
        case AIMessage():
            return "agent"
        case ToolMessage():
            return "action"
    return "notice"


def cut(text: str) -> str:
    """Return the text, cut in the middle where it is too long, saying how much is left out; broken characters as U+FFFD."""
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    if len(text) <= CHARACTERS:
        return text
    half = CHARACTERS // 2
    return f"{text[:half]} [... {len(text) - CHARACTERS} characters left out ...] {text[-half:]}"
