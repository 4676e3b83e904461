"""Writes rows as JSON Lines: pure ASCII, one object per line; untrusted text stays inside a JSON string.

Everything beyond ASCII is escaped (as backslash, u and four hex digits), so no line separator that some reader might
honour (U+2028, U+0085) ever appears in the file. A lone surrogate is half a character that no UTF-8 file can hold:
format `jsonl` keeps it, escaped; the training formats replace it by U+FFFD, because strict readers (such as Arrow)
refuse a whole file for one of them.
"""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def line(row: dict[str, Any]) -> str:
    """Return the row as one line with its line feed; raises ValueError for NaN and infinities."""
    return json.dumps(row, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"


def mended(value: Any) -> Any:
    """Return plain JSON with every lone surrogate in its texts replaced by U+FFFD."""
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case dict():
            return {mended(key): mended(item) for key, item in value.items()}
        case list() | tuple():
            return [mended(item) for item in value]
    return value
