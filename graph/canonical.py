"""One byte string per value: the canonical form under every digest; it refuses what plain JSON cannot hold.

Values that execute differently get different bytes: `1`, `1.0`, `True`, `"1"`, and integer and string keys are all told
apart, which RFC 8785 (JCS) does not do. Strings keep every code point, lone surrogates included, and are never normalised.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

VERSION = b"assent-1"
BITS = 8192
"""Integers longer than this are refused: Python neither writes nor reads them as text without being told to."""


class NotCanonical(ValueError):
    """The value cannot be put into canonical form: only null, booleans, finite numbers, text, lists and mappings can."""


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of a plain value; raises NotCanonical for anything else, NaN and infinities included."""
    return b"".join(_parts(value, 0))


def _parts(value: Any, depth: int) -> list[bytes]:
    if depth > 64:
        raise NotCanonical("the value is nested more than 64 levels deep")
    match value:
        case None:
            return [b"n;"]
        case bool():
            return [b"t;" if value else b"f;"]
        case int() | float():
            return [_number(value)]
        case str():
            encoded = value.encode("utf-8", "surrogatepass")
            return [b"s%d:" % len(encoded), encoded]
        case list() | tuple():
            return [b"[", *(part for item in value for part in _parts(item, depth + 1)), b"]"]
        case dict():
            return _mapping(value, depth)
    raise NotCanonical(f"a value of type {type(value).__name__} has no canonical form")


def _number(value: int | float) -> bytes:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotCanonical(f"{value} is not a number that can be stored")
        return b"d" + value.hex().encode() + b";"
    if value.bit_length() > BITS:
        raise NotCanonical(f"a whole number of more than {BITS} bits has no canonical form")
    return b"i%d;" % value


def _mapping(value: dict[Any, Any], depth: int) -> list[bytes]:
    entries = []
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise NotCanonical(f"a key of type {type(key).__name__} has no canonical form")
        entries.append((canonical(key), b"".join(_parts(item, depth + 1))))
    return [b"{", *(part for entry in sorted(entries) for part in entry), b"}"]


def digest_of(*values: Any) -> str:
    """Return the SHA-256 (hex, 64 characters) over the canonical form of the values in order."""
    return hashlib.sha256(VERSION + canonical(list(values))).hexdigest()
