"""Finds characters that carry text a person does not see; it reports where they are and never removes them.

Joiners and selectors that ordinary writing needs are not reported: inside emoji, in scripts that join, next to
right-to-left letters, and the flags of England, Scotland and Wales. A free-standing one is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..proposing.visible import is_hidden

_REGIONS = ("gbeng", "gbsct", "gbwls")
_TAGS = "|".join("".join(chr(0xE0000 + ord(letter)) for letter in region) for region in _REGIONS)
_FLAG = re.compile("\N{WAVING BLACK FLAG}(?:" + _TAGS + ")\N{CANCEL TAG}")


@dataclass(frozen=True, slots=True)
class Hidden:
    """One hidden character: the field it is in, where (in code points, from 0), and which."""

    field: str
    index: int
    character: str

    @property
    def code_point(self) -> str:
        """The code point as people cite it, with its Unicode name."""
        return f"U+{ord(self.character):04X} {unicodedata.name(self.character, 'without a name')}"


def hidden_in(field: str, value: Any) -> Iterator[Hidden]:
    """Yield the hidden characters in a plain value and in all keys and values inside it; `field` names the value."""
    match value:
        case str():
            yield from (Hidden(field, index, value[index]) for index in _positions(value))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from hidden_in(f"{field}[{index}]", item)
        case dict():
            for key, item in value.items():
                yield from hidden_in(f"a name in {field}", key)
                yield from hidden_in(f"{field}.{key}", item)


def _positions(text: str) -> Iterator[int]:
    if text.isascii() and text.isprintable():
        return
    flags = {index for flag in _FLAG.finditer(text) for index in range(*flag.span())}
    for index, character in enumerate(text):
        if is_hidden(character) and index not in flags and not _is_ordinary(text, index):
            yield index


def _is_ordinary(text: str, index: int) -> bool:
    """Tell whether ordinary writing needs this hidden character between these neighbours."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    match text[index]:
        case "\r":
            return after == "\n"
        case "\ufe0e" | "\ufe0f":
            return _is_symbol(before) or (before != "" and before in "#*0123456789")
        case "\u200c" | "\u200d":
            return (_is_symbol(before, "\ufe0f") and _is_symbol(after)) or (_joins(before) and _joins(after))
        case "\u200e" | "\u200f":
            return any(near and unicodedata.bidirectional(near) in ("R", "AL") for near in (before, after))
    return False


def _is_symbol(character: str, other: str = "") -> bool:
    return bool(character) and (unicodedata.category(character) in ("So", "Sk") or character == other)


def _joins(character: str) -> bool:
    """Tell whether the character is of a script that writes with joiners: Arabic to Sinhala, and Mongolian."""
    return bool(character) and (0x0600 <= ord(character) <= 0x0DFF or 0x1820 <= ord(character) <= 0x18AA)
