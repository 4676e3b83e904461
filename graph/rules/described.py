"""What a check is, as plain data for a policy's digest: its name, code and parameters; it never calls the check.

The parameters are what it closes over and its defaults; of a function of yours also the functions of its own package that it calls
by name, and the plain values (numbers, text, and lists, sets, mappings and frozen dataclasses of such) that they read from their
modules and from others of the package, as they are now, texts called keys or tokens too: what goes in is read only as a digest.
Methods, classes and other packages are not followed: a change there does not show, unless the check states a new `version`.
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
from ..source import is_own, placed, read_by, source_of

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
        "source": source_of(function),
        **_read(function),
        **_version(function),
        "closure": {name: inner(placed(_held(cell), function)) for name, cell in cells},
        "defaults": inner(placed([function.__defaults__, function.__kwdefaults__], function)),
        **_wrapped(function, inner),
    }


def _wrapped(value: Any, inner: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what a decorator stands around, unless it closes over that anyway."""
    wrapped = inspect.getattr_static(value, "__wrapped__", None)
    is_held = any(_held(cell) is wrapped for cell in getattr(value, "__closure__", None) or ())
    return {} if wrapped is None or is_held else {"wrapped": inner(wrapped)}


def _read(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function of yours calls and reads from its modules, as far as it is code or plain data."""
    if is_own(function):
        return {}
    functions, others = read_by(function)
    plain = {name: described(placed(value, function)) for name, value in others.items() if is_plain(value)}
    return {"calls": {name: source_of(one) for name, one in functions.items()}, "constants": plain}


def is_plain(value: Any, depth: int = 0) -> bool:
    """Tell whether a value is a number, text, a date or the like, or a list, set, mapping or frozen dataclass of such."""
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, _SCALARS) and is_plain(item, depth + 1) for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return all(is_plain(item, depth + 1) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and getattr(type(value), "__dataclass_params__").frozen:  # noqa: B009
        return all(is_plain(getattr(value, field.name), depth + 1) for field in dataclasses.fields(value))
    return isinstance(value, _SCALARS)


def _version(value: Any) -> dict[str, str]:
    """Return the version that a check of yours states, for what its code does not show."""
    stated = getattr(value, "version", None)
    return {"version": stated} if isinstance(stated, str) else {}


def _object(value: Any, inner: Callable[[Any], Any]) -> dict[str, Any]:
    kind: Any = type(value)
    about: dict[str, Any] = {"type": _name(kind), **_version(value)}
    if isinstance(value, re.Pattern):
        about["value"] = [inner(value.pattern), value.flags]  # its repr is cut off after 200 characters
    elif isinstance(value, _VALUES):
        about["value"] = _ADDRESS.sub("", repr(value))
    elif dataclasses.is_dataclass(value):
        about["state"] = {field.name: inner(getattr(value, field.name)) for field in dataclasses.fields(value)}
    else:  # a resource, such as an open database, may hang on the other attributes
        held = getattr(value, "__dict__", {})
        about["state"] = {name: inner(item) for name, item in held.items() if is_plain(item)}
    about |= _wrapped(value, inner)
    if isinstance(getattr(kind, "__call__", None), types.FunctionType):  # noqa: B004 - the function is wanted
        about["source"] = source_of(kind.__call__)
        about |= _read(kind.__call__)
    return about


def _held(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _name(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"
