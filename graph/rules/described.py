"""What a check is, as plain data for a policy's digest: name, source and what it closes over; it never calls the check.

A function's globals and the functions it calls are not followed: a change there does not show.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any

from ..canonical import digest_of

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEEPEST = 8
_VALUES = (Decimal, Fraction, datetime.date, datetime.time, datetime.timedelta, enum.Enum, PurePath, re.Pattern)
_SCALARS = (type(None), bool, int, float, str, *_VALUES)


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
    if isinstance(value, _VALUES):
        about["value"] = _ADDRESS.sub("", repr(value))
    elif dataclasses.is_dataclass(value):
        about["state"] = {field.name: inner(getattr(value, field.name)) for field in dataclasses.fields(value)}
    else:  # a resource, such as an open database, may hang on the other attributes
        held = getattr(value, "__dict__", {})
        about["state"] = {name: repr(item) for name, item in held.items() if isinstance(item, _SCALARS)}
    if isinstance(getattr(kind, "__call__", None), types.FunctionType):  # noqa: B004 - the function is wanted
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
