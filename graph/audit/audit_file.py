"""The file an audit log is exported to: JSON Lines, whose last line holds the digest of all others; it judges no record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

FORMAT = "assent-audit-1"


class Wrong(Exception):
    """The first thing that is wrong; `seq` is the record's number where there is one."""

    def __init__(self, why: str, seq: int | None = None) -> None:
        self.seq = seq
        super().__init__(why)


def read_export(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the items of an export; raises Wrong where a line is broken, missing, or changed since it was written."""
    digest, ended = hashlib.sha256(), False
    for number, line in enumerate(lines, 1):
        if ended:
            raise Wrong(f"line {number} stands after the end of the export")
        item = _parsed(line, number)
        if item.get("type") == "end":
            if item != {"type": "end", "sha256": digest.hexdigest()} or line != end_line(digest.hexdigest()):
                raise Wrong(f"the export was changed after it was written: its lines have another digest than line {number} says")
            ended = True
            continue
        digest.update(line)
        yield item
    if not ended:
        raise Wrong("the export is cut off: its last line is missing")


def end_line(digest: str) -> bytes:
    """Return the last line of an export."""
    return json.dumps({"type": "end", "sha256": digest}).encode() + b"\n"


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        item = None
    if not isinstance(item, dict) or not line.endswith(b"\n"):
        raise Wrong(f"line {number} is broken or cut off")
    return item
