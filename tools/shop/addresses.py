"""Finds UK addresses of the form "number street, Town POSTCODE"; it never completes or corrects one."""

from __future__ import annotations

import re

_WORD = r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*"
_NUMBER = r"(?<![\w/.-])[0-9]{1,4}(?:[-/][0-9]{1,4})?[A-Za-z]?"
_POSTCODE = r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}(?!\w)"
_ADDRESS = re.compile(
    rf"{_NUMBER} {_WORD}(?: {_WORD}){{0,5}}, {_WORD}(?: {_WORD}){{0,3}}(?:, {_WORD}(?: {_WORD}){{0,3}})? {_POSTCODE}",
    re.IGNORECASE,
)
LONGEST = 200
"""No address is longer than this, in characters."""


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the addresses written in `text`, each exactly as it stands there, in order and without repeats."""
    return tuple(dict.fromkeys(found.group() for found in _ADDRESS.finditer(text) if len(found.group()) <= LONGEST))


def is_address(text: str) -> bool:
    """Say whether `text` is one address of that form and nothing else."""
    return len(text) <= LONGEST and _ADDRESS.fullmatch(text) is not None
