"""Calls a chat model once, with a deadline, and turns every way it can fail into one line that says what to do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from ..errors import ModelUnavailable, ProposalError

_SLOW = "The model did not answer in time; try again, or allow it more time."
_USER_INFO = re.compile(r"//[^/@\s]*@")


class Chat(Protocol):
    """The part of a LangChain chat model that is used here, bound or not."""

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> BaseMessage:
        """Answer the messages."""
        ...


async def answer(
    model: Chat,
    messages: Sequence[BaseMessage],
    *,
    timeout_seconds: float,
    hidden: bool,
    **settings: Any,
) -> AIMessage:
    """Return the model's message; raises ModelUnavailable or, for an answer without end, ProposalError.

    A `hidden` answer is kept out of LangGraph's token stream. Settings that are None are not sent.
    """
    config: RunnableConfig = {"tags": ["nostream"]} if hidden else {}
    sent = {name: value for name, value in settings.items() if value is not None}
    try:
        async with asyncio.timeout(timeout_seconds):
            message = await model.ainvoke(list(messages), config, **sent)
    except TimeoutError as error:
        raise ModelUnavailable(_SLOW) from error
    except Exception as error:  # a client library's errors are its own; all of them mean that there is no answer
        raise _explained(error) from error
    if not isinstance(message, AIMessage):
        raise ModelUnavailable(f"The model answered with a {type(message).__name__}; use a chat model.")
    return message


def tokens_of(message: BaseMessage) -> int | None:
    """Return the prompt and completion tokens of an answer, where the model server told."""
    usage = getattr(message, "usage_metadata", None)
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) else None


def tokens_summed(tokens: Iterable[int | None]) -> int | None:
    """Return the sum of what is known; None when nothing is."""
    known = [count for count in tokens if count is not None]
    return sum(known) if known else None


def _explained(error: Exception) -> ModelUnavailable | ProposalError:
    """Return what an error of a model client means, told apart without importing a client."""
    names = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(error, "status_code", None)
    if "LengthFinishReasonError" in names:
        return ProposalError("The model's answer has no end; it was cut off.", _cut_off(error))
    if "ContentFilterFinishReasonError" in names:
        return ProposalError("The model server withheld the answer.", str(error))
    if "ValidationError" in names and "tool_calls" in str(error):
        return ProposalError("The model's call cannot be read: its arguments are not an object.", str(error))
    if "APITimeoutError" in names:
        return ModelUnavailable(_SLOW)
    if "APIConnectionError" in names or isinstance(error, ConnectionError):
        return ModelUnavailable()
    if isinstance(status, int):
        return ModelUnavailable(_refused(status, error))
    advice = "check that it speaks the OpenAI protocol"
    return ModelUnavailable(f"The model server's answer could not be read ({_line(error)}); {advice}.")


def _cut_off(error: Exception) -> str:
    """Return what had been said when the limit was reached."""
    try:
        return str(error.completion.choices[0].message.content)  # type: ignore[attr-defined]
    except (AttributeError, IndexError):
        return str(error)


def _refused(status: int, error: Exception) -> str:
    """Return what to do about an HTTP status."""
    if status in (401, 403):
        return f"The model server refused the key (HTTP {status}); check OPENAI_API_KEY."
    if status == 404:
        return "The model server knows no such model or address (HTTP 404); check the model's name and OPENAI_BASE_URL."
    if status == 429:
        return "The model server is busy or the quota is spent (HTTP 429); wait, then try again."
    if status >= 500:
        return f"The model server failed (HTTP {status}); try again, and look at its log if it stays so."
    return f"The model server did not accept the request (HTTP {status}): {_line(error)}"


def _line(error: Exception) -> str:
    """Return an error in one short line without credentials."""
    text = " ".join(str(error).split()) or type(error).__name__
    return _USER_INFO.sub("//", text)[:200]
