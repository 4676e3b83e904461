"""What a signal is and what it returns; measured in one place, so that no signal can fail loudly or go unrecorded."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..proposing.step import Proposer, Step

JSON = None | bool | int | float | str | list[Any] | dict[str, Any]
"""A plain JSON value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal's measurement of one action, recorded as it was taken."""

    signal: str
    """Name of the signal."""
    value: float | None
    """0 (surely wrong) to 1 (surely right); None when it could not be measured."""
    raw: JSON
    """What was observed: enough to see why the value is what it is."""
    seconds: float
    """Wall time it took."""
    calls: int
    """How many model calls it took."""
    gates: bool
    """Whether the value counts toward confidence; False: it is recorded only."""
    tokens: int | None = None
    """Prompt and completion tokens of those calls, as far as the model server told; None: it told of none."""


class Signal(Protocol):
    """Measures one hint that a proposed call is right; it never raises, a failure is a reading without a value."""

    @property
    def name(self) -> str:
        """The name under which its readings are recorded."""
        ...

    async def __call__(self, tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Reading:
        """Measure the call `tool(args)` that was proposed at this step."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measuring function found; fields as in Reading."""

    value: float | None
    raw: JSON
    calls: int = 0
    gates: bool = True


Measure = Callable[[str, dict[str, Any], Step, Proposer], Awaitable[Measured]]


@dataclass(frozen=True, slots=True)
class NamedSignal:
    """A measuring function with a name and a clock around it."""

    name: str
    measure: Measure
    gates: bool = True
    """Whether a failed measurement counts; one that counts leaves the action without confidence."""

    async def __call__(self, tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Reading:
        """Measure, and record how long it took; whatever fails becomes a reading without a value."""
        started = time.monotonic()
        try:
            found = await self.measure(tool, args, step, propose)
        except Exception as error:  # fail closed: what cannot be measured is no reason to trust
            found = Measured(None, {"error": f"{type(error).__name__}: {error}"[:500]}, gates=self.gates)
        gates = self.gates and found.gates
        return Reading(self.name, found.value, found.raw, time.monotonic() - started, found.calls, gates)


async def taken(signal: Signal, tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Reading:
    """Take a reading of somebody's signal; one that raises, or whose numbers cannot be stored, counts and has no value."""
    name = str(getattr(signal, "name", type(signal).__name__))
    started = time.monotonic()
    try:
        found = await signal(tool, args, step, propose)
        value = found.value if _is_finite(found.value) else None
        json.dumps([found.raw, found.seconds, found.calls], allow_nan=False)
        return replace(found, value=value, raw=found.raw if value == found.value else {"value": repr(found.value)})
    except Exception as error:  # fail closed: what cannot be measured is no reason to trust
        told = {"error": f"{type(error).__name__}: {error}"[:500]}
        return Reading(name, None, told, time.monotonic() - started, 0, gates=True)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
