"""Builds one JSON schema out of the offers: a union of actions in which only what is legal in this case can be said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..canonical import canonical
from .step import Offer

FINISH = "finish"
"""The name under which answering without an action stands among the actions; no tool may be called so."""

_KEPT = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "prefixItems", "anyOf", "oneOf", "allOf"}
    | {"enum", "const", "$ref", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "minItems", "maxItems"}
)

Schema = dict[str, Any]
_Box = dict[str, list[Any]]  # for each limited argument the values it may take, independently of the others


def action_schema(offers: Sequence[Offer], may_finish: bool) -> Schema:
    """Return the schema of `{"name": ..., "arguments": ...}` over all offers.

    Legal combinations become constants and enumerations, merged into few branches without allowing a new combination.
    Titles, descriptions, defaults and patterns are left out: a grammar needs none, and servers differ in them.
    Raises ValueError when a tool's name is the reserved one, or when no action is left.
    """
    if any(offer.name == FINISH for offer in offers):
        raise ValueError(f"no tool may be named {FINISH!r}: the name is reserved for answering without an action")
    branches: list[Schema] = []
    definitions: Schema = {}
    for offer in offers:
        branches += [_branch(offer.name, arguments) for arguments in _arguments(offer)]
        for name, part in offer.schema.get("$defs", {}).items():
            definitions[f"{offer.name}.{name}"] = _plain(part, offer.name)
    if may_finish:
        branches.append(_branch(FINISH, _object({"message": {"type": "string"}}, ["message"])))
    if not branches:
        raise ValueError("no action is legal in this case")
    return {"anyOf": branches, **({"$defs": definitions} if definitions else {})}


def _branch(name: str, arguments: Schema) -> Schema:
    return _object({"name": {"const": name}, "arguments": arguments}, ["name", "arguments"])


def _object(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _arguments(offer: Offer) -> list[Schema]:
    """Return one schema of the arguments per merged box of legal combinations."""
    free = _plain({"type": "object", "properties": {}, "additionalProperties": False, **offer.schema}, offer.name)
    if offer.choices is None:
        return [free]
    return [_limited(free, box) for box in merged(offer.choices)]


def _limited(free: Schema, box: _Box) -> Schema:
    limits = {name: {"const": values[0]} if len(values) == 1 else {"enum": values} for name, values in box.items()}
    properties = {name: limits.get(name, part) for name, part in free["properties"].items()}
    required = [name for name in {**properties, **limits} if name in limits or name in free.get("required", ())]
    return {**free, "properties": {**properties, **limits}, "required": required}


def merged(choices: Sequence[dict[str, Any]]) -> list[_Box]:
    """Return boxes (products of value lists) that together hold exactly the combinations given.

    Two boxes that differ in one argument only are joined, from the last argument to the first, until none can be.
    """
    boxes = [{name: [value] for name, value in choice.items()} for choice in choices]
    names = list(dict.fromkeys(name for box in boxes for name in box))
    count = -1
    while count != len(boxes):
        count = len(boxes)
        for name in reversed(names):
            boxes = _joined(boxes, name)
    return boxes


def _joined(boxes: list[_Box], name: str) -> list[_Box]:
    """Return the boxes with those joined that are the same but for this argument."""
    found: dict[bytes, _Box] = {}
    for box in boxes:
        rest = {other: sorted(map(canonical, values)) for other, values in box.items() if other != name}
        key = canonical([name in box, {other: [part.hex() for part in values] for other, values in rest.items()}])
        if (known := found.get(key)) is None:
            found[key] = dict(box)
        elif name in box:
            had = {canonical(value) for value in known[name]}
            known[name] = known[name] + [value for value in box[name] if canonical(value) not in had]
    return list(found.values())


def _plain(part: Any, tool: str, depth: int = 0) -> Any:
    """Return a schema without what a grammar does not need; references point to the definitions of its own tool."""
    if not isinstance(part, dict) or depth > 64:
        return part if isinstance(part, bool) else {}
    kept: Schema = {}
    for keyword, value in part.items():
        if keyword not in _KEPT:
            continue
        if keyword == "properties":
            kept[keyword] = {name: _plain(item, tool, depth + 1) for name, item in value.items()}
        elif keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
            kept[keyword] = [_plain(item, tool, depth + 1) for item in value]
        elif keyword in ("items", "additionalProperties"):
            kept[keyword] = _plain(value, tool, depth + 1)
        elif keyword == "$ref":
            kept[keyword] = value.replace("#/$defs/", f"#/$defs/{tool}.", 1)
        else:
            kept[keyword] = value
    return kept
