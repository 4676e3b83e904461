"""What a check is, as plain data for a policy's digest: name, source and what it closes over; it never calls the check.

A function's globals and the functions it calls are not followed: a change there does not show.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping
from typing import Any

from .canonical import digest_of

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEEPEST = 8


def described(value: Any, depth: int = 0) -> Any:
    """Return plain data that is equal across processes for equal checks and differs when code or parameters differ."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if depth > _DEEPEST:  # a closure may hold itself
        return _name(type(value))
    inner = functools.partial(described, depth=depth + 1)
    match value:
        case float():
            return repr(value)
        case list() | tuple():
            return [inner(item) for item in value]
        case set() | frozenset():
            return {"set": sorted(digest_of(inner(item)) for item in value)}
        case Mapping():
            return {str(key): inner(item) for key, item in value.items()}
    return _code(value, inner)


def _code(value: Any, inner: Callable[[Any], Any]) -> Any:
    match value:
        case type():
            return _name(value)
        case types.FunctionType():
            return _function(value, inner)
        case types.MethodType():
            return {"method": inner(value.__func__), "of": inner(value.__self__)}
        case functools.partial():
            return {"partial": inner(value.func), "args": inner(value.args), "keywords": inner(value.keywords)}
    return _object(value, inner)


def _function(function: types.FunctionType, inner: Callable[[Any], Any]) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {
        "function": _name(function),
        "source": _source(function),
        "closure": {name: inner(_held(cell)) for name, cell in cells},
        "defaults": inner([function.__defaults__, function.__kwdefaults__]),
    }


def _object(value: Any, inner: Callable[[Any], Any]) -> dict[str, Any]:
    kind: Any = type(value)
    about: dict[str, Any] = {"type": _name(kind)}
    state = {name: getattr(value, name) for name in getattr(kind, "__slots__", ()) if hasattr(value, name)}
    state |= getattr(value, "__dict__", {})
    if state:
        about["state"] = inner(state)
    elif kind.__repr__ is not object.__repr__:
        about["value"] = _ADDRESS.sub("", repr(value))
    if isinstance(getattr(kind, "__call__", None), types.FunctionType):  # noqa: B004 - the function is wanted, not the claim
        about["source"] = _source(kind.__call__)
    return about


def _source(function: types.FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # typed into a prompt, or made by exec
        return function.__code__.co_code.hex() + _ADDRESS.sub("", repr(function.__code__.co_consts))


def _held(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _name(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"
