"""Gates: what a report has to show, as conditions on its shares; a case that failed to run never helps to pass."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from ...graph.errors import AssentError

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*(>=|<=|>|<)\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*", re.ASCII)


class GateError(AssentError):
    """A gate is a comparison with a share, such as ">= 0.8" or "<= 0"."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison with a share from 0 to 1."""

    sign: str
    bound: float

    @property
    def wants_more(self) -> bool:
        """Whether higher is better."""
        return self.sign.startswith(">")

    def holds(self, value: float) -> bool:
        """Whether the value satisfies the condition."""
        return _OPERATORS[self.sign](value, self.bound)

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class GateLine:
    """What became of one condition."""

    name: str
    condition: str
    value: float | None
    """The share with every failed case counted against it; None when nothing could be scored."""
    passed: bool


def condition(text: str) -> Condition:
    """Return the condition that a text such as ">= 0.8" states; raises GateError."""
    found = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    try:
        bound = float(found[2]) if found else math.nan
    except ValueError:
        bound = math.nan
    if found is None or not 0 <= bound <= 1:
        raise GateError(f'{text!r} is not a comparison with a share from 0 to 1, such as ">= 0.8" or "<= 0"')
    return Condition(found[1], bound)


def judged(name: str, wanted: Condition, hits: float, n: int, failed: int) -> GateLine:
    """Judge a share of `hits` among `n` scored cases, as if every failed case were the worst it could have been."""
    if n + failed == 0:
        return GateLine(name, str(wanted), None, passed=False)
    worst = hits + (0 if wanted.wants_more else failed)
    value = worst / (n + failed)
    return GateLine(name, str(wanted), value, wanted.holds(value))
