"""What a signal is and what it returns; measured in one place, so that no signal can fail loudly or go unrecorded."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Protocol

from ..proposing.step import Proposer, Step

SIGNAL_SECONDS = 300.0
"""How long a signal may take that states no `budget_seconds` of its own."""

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
    tokens: int | None = None


Measure = Callable[[str, dict[str, Any], Step, Proposer], Awaitable[Measured]]


@dataclass(frozen=True, slots=True)
class NamedSignal:
    """A measuring function with a name and a clock around it."""

    name: str
    measure: Measure
    gates: bool = True
    """Whether a failed measurement counts; one that counts leaves the action without confidence."""
    budget_seconds: float | None = None
    """How long it may take in all; None: SIGNAL_SECONDS."""

    async def __call__(self, tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Reading:
        """Measure, and record how long it took; whatever fails becomes a reading without a value."""
        started = time.monotonic()
        try:
            found = await self.measure(tool, args, step, propose)
        except Exception as error:  # fail closed: what cannot be measured is no reason to trust
            found = Measured(None, {"error": f"{type(error).__name__}: {error}"[:500]}, gates=self.gates)
        gates = self.gates and found.gates
        return Reading(self.name, found.value, found.raw, time.monotonic() - started, found.calls, gates, found.tokens)


def name_of(signal: Signal) -> str:
    """Return the name under which a signal's readings are recorded, one that it does not state included."""
    return str(getattr(signal, "name", getattr(signal, "__name__", type(signal).__name__)))


async def taken(signal: Signal, tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Reading:
    """Take a reading of somebody's signal, and see that it is one.

    One that raises, that takes longer than its `budget_seconds` (SIGNAL_SECONDS where it states none), that answers in another
    shape, or whose value is no number from 0 to 1, has no value; it counts, unless the signal says of itself that it never gates.
    """
    name = name_of(signal)
    budget = getattr(signal, "budget_seconds", None) or SIGNAL_SECONDS
    started = time.monotonic()
    try:
        async with asyncio.timeout(budget):
            found = await signal(tool, args, step, propose)
        value = found.value if _is_share(found.value) else None
        json.dumps([found.raw, found.seconds, found.calls, found.tokens], allow_nan=False)
        kept = replace(found, signal=name, value=value, gates=found.gates is not False)
        return kept if value == found.value else replace(kept, raw={"value": repr(found.value)[:500], "raw": found.raw})
    except Exception as error:  # fail closed: what cannot be measured is no reason to trust
        spent = time.monotonic() - started
        told = f"{type(error).__name__}: {error}"[:500] if spent < budget else f"not measured within {budget:g} seconds"
        return Reading(name, None, {"error": told}, spent, 0, gates=getattr(signal, "gates", True) is not False)


def unread(signal: Signal) -> Reading:
    """Return the reading of a signal that could not even be asked, because the step behind the proposal is gone; it counts."""
    return Reading(name_of(signal), None, {"error": "what led to the proposal is not known any more"}, 0.0, 0, gates=True)


def reading_of(stored: Mapping[str, Any]) -> Reading:
    """Return a reading as it was stored with an action, of this version or an earlier one; raises KeyError for anything else."""
    known = {one.name: stored[one.name] for one in fields(Reading) if one.name in stored or one.default is MISSING}
    return Reading(**known)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
