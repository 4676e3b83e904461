"""Makes untrusted text safe to show a model: hidden characters out, template marks broken; it judges no meaning."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Blank or ignorable characters that Unicode does not class as format or control (UAX 44, Default_Ignorable_Code_Point).
_IGNORABLE = frozenset([0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2028, 0x2029, 0x2800, 0x3164, 0xFFA0]) | frozenset(
    [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xFDD0, 0xFDF0), *range(0xE0000, 0xE1000)]
)
_JOINERS = frozenset("\u200c\u200d")
_SELECTORS = frozenset("\ufe0e\ufe0f")
_RIGHT_TO_LEFT = ("R", "AL")

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

# The marks with which chat templates separate turns; a server reads them as its own if they stand in a message.
_TEMPLATE_MARK = re.compile(
    r"<(?=[|\uff5c][^<>|\uff5c]{1,40}[|\uff5c]>)|<(?=/?(?:s|bos|eos|start_of_turn|end_of_turn|tool_call|tool_response|think)>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\])|<(?=</?SYS>>)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_hidden(character: str) -> bool:
    """Whether a character can carry text that a person does not see (tabs and line feeds are seen)."""
    if character in "\n\t":
        return False
    point = ord(character)
    return point in _IGNORABLE or point & 0xFFFE == 0xFFFE or unicodedata.category(character) in ("Cf", "Cc", "Cs", "Co")


def visible(text: str) -> str:
    """Return the text as a person sees it: hidden characters taken out, and a marker at the end that counts them.

    Joiners and selectors that ordinary writing needs (in emoji, Arabic or Indic words, by right-to-left text) are not
    counted, so that only what hides something is reported. Marks of chat templates are broken with a space.
    """
    text = _LINE_END.sub("\n", text)
    if any(is_hidden(character) for character in text):
        text = _with_marker(text)
    return _TEMPLATE_MARK.sub(lambda mark: f"{mark.group()} ", text)


def _with_marker(text: str) -> str:
    parts: list[str] = []
    hidden = 0
    for index, character in enumerate(text):
        if not is_hidden(character):
            parts.append(character)
        elif not _is_ordinary(character, parts[-1] if parts else "", text[index + 1 : index + 2]):
            hidden += 1
    marker = f" [{hidden} hidden character{'s' if hidden > 1 else ''} removed]" if hidden else ""
    return "".join(parts) + marker


def _is_ordinary(character: str, shown: str, following: str) -> bool:
    """Whether a hidden character belongs to ordinary writing, given the last character shown and the next."""
    if not shown:
        return character == "\ufeff"
    if character in _SELECTORS:
        return _is_symbol(shown) or shown in "#*0123456789"
    if character in _JOINERS:
        return (_is_symbol(shown) and _is_symbol(following)) or (_joins(shown) and _joins(following))
    if character in "\u200e\u200f":
        return any(unicodedata.bidirectional(near) in _RIGHT_TO_LEFT for near in (shown, following) if near)
    if character == "\u00ad":
        return shown.isalpha() and following.isalpha()
    return shown == "\N{WAVING BLACK FLAG}" and 0xE0061 <= ord(character) <= 0xE007F


def _is_symbol(character: str) -> bool:
    return bool(character) and (unicodedata.category(character) in ("So", "Sk") or character in _SELECTORS)


def _joins(character: str) -> bool:
    """Whether the character is of a script that writes with joiners: Arabic to Sinhala, and Mongolian."""
    return bool(character) and (0x0600 <= ord(character) <= 0x0DFF or 0x1820 <= ord(character) <= 0x18AA)


def shortened(text: str, weight: int) -> str:
    """Return the text cut in the middle to a weight (about its worst-case tokens), with a marker of what was left out.

    An ASCII character weighs a half, any other its UTF-8 bytes, which is the most a byte-level tokenizer makes of it.
    Only the part that is kept is looked at, so a message of a megabyte costs no more than a short one.
    """
    if _fitting(text[: 2 * weight + 1], weight) == len(text):
        return text
    head = _fitting(text[: 2 * weight + 1], weight * 3 // 4)
    tail = _fitting(text[: -2 * weight - 2 : -1], weight // 4)
    return f"{text[:head]} [… {len(text) - head - tail:,} characters left out …] {text[len(text) - tail :]}"


def _fitting(text: str, weight: int) -> int:
    """Return how many leading characters fit into the weight."""
    left = 2 * weight
    for index, character in enumerate(text):
        point = ord(character)
        left -= 1 if point < 0x80 else 4 if point < 0x800 else 6 if point < 0x10000 else 8
        if left < 0:
            return index
    return len(text)
