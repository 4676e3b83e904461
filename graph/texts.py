"""Text that both databases keep alike: NUL and half a surrogate pair are refused from people and escaped from machines."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Tell whether both databases keep the text as it is."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def storable(text: str) -> str:
    """Return the text with what no database stores escaped: for tool results, names a model made up, and errors."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
