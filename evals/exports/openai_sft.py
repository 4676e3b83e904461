"""Format `openai-sft`: chat turns that end with the accepted call, for OpenAI's supervised fine-tuning.

Only what a person accepted is imitated; rejected and answered actions are left out. The format is described at
https://developers.openai.com/api/docs/guides/supervised-fine-tuning
"""

from __future__ import annotations

from typing import Any

from ..examples import Call, Example
from .turns import openai_call, prompt, tools


def rows(example: Example) -> tuple[dict[str, Any], ...]:
    """Return one row for an approved or edited action, none for any other."""
    if example.accepted is None:
        return ()
    call = Call(example.tool, example.accepted)
    declared = tools(example, call)
    if declared is None:
        return ()
    messages = [*prompt(example), openai_call(call)]
    return ({"messages": messages, "tools": declared, "parallel_tool_calls": False},)
