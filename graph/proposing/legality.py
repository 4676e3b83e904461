"""Checks a proposed call against the offers once more; it trusts no server to have kept to its grammar."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..canonical import NotCanonical, canonical
from .step import Offer

Schema = dict[str, Any]


def _is_integer(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool], str], ...] = (
    ("minimum", "number", operator.ge, "be at least {}"),
    ("maximum", "number", operator.le, "be at most {}"),
    ("exclusiveMinimum", "number", operator.gt, "be more than {}"),
    ("exclusiveMaximum", "number", operator.lt, "be less than {}"),
    ("minLength", "string", operator.ge, "have at least {} characters"),
    ("maxLength", "string", operator.le, "have at most {} characters"),
    ("minItems", "array", operator.ge, "have at least {} items"),
    ("maxItems", "array", operator.le, "have at most {} items"),
)


def legal_problem(offers: Iterable[Offer], tool: Any, args: Any) -> str | None:
    """Return in one line why the call is not legal under the offers, or None when it is."""
    offer = next((offer for offer in offers if offer.name == tool), None)
    if offer is None:
        return f"there is no action {str(tool)[:80]!r}"
    if not isinstance(args, dict):
        return f"{offer.name}: the arguments are not an object"
    problem = schema_problem(args, {"additionalProperties": False, **offer.schema, "type": "object"}, offer.schema)
    if problem is None and offer.choices is not None and not _is_chosen(with_defaults(args, offer.schema), offer):
        problem = "these arguments are not among the legal choices of this case"
    return f"{offer.name}: {problem}" if problem else None


def with_defaults(args: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Return the arguments with those left out filled in from the schema's defaults, as the tool itself would."""
    defaults = {name: part["default"] for name, part in schema.get("properties", {}).items() if "default" in part}
    return {**defaults, **args}


def same_json(one: Any, other: Any) -> bool:
    """Whether two plain values are the same, types included: 1, 1.0, True and "1" all differ; NaN is never the same."""
    try:
        return canonical(one) == canonical(other)
    except NotCanonical:
        return False


def _is_chosen(args: dict[str, Any], offer: Offer) -> bool:
    return any(
        all(name in args and same_json(args[name], value) for name, value in choice.items()) for choice in offer.choices or ()
    )


def schema_problem(value: Any, schema: Any, root: Schema, where: str = "", depth: int = 0) -> str | None:
    """Return the first way in which the value breaks the schema, or None.

    Knows the keywords that tool schemas are made of; the tool's own validation, which comes later, knows the others.
    """
    if depth > 64:
        return _at(where, "is nested too deeply")
    if not isinstance(schema, dict):
        return None if schema is not False else _at(where, "is not allowed")
    if "$ref" in schema:
        return schema_problem(value, resolved(schema["$ref"], root), root, where, depth + 1)
    for check in (_type_problem, _bounds_problem):
        if problem := check(value, schema):
            return _at(where, problem)
    return _union_problem(value, schema, root, where, depth) or _parts_problem(value, schema, root, where, depth)


def resolved(reference: str, root: Schema) -> Any:
    """Return the part of the root schema that a `#/...` reference points at; an unknown one allows nothing."""
    part: Any = root
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(part, dict) or step not in part:
            return False
        part = part[step]
    return part


def _at(where: str, problem: str) -> str:
    return f"{where} {problem}" if where else problem


def _type_problem(value: Any, schema: Schema) -> str | None:
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(_TYPES.get(name, lambda _: False)(value) for name in names):
        return f"must be of type {' or '.join(names)}"
    if "const" in schema and not same_json(value, schema["const"]):
        return f"must be {schema['const']!r}"
    if "enum" in schema and not any(same_json(value, option) for option in schema["enum"]):
        return f"must be one of {', '.join(map(repr, schema['enum'][:8]))}"
    return None


def _bounds_problem(value: Any, schema: Schema) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    for keyword, kind, holds, words in _BOUNDS:
        if keyword in schema and _TYPES[kind](value):
            size = value if kind == "number" else len(value)
            if not holds(size, schema[keyword]):
                return f"must {words.format(schema[keyword])}"
    if isinstance(value, str) and "pattern" in schema and not _matches(schema["pattern"], value):
        return f"must match {schema['pattern']}"
    return None


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True  # an expression of another dialect is left to the tool


def _union_problem(value: Any, schema: Schema, root: Schema, where: str, depth: int) -> str | None:
    def problems(keyword: str) -> list[str | None]:
        return [schema_problem(value, part, root, where, depth + 1) for part in schema.get(keyword, ())]

    if problem := next(filter(None, problems("allOf")), None):
        return problem
    for keyword in ("anyOf", "oneOf"):
        found = problems(keyword)
        if found and None not in found:
            return _at(where, "fits none of the allowed forms") if len(found) > 1 else found[0]
        if keyword == "oneOf" and found.count(None) > 1:
            return _at(where, "fits more than one of forms that exclude each other")
    return None


def _parts_problem(value: Any, schema: Schema, root: Schema, where: str, depth: int) -> str | None:
    if isinstance(value, list) and "items" in schema:
        parts = [(f"{where}[{index}]", item, schema["items"]) for index, item in enumerate(value)]
    elif isinstance(value, dict):
        if missing := next((name for name in schema.get("required", ()) if name not in value), None):
            return _at(_inside(where, missing), "is missing")
        known = schema.get("properties", {})
        other = schema.get("additionalProperties", True)
        if unknown := next((name for name in value if name not in known and other is False), None):
            return _at(_inside(where, str(unknown)[:80]), "is not an argument of it")
        parts = [(_inside(where, name), item, known.get(name, other)) for name, item in value.items()]
    else:
        return None
    found = (schema_problem(item, part, root, place, depth + 1) for place, item, part in parts)
    return next(filter(None, found), None)


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
