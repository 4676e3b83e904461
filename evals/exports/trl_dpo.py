"""Format `trl-dpo`: conversational prompt with a chosen and a rejected call, for TRL's DPOTrainer.

Described at https://huggingface.co/docs/trl/dataset_formats (preference, tool calling).
"""

from __future__ import annotations

from typing import Any

from ..examples import Example
from .pairs import pair
from .turns import prompt, tools, trl_call


def rows(example: Example) -> tuple[dict[str, Any], ...]:
    """Return one row for an edit or an answered rejection, none for any other example."""
    found = pair(example)
    declared = tools(example, *found) if found else None
    if found is None or declared is None:
        return ()
    better, worse = found
    chosen, rejected = [trl_call(better)], [trl_call(worse)]
    return ({"prompt": prompt(example), "chosen": chosen, "rejected": rejected, "tools": declared},)
