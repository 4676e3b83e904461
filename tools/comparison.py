"""Which differences between two values of an argument matter: five words, and where they stand in a schema; it compares nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

Comparison = Literal["exact", "set", "number", "text", "cosmetic"]
"""How two values of an argument compare.

* `exact`: the same value of the same type, so 1, 1.0, True and "1" all differ; what is not declared compares so.
* `set`: of a list, order and repetitions do not count.
* `number`: what has the same numerical value, so 1, 1.0 and a Decimal's "1.00"; True is no number. There is no tolerance.
* `text`: the same after Unicode NFKC, case folding and collapsing of blanks.
* `cosmetic`: any value will do.
"""

COMPARISONS: tuple[str, ...] = get_args(Comparison)

COMPARE = "x-compare"
"""The keyword of a JSON schema that says how values of that part compare; it means nothing to anybody else."""

ITEM = "[]"
"""In a path, the elements of a list: `tags[]`."""

NAMED = ("properties", "patternProperties", "$defs", "definitions")
LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLE = ("items", "additionalProperties", "contains", "not", "if", "then", "else")

Schema = dict[str, Any]


def marked(schema: Schema, words: Mapping[str, str]) -> Schema:
    """Return a schema of arguments that also says how they compare; definitions that are marked inside stand in their place.

    A path such as `card.number` goes through every element of a list, as that of a secret does; `tags[]` means the elements.
    Raises ValueError for a word or an argument that does not exist.
    """
    for path, word in words.items():
        _known(word)
        names = [name for part in path.split(".") for name in ([part.removesuffix(ITEM), ITEM] if part.endswith(ITEM) else [part])]
        found = _marked(schema, names, word, schema)
        if found is None:
            raise ValueError(f"there is no argument {path!r} that could be compared as {word!r}")
        schema = found
    return schema


def checked(schema: Schema) -> Schema:
    """Return the schema as it is; raises ValueError when a word in it is unknown."""
    _without(schema, _known)
    return schema


def unmarked(schema: Schema) -> Schema:
    """Return the schema as models are to see it, without a word on how its values compare."""
    plain: Schema = _without(schema, lambda _: None)
    return plain


def annotated(function: Callable[..., Any]) -> dict[str, str]:
    """Return the words that a function's own parameters are annotated with, by name.

    LangChain drops what a `Field(json_schema_extra=...)` of a parameter says; inside of models it is kept.
    """
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception:  # a name that cannot be looked up from here; what is not declared compares exactly
        hints = dict(getattr(function, "__annotations__", {}))
    defaults = {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}
    fields = ((name, field) for name in defaults for field in (*_metadata(hints.get(name)), defaults[name]))
    return {name: word for name, field in fields if (word := word_of(field)) is not None}


def word_of(field: Any) -> Any:
    """Return the word of a pydantic field, or None."""
    extra = field.json_schema_extra if isinstance(field, FieldInfo) else None
    return extra.get(COMPARE) if isinstance(extra, dict) else None


def _metadata(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__


def _known(word: Any) -> None:
    if word not in COMPARISONS:
        raise ValueError(f"arguments compare as {', '.join(COMPARISONS)}, not as {word!r}")


def _marked(part: Any, path: list[str], word: str, root: Schema, depth: int = 0) -> Schema | None:
    """Return the part with the word at the end of the path; None when the path leads nowhere."""
    if not isinstance(part, dict) or depth > 64:
        return None
    if not path:
        return {**part, COMPARE: word}
    part = _inlined(part, root)
    name, rest = path[0], path[1:]
    found: Schema = {}
    properties = part.get("properties", {})
    if name in properties and (deeper := _marked(properties[name], rest, word, root, depth + 1)):
        found["properties"] = {**properties, name: deeper}
    if deeper := _marked(part.get("items"), rest if name == ITEM else path, word, root, depth + 1):
        found["items"] = deeper
    for keyword in ("anyOf", "oneOf", "allOf"):
        forms = part.get(keyword, [])
        inside = [_marked(form, path, word, root, depth + 1) for form in forms]
        if any(inside):
            found[keyword] = [new or form for new, form in zip(inside, forms, strict=True)]
    return {**part, **found} if found else None


def _inlined(part: Schema, root: Schema) -> Schema:
    """Return the part with the definition it refers to in its place, so that marking it marks nobody else's."""
    reference = part.get("$ref", "")
    definition = root.get("$defs", {}).get(reference.removeprefix("#/$defs/"))
    if not isinstance(definition, dict):
        return part
    return {**definition, **{keyword: value for keyword, value in part.items() if keyword != "$ref"}}


def _without(part: Any, told: Callable[[Any], None]) -> Any:
    """Return a part of a schema without the keyword, telling each word that stood there; values and names are let be."""
    if not isinstance(part, dict):
        return part
    kept: Schema = {}
    for keyword, value in part.items():
        if keyword == COMPARE:
            told(value)
        elif keyword in NAMED and isinstance(value, dict):
            kept[keyword] = {name: _without(item, told) for name, item in value.items()}
        elif keyword in LISTED and isinstance(value, list):
            kept[keyword] = [_without(item, told) for item in value]
        else:
            kept[keyword] = _without(value, told) if keyword in SINGLE else value
    return kept
