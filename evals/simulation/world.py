"""The loop of a simulation: actions are proposed, decided, reviewed and audited day by day, and what was learnt is used."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...graph.authority.reviewing import Reviewing
from ..reviewing.reviewers import COUNTED
from .climbing import learn, sign
from .mixing import Mixing
from .people import Answer, Queue
from .settings import Scenario
from .standing import Standing
from .streams import Action, synthetic, traits
from .tallies import WEEK, Day, Tally, Year

Told = Callable[[int], None]
LOOK = 3
"""Days between two looks at the reviewers."""
RECENT = 14
"""Days over which an alarm is called true or false."""


@dataclass(slots=True)
class World:
    """A simulated desk: its classes, its queue, and what is known of its people."""

    scenario: Scenario
    seed: int
    standings: list[Standing]
    queue: Queue
    year: Year
    mixing: Mixing
    health: dict[str, Any] | None = None
    """What the last look at the reviewers found, as the desk keeps it."""


def simulated(
    scenario: Scenario, seed: int = 1, *, stream: Iterable[Sequence[Action]] | None = None, tell: Told | None = None
) -> Year:
    """Return what a scenario comes to under a seed; the same for the same seed.

    Args:
        scenario: classes, people and settings.
        seed: of everything that is drawn.
        stream: the actions of each day, instead of made-up ones.
        tell: called with the number of days played.
    """
    world = _world(scenario, seed)
    for day, today in enumerate(stream if stream is not None else synthetic(scenario.classes, scenario.days, seed)):
        if day >= scenario.days:
            break
        _propose(world, day, today)
        for answer in world.queue.work(day):
            _take(world, answer)
        _learn(world, day)
        _end(world)
        if tell is not None:
            tell(day + 1)
    year = world.year
    year.events = sorted((event for one in world.standings for event in one.events), key=lambda event: event.day)
    year.signed = [signed for one in world.standings for signed in one.signed]
    for person in scenario.people:
        asked = [item for _, item in world.mixing.known if item.actor == person.name and item.expected == "wrong"]
        mine = [item for item in asked if item.standing in COUNTED]
        year.reviewers[person.name] = len(mine), sum(item.outcome == "wrong" for item in mine)
    return year


def _world(scenario: Scenario, seed: int) -> World:
    luck = random.Random(f"people {seed}")  # noqa: S311  a draw that anybody can repeat, not a secret
    standings = [Standing(what, place, scenario.chosen, f"simulated {seed}") for place, what in enumerate(scenario.classes)]
    reviewing = Reviewing(known=scenario.chosen.known, second=scenario.chosen.second)
    lead = replace(scenario.people[0], name="lead", habit="honest")
    mixing = Mixing(reviewing, f"simulated reviewing {seed}", len(scenario.people), lead)
    year = Year(seed, [[] for _ in standings], [[] for _ in standings])
    return World(scenario, seed, standings, Queue(scenario.people, luck), year, mixing)


def _propose(world: World, day: int, today: Sequence[Action]) -> None:
    """Decide on the actions of a day, and queue what is reviewed or audited."""
    for weeks, days in zip(world.year.weeks, world.year.days, strict=True):
        if day % WEEK == 0:
            weeks.append(Tally())
        days.append(Day())
    steady = [one.was == traits(one.what, day) for one in world.standings]
    for action in today:
        one, tally, now = world.standings[action.place], world.year.weeks[action.place][-1], world.year.days[action.place][-1]
        found = one.decide(action)
        tally.proposed += 1
        if found.way == "allow":
            one.passed(action, steady[action.place])
            now.passed += 1
            now.wrong += action.wrong
            now.risk += action.risk
            now.promised += one.under.alpha if one.under else 0.0
        kind = "audit" if found.audited else "shadow" if found.shadow else "review" if found.way == "review" else ""
        if kind:
            world.queue.add(one.asked(kind, action, found), one.what.consequence, found.confidence)


def _take(world: World, answer: Answer) -> None:
    """Take in one answer."""
    item, action = answer.item, answer.item.action
    one, tally = world.standings[action.place], world.year.weeks[action.place][-1]
    tally.minutes += answer.seconds / 60
    match item.kind:
        case "review":
            tally.reviews += 1
            tally.waited += answer.day - item.entered
            tally.caught += answer.wrong and action.wrong
            tally.missed += action.wrong and not answer.wrong
            tally.spoilt += answer.wrong and not action.wrong
            for more in world.mixing.after(answer):
                world.queue.add(more, one.what.consequence, None)
            one.count(answer, 0.0)
        case "audit":
            tally.audits += 1
            tally.audits_wrong += answer.wrong
            world.year.days[action.place][-1].audits += 1
            one.count(answer, _recent_risk(world.year.days[action.place]))
        case "known" | "second":
            tally.probes += 1
            world.mixing.answered(answer)
        case _:
            tally.probes += 1
            one.count(answer, 0.0)


def _recent_risk(days: Sequence[Day]) -> float:
    """Return the true share of wrong ones among what passed lately."""
    recent = days[-RECENT:]
    passed = sum(day.passed for day in recent)
    return sum(day.risk for day in recent) / passed if passed else 0.0


def _learn(world: World, day: int) -> None:
    """Do what the learner does beside a desk, and let the lead sign."""
    learns = day % world.scenario.chosen.learn_every == 0
    if day % LOOK == 0:
        world.health = _health(world, day)
    for one in world.standings:
        if learns:
            one.watch(day, world.health)
            learn(one, day, world.health)
        sign(one, day, world.health)
        one.renew(day)


def _health(world: World, day: int) -> dict[str, Any] | None:
    """Look at the reviewers, and note who lets too much through."""
    found = world.mixing.look(day)
    if found is None:
        return world.health
    for line in found.lines:
        if line.state == "unreliable":
            world.year.suspects.setdefault(line.name, day)
    return {"healthy": found.healthy, "why": found.why, "catch": found.catch.bounds[0] if found.catch.n else None}


def _end(world: World) -> None:
    """Note how the day ends."""
    waiting = Counter(item.action.place for _, _, item in world.queue.waiting)
    for place, one in enumerate(world.standings):
        tally, now = world.year.weeks[place][-1], world.year.days[place][-1]
        tally.passed += now.passed
        tally.passed_wrong += now.wrong
        tally.risk += now.risk
        tally.promised += now.promised
        tally.level, tally.waiting = int(one.level), waiting[place]
