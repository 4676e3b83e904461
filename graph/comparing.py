"""Whether two sets of arguments are the same action, as the tool's schema says they compare; it decides nothing.

Each value has one key, and values are the same when their keys are: so sameness is symmetric and transitive by construction,
and equal canonical JSON has equal keys. What cannot be put into canonical form (NaN, say) is the same as nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

from ..tools.comparison import COMPARE, COMPARISONS
from .canonical import NotCanonical, canonical
from .proposing.legality import resolved, schema_problem

Schema = dict[str, Any]

_NUMERAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,9})?")
_DEEP = 64


def same(args: dict[str, Any], other: dict[str, Any], schema: Schema) -> bool:
    """Whether two arguments of one tool do the same, as far as its schema's words (`x-compare`) tell.

    What is left out compares as the schema's default. Without words, values compare with their types. A word that is unknown,
    or that does not fit the value, counts for nothing: the value then compares exactly.
    """
    return _alike(args, other, schema, COMPARISONS)


def only_cosmetic(args: dict[str, Any], other: dict[str, Any], schema: Schema) -> bool:
    """Whether two arguments differ, and only in parts that are declared `cosmetic`; every other part compares exactly."""
    return _alike(args, other, schema, ("cosmetic",)) and not _alike(args, other, schema, ())


def _alike(args: dict[str, Any], other: dict[str, Any], schema: Schema, words: Collection[str]) -> bool:
    try:
        canonical(args), canonical(other)
        root = {keyword: value for keyword, value in schema.items() if keyword != COMPARE}
        return _Keys(root, words).of(args, root) == _Keys(root, words).of(other, root)
    except NotCanonical:
        return False


class _Keys:
    """The keys of values under one schema, heeding some of its words."""

    def __init__(self, root: Schema, words: Collection[str]) -> None:
        self._root, self._words = root, words

    def of(self, value: Any, schema: Any) -> bytes:
        """Return the value's key; values with equal keys are the same."""
        forms = list(self._forms(value, schema))
        word = next((form[COMPARE] for form in forms if form.get(COMPARE) in self._words), "exact")
        match word, value:
            case "cosmetic", _:
                return b"*"
            case "number", bool():
                return canonical(value)
            case "number", int() | float() | str():
                return _number(value)
            case "text", str():
                return _text(value)
            case "set", list() | tuple():
                return b"(" + b"".join(sorted(set(self._items(value, forms)))) + b")"
            case _, list() | tuple():
                return b"[" + b"".join(self._items(value, forms)) + b"]"
            case _, dict():
                return self._mapping(value, forms)
        return canonical(value)

    def _items(self, value: list[Any] | tuple[Any, ...], forms: list[Schema]) -> Iterator[bytes]:
        first: list[Any] = next((form["prefixItems"] for form in forms if isinstance(form.get("prefixItems"), list)), [])
        rest: Schema = next((form["items"] for form in forms if isinstance(form.get("items"), dict)), {})
        for index, item in enumerate(value):
            yield self.of(item, first[index] if index < len(first) else rest)

    def _mapping(self, value: dict[Any, Any], forms: list[Schema]) -> bytes:
        parts: Schema = {}
        for form in reversed(forms):
            parts.update(form.get("properties", {}))
        others: Schema = next(
            (form["additionalProperties"] for form in forms if isinstance(form.get("additionalProperties"), dict)), {}
        )
        defaults = {name: part["default"] for name, part in parts.items() if isinstance(part, dict) and "default" in part}
        entries = {canonical(name): self.of(item, parts.get(name, others)) for name, item in (defaults | value).items()}
        for name, part in parts.items():
            if any(form.get(COMPARE) == "cosmetic" for form in self._forms(value.get(name), part)) and "cosmetic" in self._words:
                entries.pop(canonical(name), None)  # left out or not, nobody minds
        return b"{" + b"".join(name + entry for name, entry in sorted(entries.items())) + b"}"

    def _forms(self, value: Any, schema: Any, depth: int = 0) -> Iterator[Schema]:
        """Yield what of a schema is about this value, outermost first: itself, what it refers to, and the form that fits."""
        if not isinstance(schema, dict) or depth > _DEEP:
            return
        yield schema
        if "$ref" in schema:
            yield from self._forms(value, resolved(schema["$ref"], self._root), depth + 1)
        for part in schema.get("allOf", ()):
            yield from self._forms(value, part, depth + 1)
        for keyword in ("anyOf", "oneOf"):
            fitting = (part for part in schema.get(keyword, ()) if schema_problem(value, part, self._root) is None)
            yield from self._forms(value, next(fitting, None), depth + 1)


def _number(value: float | str) -> bytes:
    """Return one key for all ways to write a numerical value; text that is no numeral compares exactly."""
    if isinstance(value, str) and not _NUMERAL.fullmatch(value):
        return canonical(value)
    sign, digits, exponent = Decimal(repr(value) if isinstance(value, float) else value).as_tuple()
    written = "".join(map(str, digits)).lstrip("0")
    kept = written.rstrip("0")
    if not kept:
        return b"N0;"
    return f"N{'-' if sign else ''}{kept}e{int(exponent) + len(written) - len(kept)};".encode()


def _text(value: str) -> bytes:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return b"T" + canonical(" ".join(folded.split()))
