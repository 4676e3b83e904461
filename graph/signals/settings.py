"""What a signal was told to measure, as plain data: a certificate holds only for readings that are taken in the same way."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import Any

from ..canonical import digest_of
from .reading import Signal, name_of

_SCALARS = (type(None), bool, int, float, str)
_DEEPEST = 4


def settings_of(signal: Signal) -> dict[str, Any]:
    """Return a signal's name, and every number, text and yes or no in what its measuring function closes over.

    Functions and dataclasses in there are looked into. Models and other objects are left out: where they listen may change with
    every start. Of several only how many is told.
    """
    measure = getattr(signal, "measure", signal)
    return {"signal": name_of(signal), "settings": _told(measure, 0)}


def _told(value: Any, depth: int) -> Any:
    if isinstance(value, _SCALARS):
        return repr(value)
    if isinstance(value, list | tuple):
        return {"count": len(value)}
    if depth == _DEEPEST:
        return None
    if isinstance(value, types.FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        return {name: _told(_held(cell), depth + 1) for name, cell in cells}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _told(getattr(value, one.name), depth + 1) for one in dataclasses.fields(value)}
    return None


def _held(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def signals_digest(signals: Sequence[Signal]) -> str:
    """Return the digest of all signals of a gate, in their order."""
    return digest_of("signals", [settings_of(signal) for signal in signals])
