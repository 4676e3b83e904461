"""The parts of a key that belong to a gate: how its model is asked, what it is shown and may choose from, what its tools run.

`autonomy.classes` says which part is which. A digest is the same in every process for the same code and settings, and no secret
goes into it: see `made`.
"""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool

from ..tools.comparison import unmarked
from ..tools.declaration import declaration_of, schema_of
from .canonical import digest_of
from .confidence import Signal
from .made import held_by, is_secret, made
from .memory import Memory
from .signals.settings import settings_of
from .source import chain_of, function_of, is_own, placed, read_by, source_of

WORDING = 1
"""Which words of Assent's own stand around a step when a model is asked: part of the prompt, so to be raised with them."""

_CALLED = (types.FunctionType, types.MethodType, functools.partial)
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
    return digest_of("tool code", {name: _code(part) for name, part in parts.items() if part is not None})


def _code(part: Any) -> list[Any]:
    """Return the functions behind a part, those that they close over or call by name, and the numbers, texts and models in reach.

    Each function once, without its name. Lists and mappings are left out: they may fill while the program runs.
    """
    told: list[Any] = []
    seen: set[types.FunctionType] = set()
    reached: set[Any] = set()  # what these read in turn was told with the function that calls them
    waiting = chain_of(part)
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, functools.partial):
            given = {**dict[Any, Any](enumerate(one.args)), **one.keywords}
            told.append(_settled(given))
            waiting += _called(given)
        function = function_of(one)
        if function is not None and function not in seen:
            seen.add(function)
            held, read = _held(function), {} if is_own(function) or function in reached else _read(function)
            reached.update(value for value in read.values() if isinstance(value, types.FunctionType))
            told.append({"source": source_of(function), "held": _settled(held), "read": _settled(read)})
            waiting += [*_called(held), *_called(read)]
    return told


def _called(values: Mapping[Any, Any]) -> list[Any]:
    return [inner for value in values.values() if isinstance(value, _CALLED) for inner in chain_of(value)]


def _held(function: types.FunctionType) -> dict[str, Any]:
    defaults = [*enumerate(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()]
    held = {**{f"default {name}": value for name, value in defaults}, **held_by(function)}
    return {name: placed(value, function) if isinstance(value, str) else value for name, value in held.items()}


def _read(function: types.FunctionType) -> dict[str, Any]:
    functions, others = read_by(function)
    plain = {name: placed(value, function) for name, value in others.items() if isinstance(value, bool | int | float | str)}
    return {name.removeprefix(f"{function.__module__}."): value for name, value in (*functions.items(), *plain.items())}


def _settled(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return values that cannot change while the program runs, without secrets and functions."""
    kept = {str(name): value for name, value in values.items() if not isinstance(value, (*_CALLED, list, set, dict))}
    return {name: made(value) for name, value in kept.items() if not is_secret(name, value)}


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
