"""Format `trl-sft`: conversational prompt and completion with tools, for TRL's SFTTrainer.

Described at https://huggingface.co/docs/trl/dataset_formats (prompt-completion, tool calling).
"""

from __future__ import annotations

from typing import Any

from ..examples import Call, Example
from .turns import prompt, tools, trl_call


def rows(example: Example) -> tuple[dict[str, Any], ...]:
    """Return one row for an approved or edited action, none for any other."""
    if example.accepted is None:
        return ()
    call = Call(example.tool, example.accepted)
    declared = tools(example, call)
    if declared is None:
        return ()
    return ({"prompt": prompt(example), "completion": [trl_call(call)], "tools": declared},)
