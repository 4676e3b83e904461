"""People as they are assumed: how an answer comes about, how long it takes and when it is there; nobody here knows a probe."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...graph.authority.asking import priority
from .settings import Habit, Person
from .streams import Action

PROBE_DOUBT = 0.5
"""Every probe is queued as if its confidence were one half, as at the desk."""
_SPREAD = 0.5
"""Of the logarithm of an answer's time."""


class Item(NamedTuple):
    """Something in the queue."""

    kind: str
    """`review`, or a probe: `audit`, `known`, `second`, `shadow`."""
    action: Action
    entered: int
    """The day on which it was queued."""
    certificate: str = ""
    """In force when its action was proposed."""
    share: float = 1.0
    """The audit share then; 1 while nothing passed."""
    draw: float = 0.0
    number: int = 0
    """The how-manieth action of its class it is about."""
    expected: str = ""
    not_for: str = ""


class Answer(NamedTuple):
    """What somebody said, and when it took effect."""

    item: Item
    person: str
    wrong: bool
    """Whether they found the proposal wrong."""
    day: int
    seconds: float


def habit_on(person: Person, day: int) -> Habit:
    """Return a person's habit on a day; before `since` and from `until` on everybody is honest."""
    return person.habit if person.since <= day and (person.until is None or day < person.until) else "honest"


def says_wrong(person: Person, wrong: bool, day: int, luck: float) -> bool:
    """Return whether a person finds a proposal wrong.

    Honest ones find a wrong one with the chance `catch` and take a right one for wrong with the chance `false_alarms`; a rubber
    stamp approves all; an adversary approves what is wrong and turns down `false_alarms` of what is right. A
    silent one answers nothing, so this is not asked of them.

    Args:
        person: who.
        wrong: whether the proposal is.
        day: when; outside of `since` and `until` everybody is honest.
        luck: a uniform number in [0, 1).
    """
    habit = habit_on(person, day)
    if habit == "rubber stamp":
        return False
    if wrong:
        return habit == "honest" and luck < person.catch
    return luck < person.false_alarms


@dataclass(slots=True)
class Queue:
    """What waits for people, the most urgent first, and the answers that are under way."""

    people: Sequence[Person]
    source: random.Random
    waiting: list[tuple[float, int, Item]] = field(default_factory=list)
    under_way: dict[int, list[Answer]] = field(default_factory=dict)
    entered: int = 0

    def add(self, item: Item, consequence: str, confidence: float | None) -> None:
        """Queue something, as urgent as the desk makes it."""
        doubt = confidence if item.kind == "review" else PROBE_DOUBT
        self.entered += 1
        heapq.heappush(self.waiting, (-priority(consequence, doubt), self.entered, item))

    def work(self, day: int) -> Iterator[Answer]:
        """Let everybody work for a day; yields the answers that take effect on it, after each of which more may be added."""
        yield from self.under_way.pop(day, [])
        there = [person for person in self.people if habit_on(person, day) != "silent"]
        left = {person.name: person.minutes * 60 for person in there}
        aside: list[tuple[float, int, Item]] = []
        while self.waiting and any(seconds > 0 for seconds in left.values()):
            place = heapq.heappop(self.waiting)
            person = self._free(left, place[2].not_for)
            if person is None:
                aside.append(place)
                continue
            answer = self._answered(person, place[2], day)
            left[person.name] -= answer.seconds
            if answer.day == day:
                yield answer
            else:
                self.under_way.setdefault(answer.day, []).append(answer)
        for place in aside:
            heapq.heappush(self.waiting, place)

    def _free(self, left: dict[str, float], not_for: str) -> Person | None:
        """Return who has most time left, so that all are loaded alike."""
        free = [person for person in self.people if left.get(person.name, 0) > 0 and person.name != not_for]
        return max(free, key=lambda person: left[person.name]) if free else None

    def _answered(self, person: Person, item: Item, day: int) -> Answer:
        source = self.source
        wrong = says_wrong(person, item.action.wrong, day, source.random())
        seconds = person.seconds * math.exp(source.gauss(-_SPREAD * _SPREAD / 2, _SPREAD))
        late = int(source.expovariate(1 / person.delay)) if person.delay else 0
        return Answer(item, person.name, wrong, day + late, seconds)
