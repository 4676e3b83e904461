"""Reads JSON lines of a protocol's folder and says what is wrong with them; rows are mappings, as they were written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...graph.errors import AssentError

Row = Mapping[str, Any]


class UnusableRows(AssentError):
    """A file of rows cannot be used."""


def read_lines(path: Path, needed: Sequence[str]) -> list[Row]:
    """Return the rows of a file; raises UnusableRows for a line that is no object or lacks a needed field."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableRows(f"{path} cannot be read: {error}.") from None
    rows = [_row(path, number, line, needed) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not rows:
        raise UnusableRows(f"{path} holds no rows.")
    return rows


def _row(path: Path, number: int, line: str, needed: Sequence[str]) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UnusableRows(f"{path.name}, line {number}: this is not JSON ({error}).") from None
    if not isinstance(row, dict):
        raise UnusableRows(f"{path.name}, line {number}: a row is a JSON object.")
    missing = [name for name in needed if name not in row]
    if missing:
        raise UnusableRows(f"{path.name}, line {number}: the row has no {', '.join(missing)}.")
    return row
