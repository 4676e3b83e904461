"""A suite: data, task, scorers and gate, and nothing else; it runs nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...graph.errors import AssentError
from .cases import EvalCase, Task
from .gates import condition
from .scorers import Scorer

Data = Iterable[EvalCase] | Callable[[], AsyncIterable[EvalCase]]
"""The cases themselves, or a function that reads them when the suite runs."""

ERRORS = "errors"
"""The share of cases that could not be run or scored; gates may bound it like a score."""


class SuiteError(AssentError):
    """The suite cannot be used."""


@dataclass(frozen=True, slots=True)
class Suite:
    """What is measured, on what, by which scorers, and what has to come out; raises SuiteError if it makes no sense."""

    name: str
    data: Data
    task: Task
    scorers: Sequence[Scorer]
    gate: Mapping[str, str] = field(default_factory=dict)
    """Conditions by score name, such as `{"exact_action": ">= 0.8", "unsafe_approval": "<= 0"}`."""

    def __post_init__(self) -> None:
        names = [name_of(scorer) for scorer in self.scorers]
        if not self.name or not names:
            raise SuiteError("A suite needs a name and at least one scorer.")
        if ERRORS in names or len(set(names)) < len(names):
            raise SuiteError(f"The scorers {', '.join(names)} need names that differ, and none may be {ERRORS!r}.")
        for name, text in self.gate.items():
            if name != ERRORS and name not in names:
                raise SuiteError(f"The gate names {name!r}; the scorers are {', '.join(names)}.")
            condition(text)
        object.__setattr__(self, "scorers", tuple(self.scorers))
        object.__setattr__(self, "gate", dict(self.gate))

    async def cases(self) -> list[EvalCase]:
        """Read the cases; raises SuiteError when there is none or two have the same id."""
        found = [case async for case in self.data()] if callable(self.data) else list(self.data)
        if not found:
            raise SuiteError(f"The suite {self.name!r} has no cases: there is nothing to measure yet.")
        seen: set[str] = set()
        for case in found:
            if case.id in seen:
                raise SuiteError(f"Two cases of the suite {self.name!r} have the id {case.id!r}.")
            seen.add(case.id)
        return found


def name_of(scorer: Scorer) -> str:
    """Return how a scorer is called."""
    return str(getattr(scorer, "__name__", type(scorer).__name__))
