"""What came of each change of a stream: whether it did harm, when it was noticed, and what ran until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .settings import Change, Scenario
from .tallies import WEEK, Year


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one year made of one change of one class."""

    place: int
    day: int
    """On which the change began."""
    kind: str
    """`worse` or `key`."""
    harmful_from: int | None
    """The first day on which the risk of what passed in the week up to it was above what was promised; None: it never was."""
    noticed: int | None
    """The day of the demotion by an alarm or by the key; None: there was none."""
    audits: int
    """Answered from the change until then, or until the end."""
    wrong: int
    """Wrong ones that passed in that time."""
    passing_again: int | None
    """The next day on which something of the class passed, after the notice."""
    passed_before: bool
    """Whether anything of the class passed in the week before the change; if not there was nothing to notice."""


def reactions(scenario: Scenario, year: Year) -> list[Reaction]:
    """Return what came of every change for the worse and every change of the key, by class and day."""
    found = []
    for place, what in enumerate(scenario.classes):
        for change in sorted(what.changes, key=lambda one: one.day):
            kind = _kind(change, what.wrong, what.hidden)
            if kind and change.day < scenario.days:
                found.append(_reaction(year, place, change.day, kind))
    return found


def _kind(change: Change, wrong: float, hidden: float) -> str:
    if change.model is not None:
        return "key"
    return "worse" if (change.wrong or 0) > wrong or (change.hidden or 0) > hidden else ""


def _reaction(year: Year, place: int, start: int, kind: str) -> Reaction:
    days, wanted = year.days[place], "void" if kind == "key" else "alarm"
    noticed = next(
        (event.day for event in year.events if event.place == place and event.what == wanted and event.day >= start), None
    )
    span = days[start : (noticed + 1) if noticed is not None else len(days)]
    after = range(noticed + 1, len(days)) if noticed is not None else ()
    return Reaction(
        place=place,
        day=start,
        kind=kind,
        harmful_from=_harmful_from(year, place, start),
        noticed=noticed,
        audits=sum(day.audits for day in span),
        wrong=sum(day.wrong for day in span),
        passing_again=next((day for day in after if days[day].passed), None),
        passed_before=any(day.passed for day in days[max(0, start - WEEK) : start]),
    )


def _harmful_from(year: Year, place: int, start: int) -> int | None:
    days: Sequence[int] = range(start, len(year.days[place]))
    for day in days:
        recent = year.days[place][max(start, day - WEEK + 1) : day + 1]
        if sum(one.risk for one in recent) > sum(one.promised for one in recent):
            return day
    return None
