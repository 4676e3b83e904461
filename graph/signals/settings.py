"""What a signal was told to measure, as plain data: a certificate holds only for readings that are taken in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..made import made
from .reading import Signal, name_of

MEASURED = 1
"""The way in which signals of Assent's own measure; to be raised when one of them measures otherwise by the same settings."""


def settings_of(signals: Sequence[Signal]) -> list[Any]:
    """Return the name of each signal of a gate, in their order, with what it was made with; see `made`."""
    return [MEASURED, *({"signal": name_of(signal), "settings": made(signal)} for signal in signals)]
