"""A function's code as text that is the same wherever it is read; it never calls the function.

The source without comments, layout, doc strings and decorators; where there is none, the bytecode, which differs between versions
of Python. What an interpreter happens to lay out otherwise (sets, paths, line numbers) is left out or put in order.
"""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import os
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

from .canonical import digest_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LONGEST = 64


def function_of(value: Any) -> types.FunctionType | None:
    """Return the Python function behind something that can be called; None where there is none, as for what is built in."""
    while isinstance(value, functools.partial | types.MethodType):
        value = value.func if isinstance(value, functools.partial) else value.__func__
    if not isinstance(value, types.FunctionType) and not isinstance(value, type):
        value = getattr(type(value), "__call__", None)  # noqa: B004 - the function is wanted
    return value if isinstance(value, types.FunctionType) else None


def chain_of(value: Any) -> list[Any]:
    """Return something that can be called and all that it stands for, outermost first.

    That is what a partial or a method calls, and what a decorator names as `__wrapped__`, as `functools.wraps` does.
    """
    chain: list[Any] = []
    while value is not None and len(chain) < _LONGEST and not any(value is one for one in chain):
        chain.append(value)
        match value:
            case functools.partial():
                value = value.func
            case types.MethodType():
                value = value.__func__
            case _:
                value = inspect.getattr_static(value, "__wrapped__", None)
    return chain


def source_of(function: types.FunctionType) -> str:
    """Return a function's code."""
    return _source(function.__code__)


@functools.lru_cache(maxsize=4096)
def _source(code: types.CodeType) -> str:
    try:
        return _normal(inspect.getsource(code))
    except (OSError, TypeError):  # typed into a prompt, or made by exec
        return digest_of("bytecode", _bytecode(code))


def _normal(text: str) -> str:
    """Return source without what changes nothing; a part of a statement, as a lambda's lines may be, is taken as it stands."""
    text = textwrap.dedent(text)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text.strip()
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            node.decorator_list = node.decorator_list if node is not tree.body[0] else []
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _bytecode(code: types.CodeType) -> Any:
    return [code.co_code.hex(), list(code.co_names), list(code.co_varnames), list(code.co_freevars), _constant(code.co_consts)]


def _constant(value: Any) -> Any:
    match value:
        case types.CodeType():
            return _bytecode(value)
        case tuple():
            return [_constant(item) for item in value]
        case frozenset():
            return {"set": sorted(digest_of(_constant(item)) for item in value)}
        case None | bool() | int() | str():
            return value
    return f"{type(value).__name__} {value!r}"


def read_by(function: types.FunctionType) -> tuple[dict[str, types.FunctionType], dict[str, Any]]:
    """Return the functions of its package that a function calls by name, with theirs, and the other globals that all of them read.

    Both by the name under which they are read, with the module in front; a module of the package is followed, as in `settings.MAX`.
    """
    functions: dict[str, types.FunctionType] = {}
    globals_: dict[str, Any] = {}
    waiting = [function]
    while waiting:
        one = waiting.pop()
        for path in sorted(set(_globals_in(one.__code__))):
            value, name = _read_at(path, one)
            place = f"{one.__module__}.{name}"
            called = [found for found in chain_of(value) if isinstance(found, types.FunctionType)]
            if not called:
                globals_[place] = value
            elif function not in called and place not in functions and _root(called[0]) == _root(function):
                functions |= {place if number == 0 else f"{place} within {number}": found for number, found in enumerate(called)}
                waiting += called
    return functions, globals_


def _read_at(path: tuple[str, ...], function: types.FunctionType) -> tuple[Any, str]:
    """Return what a function reads by a global's name and the attributes after it, and how far that led."""
    value: Any = None
    names = function.__globals__
    for used, name in enumerate(path):
        if used and not (isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] == _root(function)):
            return value, ".".join(path[:used])
        names = vars(value) if used else names
        if name.startswith("__") or name not in names:  # a builtin, or made when it is asked for
            return None, path[0]
        value = names[name]
    return value, ".".join(path)


def _globals_in(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    """Yield each global that code reads, with the attributes that it then takes of it."""
    path: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if path and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            path += (step.argval,)
        elif step.opname != "EXTENDED_ARG":
            yield from [path] if path else []
            path = (step.argval,) if step.opname == "LOAD_GLOBAL" else ()
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _globals_in(inner)


def placed(value: Any, function: types.FunctionType) -> Any:
    """Return a value with paths into a function's own code, or to where that lies, told from there: a checkout may lie anywhere."""
    match value:
        case list() | tuple() if type(value) in (list, tuple):
            return [placed(item, function) for item in value]
        case dict():
            return {key: placed(item, function) for key, item in value.items()}
        case str() | PurePath() if (path := PurePath(value)).is_absolute():
            return next(
                (_from(base, path) for base in _bases(function) if base in (path, *path.parents) or path in base.parents), value
            )
    return value


def _from(base: PurePath, path: PurePath) -> str:
    return f"here/{PurePath(os.path.relpath(path, base)).as_posix()}"


def _bases(function: types.FunctionType) -> list[Path]:
    """Return the folder that the package of a function lies in, as written and as resolved."""
    named, file = function.__globals__.get("__name__"), function.__globals__.get("__file__")
    if not isinstance(file, str) or not isinstance(named, str):
        return []
    path = Path(os.path.abspath(file))
    depth = min(named.count(".") + (path.name == "__init__.py"), len(path.parents) - 1)
    found = [path.parents[depth], path.resolve().parents[depth]]
    return [base for base in found if base != Path(base.anchor)]


def is_own(function: Callable[..., Any]) -> bool:
    """Tell whether a function is Assent's own: what it does changes with Assent's version, and its parameters say the rest."""
    return _root(function) == __name__.partition(".")[0]


def _root(function: Any) -> str:
    return str(getattr(function, "__module__", "")).partition(".")[0]
