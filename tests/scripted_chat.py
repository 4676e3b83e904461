"""A chat model that reads its lines in order, so that examples in the documentation run without a model."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class ScriptedChat(BaseChatModel):
    """Says its lines one after the other, whatever it is asked; after the last it says `Done.`"""

    lines: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Take note of nothing: the lines are written already."""
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        line = self.lines.pop(0) if self.lines else AIMessage("Done.")
        return ChatResult(generations=[ChatGeneration(message=line)])


def scripted(*lines: str | tuple[str, dict[str, Any]]) -> ScriptedChat:
    """Return a model that says these lines: text, or a tool's name with its arguments."""
    return ScriptedChat(lines=[_message(line, index) for index, line in enumerate(lines)])


def _message(line: str | tuple[str, dict[str, Any]], index: int) -> AIMessage:
    if isinstance(line, str):
        return AIMessage(line)
    return AIMessage("", tool_calls=[{"name": line[0], "args": line[1], "id": f"call_{index}"}])
