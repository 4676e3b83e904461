"""A function's code as text that is the same wherever it is read; it never calls the function.

The source without comments, layout, doc strings and decorators; where there is none, the bytecode, which differs between versions
of Python. What an interpreter happens to lay out otherwise (sets, paths, line numbers) is left out or put in order.
"""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from .canonical import digest_of

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def function_of(value: Any) -> types.FunctionType | None:
    """Return the Python function behind something that can be called; None where there is none, as for what is built in."""
    while isinstance(value, functools.partial | types.MethodType):
        value = value.func if isinstance(value, functools.partial) else value.__func__
    if not isinstance(value, types.FunctionType) and not isinstance(value, type):
        value = getattr(type(value), "__call__", None)  # noqa: B004 - the function is wanted
    return value if isinstance(value, types.FunctionType) else None


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

    Both by the name under which they are read, with the module in front.
    """
    functions: dict[str, types.FunctionType] = {}
    globals_: dict[str, Any] = {}
    waiting = [function]
    while waiting:
        one = waiting.pop()
        for name in sorted(name for name in set(_globals_in(one.__code__)) & set(one.__globals__) if not name.startswith("__")):
            value, place = one.__globals__[name], f"{one.__module__}.{name}"
            if not isinstance(value, types.FunctionType):
                globals_[place] = value
            elif value is not function and place not in functions and _root(value) == _root(function):
                functions[place] = value
                waiting.append(value)
    return functions, globals_


def _globals_in(code: types.CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_GLOBAL":
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _globals_in(inner)


def is_own(function: Callable[..., Any]) -> bool:
    """Tell whether a function is Assent's own: what it does changes with Assent's version, and its parameters say the rest."""
    return _root(function) == __name__.partition(".")[0]


def _root(function: Any) -> str:
    return str(getattr(function, "__module__", "")).partition(".")[0]
