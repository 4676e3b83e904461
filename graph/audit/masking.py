"""Hides the arguments a tool declares secret wherever they are shown; digests are over the real values, which stay in the rows.

A field is named by its path, `card.number`; a path goes through every element of a list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MASK = "••••"
"""What stands in a secret's place; it says nothing of the secret, its length included."""

SHORTEST = 4
"""A secret shorter than this is hidden as an argument, but not looked for inside other texts, which it would tear apart."""


def masked(args: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """Return the arguments with every secret field that has a value replaced by the mask."""
    shown = dict(args)
    for path in secrets:
        shown = _changed(shown, path.split("."), lambda _: MASK)
    return shown


def maybe_masked(args: Mapping[str, Any] | None, secrets: Sequence[str]) -> dict[str, Any] | None:
    """Return what `masked` returns; None stays None."""
    return None if args is None else masked(args, secrets)


def restored(args: Mapping[str, Any], real: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """Return edited arguments with the real value wherever the mask came back untouched; see `still_masked`."""
    found = dict(args)
    for path in secrets:
        parts, values = path.split("."), list(_values(real, path.split(".")))
        if len(list(_values(found, parts))) == len(values):
            in_order = iter(values)
            found = _changed(found, parts, lambda value, known=in_order: _either(value, next(known)))
    return found


def _either(value: Any, real: Any) -> Any:
    return real if value == MASK else value


def still_masked(args: Mapping[str, Any], secrets: Sequence[str]) -> list[str]:
    """Return the secret fields that hold the mask itself, which is nobody's secret."""
    return [path for path in secrets if any(value == MASK for value in _values(args, path.split(".")))]


def hidden(args: Mapping[str, Any], secrets: Sequence[str]) -> list[str]:
    """Return the texts by which the secret values of some arguments could be told, longest first."""
    found = {text for path in secrets for value in _values(args, path.split(".")) for text in _texts(value)}
    return sorted((text for text in found if len(text) >= SHORTEST and text != MASK), key=len, reverse=True)


def scrubbed(value: Any, texts: Sequence[str]) -> Any:
    """Return plain JSON in which none of these texts appears in any string."""
    if not texts:
        return value
    match value:
        case str():
            for text in texts:
                value = value.replace(text, MASK)
            return value
        case Mapping():
            return {scrubbed(name, texts): scrubbed(item, texts) for name, item in value.items()}
        case list() | tuple():
            return [scrubbed(item, texts) for item in value]
    return MASK if not isinstance(value, bool | None) and str(value) in texts else value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case bool() | None:
            return
        case _:
            text = str(value)
            yield from (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _changed(value: Any, path: Sequence[str], change: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_changed(item, path, change) for item in value]
    if not path:
        return None if value is None else change(value)
    if isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _changed(value[path[0]], path[1:], change)}
    return value
