"""Plays a scenario under several seeds; what is played is made up, or drawn from recorded rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .recorded import Recorded, replayed
from .report import Report
from .scenario_file import ScenarioError, checked
from .settings import ActionClass, Scenario
from .world import simulated

Told = Callable[[int, int], None]
"""Called with the number of days played, of all years together, and how many there are."""


def play(
    scenario: Scenario,
    *,
    seed: int = 1,
    repeat: int = 1,
    rows: Sequence[Recorded] = (),
    tell: Told = lambda done, total: None,
) -> Report:
    """Return what a scenario comes to under `repeat` seeds from `seed` on.

    Args:
        scenario: what to play; raises ScenarioError if a value is out of its bounds.
        seed: of the first year.
        repeat: how many years.
        rows: recorded rows for each class of the scenario, in place of made-up actions.
        tell: called as days pass.
    """
    scenario, years = checked(scenario), []
    if rows and len(rows) != len(scenario.classes):
        raise ScenarioError(f"there are {len(rows)} sets of rows for {len(scenario.classes)} classes")
    for place in range(repeat):

        def told(day: int, before: int = place * scenario.days) -> None:
            tell(before + day, repeat * scenario.days)

        stream = replayed(scenario.classes, rows, scenario.days, seed + place) if rows else None
        years.append(simulated(scenario, seed + place, stream=stream, tell=told))
    return Report(scenario, years, tuple(len(recorded.correct) for recorded in rows))


def for_rows(scenario: Scenario, named: Sequence[tuple[str, Recorded]]) -> Scenario:
    """Return the scenario with a class for each set of recorded rows, otherwise like its first class; raises ScenarioError.

    A change of `wrong` in the scenario is kept as a factor on the odds of what was recorded.
    """
    like = scenario.classes[0]
    classes = []
    for name, recorded in named:
        if not recorded.correct:
            raise ScenarioError(f"{name} has no rows")
        changes = tuple(replace(change, wrong=_scaled(change.wrong, like.wrong, recorded.wrong)) for change in like.changes)
        consequence = "costly" if recorded.costly else like.consequence
        classes.append(replace(like, tool=name, consequence=consequence, wrong=recorded.wrong, changes=changes))
    return replace(scenario, classes=tuple(classes))


def _scaled(wrong: float | None, before: float, recorded: float) -> float | None:
    if wrong is None or not 0 < before < 1 or not 0 < wrong < 1 or not 0 < recorded < 1:
        return wrong
    odds = recorded / (1 - recorded) * (wrong / (1 - wrong)) / (before / (1 - before))
    return odds / (1 + odds)


def at_rate(scenario: Scenario, per_day: float) -> Scenario:
    """Return the scenario with so many actions a day in all, shared out among its classes as before."""
    total = sum(what.per_day for what in scenario.classes)
    share = per_day / total if total else 0.0

    def scaled(what: ActionClass) -> ActionClass:
        changes = (replace(one, per_day=None if one.per_day is None else one.per_day * share) for one in what.changes)
        return replace(what, per_day=what.per_day * share if total else per_day, changes=tuple(changes))

    return replace(scenario, classes=tuple(map(scaled, scenario.classes)))
