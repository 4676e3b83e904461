"""A share among items of one kind: its bounds, what it says of a bar, and how soon. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..intervals import clopper_pearson

LEVEL = 0.90
"""The level of the two-sided interval of a catch rate: each bound holds with 95%."""

ENOUGH = 50
"""From so many wrong items on, a lower bound under the bar means that reliability was not shown, not that it is being measured."""

FEWEST = 5
"""No fewer wrong items ever speak against somebody."""

EVADED, AUDITED = 0.2, 20
"""Shown to leave more than this share of audits without a word on right or wrong, of so many at least, is told to a lead."""

State = Literal["reliable", "unreliable", "not shown", "being measured"]


@dataclass(frozen=True, slots=True)
class Catch:
    """How many items that were known to be wrong a reviewer did not let through."""

    n: int = 0
    caught: int = 0

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the interval of the rate (Clopper and Pearson, LEVEL); (0, 1) without items, which are taken as independent."""
        return clopper_pearson(self.caught, self.n, LEVEL)

    def state(self, bar: float) -> State:
        """Return what this says of a bar: shown to be above it, shown to be below it, not shown by many items, or too few."""
        low, high = self.bounds
        if self.n and low >= bar:
            return "reliable"
        if self.n >= FEWEST and high < bar:
            return "unreliable"
        return "not shown" if self.n >= ENOUGH else "being measured"

    def __add__(self, other: Catch) -> Catch:
        """Return both together."""
        return Catch(self.n + other.n, self.caught + other.caught)

    def as_json(self) -> dict[str, Any]:
        """Return rate and bounds with their n."""
        low, high = self.bounds
        return {"n": self.n, "caught": self.caught, "rate": self.caught / self.n if self.n else None, "low": low, "high": high}


def needed(bar: float) -> int:
    """Return how many wrong items, all caught, show that the rate is at least `bar`: the least n of `bar^n <= (1 - LEVEL) / 2`."""
    n = 1
    while Catch(n, n).bounds[0] < bar:
        n += 1
    return n


def alarm_by(rate: float, items: int, bar: float) -> list[float]:
    """Return the chance that who catches this share was called unreliable after 1, 2, ... wrong items, looked at after each.

    Exact: the distribution of what was caught is carried on over the counts at which the alarm had not rung.
    """
    going, rung, found = {0: 1.0}, 0.0, []
    for n in range(1, items + 1):
        after: dict[int, float] = {}
        for caught, chance in going.items():
            after[caught] = after.get(caught, 0.0) + chance * (1 - rate)
            after[caught + 1] = after.get(caught + 1, 0.0) + chance * rate
        alarmed = {caught for caught in after if Catch(n, caught).state(bar) == "unreliable"}
        rung += sum(after[caught] for caught in alarmed)
        going = {caught: chance for caught, chance in after.items() if caught not in alarmed}
        found.append(rung)
    return found


def evades(left_out: Catch) -> bool:
    """Tell whether so many audits were answered in the tool's place that the lower bound of their share is above EVADED."""
    return left_out.n >= AUDITED and left_out.bounds[0] > EVADED


def left_out_of(outcomes: Sequence[str]) -> Catch:
    """Return how many audits were answered, and how many of them in the tool's place."""
    return Catch(len(outcomes), sum(outcome == "left out" for outcome in outcomes))
