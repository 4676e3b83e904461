"""The parts of a key that belong to a gate: how its model is asked, what it is shown and may choose from, what its tools run.

`autonomy.classes` says which part is which. A digest is the same in every process for the same code and settings, and no secret
goes into it: see `made`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool

from ..tools.comparison import unmarked
from ..tools.declaration import declaration_of, schema_of
from .canonical import digest_of
from .confidence import Signal
from .made import made
from .memory import Memory
from .signals.settings import settings_of
from .source import function_of, source_of

WORDING = 1
"""Which words of Assent's own stand around a step when a model is asked: part of the prompt, so to be raised with them."""

_MODEL_FIELDS = ("model_name", "model", "model_id")


def model_of(asked: Any, name: str | None) -> str:
    """Return the name of a model: the one that is stated, else its own; empty where there is none."""
    own = next((found for field in _MODEL_FIELDS if isinstance(found := getattr(asked, field, None), str) and found), "")
    return str(name or own)


def asked_and_measured(asked: Any, signals: Sequence[Signal], model: str) -> dict[str, str]:
    """Return the digests of how a model is asked and of what is measured, both without the name of the agent's own model."""
    found = {"sampling": made(asked), "signals": settings_of(signals)}
    return {part: digest_of(part, _without_name(told, model)) for part, told in found.items()}


def prompt_digest(instructions: str, memory: Memory | None, *, may_finish: bool, actions_per_turn: int | None) -> str:
    """Return the digest of what a model is shown that does not come from the case at hand."""
    turns = {"may_finish": may_finish, "actions_per_turn": actions_per_turn}
    return digest_of("prompt", WORDING, instructions, None if memory is None else memory.made_with, turns)


def offers_digest(tools: Sequence[BaseTool]) -> str:
    """Return the digest of all tools as a model reads them; their order does not count."""
    offers = {tool.name: [tool.description, unmarked(schema_of(tool))] for tool in tools}
    return digest_of("offers", json.dumps(offers, sort_keys=True))


def code_digest(tool: BaseTool) -> str:
    """Return the digest of the version that a tool declares, else of its code: what it does, and what its people are shown of it.

    A plain LangChain tool declares one in its metadata, `{"version": "2"}`.
    """
    declared = declaration_of(tool)
    if version := declared.version or (tool.metadata or {}).get("version"):
        return digest_of("tool version", str(version))
    parts = {"run": _run_of(tool), "dry_run": declared.dry_run, "choices": declared.choices, "undo": declared.undo}
    functions = {name: function_of(part) for name, part in parts.items() if part is not None}
    return digest_of("tool code", {name: source_of(found) if found is not None else "" for name, found in functions.items()})


def _run_of(tool: BaseTool) -> Any:
    """Return the function that a tool was made of, else the method that runs it."""
    for name in ("function", "coroutine", "func"):
        if (found := getattr(tool, name, None)) is not None:
            return found
    return tool._arun if type(tool)._arun is not BaseTool._arun else tool._run


def _without_name(told: Any, name: str) -> Any:
    if isinstance(told, Mapping):
        kept = {key: item for key, item in told.items() if key not in _MODEL_FIELDS or item != name}
        return {key: _without_name(item, name) for key, item in kept.items()}
    return [_without_name(item, name) for item in told] if isinstance(told, list) else told
