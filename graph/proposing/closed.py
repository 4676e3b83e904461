"""Tells arguments with a closed set of values from those that belong to one case; it looks at schemas only."""

from __future__ import annotations

from typing import Any

from .legality import resolved


def categorical(schema: dict[str, Any]) -> list[str]:
    """Return the arguments whose schema is an enumeration, a constant or a boolean, in the schema's order."""
    return [name for name, part in schema.get("properties", {}).items() if _is_closed(part, schema)]


def closed_values(part: Any, root: dict[str, Any]) -> list[Any]:
    """Return the values of an enumeration, a constant or a boolean; none for what is open."""
    part = resolved(part["$ref"], root) if isinstance(part, dict) and "$ref" in part else part
    if not isinstance(part, dict):
        return []
    if part.get("type") == "boolean":
        return [True, False]
    return list(part.get("enum", [part["const"]] if "const" in part else []))


def _is_closed(part: Any, root: dict[str, Any], depth: int = 0) -> bool:
    if not isinstance(part, dict) or depth > 8:
        return False
    if "$ref" in part:
        return _is_closed(resolved(part["$ref"], root), root, depth + 1)
    if forms := part.get("anyOf") or part.get("oneOf"):
        return all(_is_closed(form, root, depth + 1) for form in forms)
    return "enum" in part or "const" in part or part.get("type") in ("boolean", "null")
