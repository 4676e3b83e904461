"""Text from outside on a terminal: control and hidden characters become visible code points, so that nothing is disguised."""

from __future__ import annotations

import unicodedata


def visible_text(text: str) -> str:
    """Return the text with every control, format and invisible character written as its code point."""
    return "".join(char if _plain(char) else f"⟦U+{ord(char):04X}⟧" for char in text)


def _plain(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
