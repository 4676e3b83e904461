"""Format `trl-kto`: single calls marked desirable or not, for TRL's KTOTrainer; no pairs are needed.

Described at https://huggingface.co/docs/trl/dataset_formats (unpaired preference, tool calling).
"""

from __future__ import annotations

from typing import Any

from ...graph.proposing.legality import same_json
from ..examples import Call, Example
from .turns import prompt, tools, trl_call


def rows(example: Example) -> tuple[dict[str, Any], ...]:
    """Return true for an approved action, false for a rejected one, both for an edit; an answered one says neither."""
    declared = tools(example, *(call for call, _ in marked(example)))
    if declared is None:
        return ()
    turns = prompt(example)
    return tuple(
        {"prompt": turns, "completion": [trl_call(call)], "label": label, "tools": declared} for call, label in marked(example)
    )


def marked(example: Example) -> list[tuple[Call, bool]]:
    """Return the calls an example judges, with its judgement."""
    match example.label:
        case "approve":
            return [(example.proposed, True)]
        case "reject":
            return [(example.proposed, False)]
        case "edit" if example.accepted is not None:
            accepted = (Call(example.tool, example.accepted), True)
            unchanged = same_json(example.accepted, example.args)
            return [accepted] if unchanged else [accepted, (example.proposed, False)]
    return []
