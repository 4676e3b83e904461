"""Format `openai-dpo`: one prompt with a preferred and a non-preferred call, for OpenAI's preference fine-tuning.

A rejected action counts only if something was accepted in its place: silence is not a better answer. The format is
described at https://developers.openai.com/api/docs/guides/direct-preference-optimization
"""

from __future__ import annotations

from typing import Any

from ..examples import Example
from .pairs import pair
from .turns import openai_call, prompt, tools


def rows(example: Example) -> tuple[dict[str, Any], ...]:
    """Return one row for an edit or an answered rejection, none for any other example."""
    found = pair(example)
    declared = tools(example, *found) if found else None
    if found is None or declared is None:
        return ()
    better, worse = found
    row = {
        "input": {"messages": prompt(example), "tools": declared, "parallel_tool_calls": False},
        "preferred_output": [openai_call(better)],
        "non_preferred_output": [openai_call(worse)],
    }
    return (row,)
