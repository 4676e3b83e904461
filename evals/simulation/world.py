"""The loop of a simulation: actions are proposed, decided, reviewed and audited day by day, and what was learnt is used."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from . import rules
from .people import Answer, Item, Queue
from .settings import Scenario
from .standing import Standing
from .streams import Action, synthetic, traits
from .tallies import WEEK, Day, Tally, Year

Told = Callable[[int], None]
RECENT = 14
"""Days over which an alarm is called true or false."""


@dataclass(slots=True)
class World:
    """A simulated desk: its classes, its queue, and what is known of its people."""

    scenario: Scenario
    seed: int
    standings: list[Standing]
    queue: Queue
    luck: random.Random
    year: Year
    known: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    pool: list[Action] = field(default_factory=list)
    """Actions that two people found wrong, from which known-answer items are taken."""


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
        _end(world, day)
        if tell is not None:
            tell(day + 1)
    year = world.year
    year.events = sorted((event for one in world.standings for event in one.events), key=lambda event: event.day)
    year.signed = [signed for one in world.standings for signed in one.signed]
    year.reviewers = {person.name: (world.known[person.name], world.caught[person.name]) for person in scenario.people}
    return year


def _world(scenario: Scenario, seed: int) -> World:
    luck = random.Random(f"people {seed}")  # noqa: S311  a draw that anybody can repeat, not a secret
    classes = [
        Standing(what, place, scenario.chosen, f"simulated {seed}", random.Random(f"class {seed} {place}"))  # noqa: S311
        for place, what in enumerate(scenario.classes)
    ]
    return World(
        scenario, seed, classes, Queue(scenario.people, luck), luck, Year(seed, [[] for _ in classes], [[] for _ in classes])
    )


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
        uniform = found.draw is None or found.draw < found.share
        if found.way == "allow":
            one.passed(action, steady[action.place])
            now.passed += 1
            now.wrong += action.wrong
            now.risk += action.risk
            now.promised += one.under.alpha if one.under else 0.0
            if found.audited:
                item = Item("audit", action, day, one.earned.certificate if one.earned else "")
                world.queue.add(item, one.what.consequence, found.confidence)
        else:
            item = Item("shadow" if found.shadow else "review", action, day, uniform=uniform)
            world.queue.add(item, one.what.consequence, found.confidence)


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
            _mix(world, answer)
            one.count(answer, 0.0)
        case "audit":
            tally.audits += 1
            tally.audits_wrong += answer.wrong
            world.year.days[action.place][-1].audits += 1
            one.count(answer, _recent_risk(world.year.days[action.place]))
        case "known":
            tally.probes += 1
            world.known[answer.person] += 1
            world.caught[answer.person] += answer.wrong
        case "second":
            tally.probes += 1
            if answer.wrong and item.expected == "wrong":
                world.pool.append(action)
        case _:
            tally.probes += 1
            one.count(answer, 0.0)


def _mix(world: World, answer: Answer) -> None:
    """Now and then queue a known-answer item, and a second look at what was just decided."""
    chosen, action, source = world.scenario.chosen, answer.item.action, world.luck
    consequence = world.scenario.classes[action.place].consequence
    if source.random() < chosen.known and world.pool:
        world.queue.add(Item("known", source.choice(world.pool), answer.day, expected="wrong"), consequence, None)
    if source.random() < chosen.second and len(world.scenario.people) > 1:
        expected = "wrong" if answer.wrong else "correct"
        second = Item("second", action, answer.day, expected=expected, not_for=answer.person)
        world.queue.add(second, consequence, None)


def _recent_risk(days: Sequence[Day]) -> float:
    """Return the true share of wrong ones among what passed lately."""
    recent = days[-RECENT:]
    passed = sum(day.passed for day in recent)
    return sum(day.risk for day in recent) / passed if passed else 0.0


def _learn(world: World, day: int) -> None:
    """Do what the learner does beside a desk, and let the lead sign."""
    if day % world.scenario.chosen.learn_every == world.scenario.chosen.learn_every - 1:
        bad = [name for name, known in world.known.items() if rules.healthy(known, world.caught[name]) is False]
        world.year.suspects += [name for name in bad if name not in world.year.suspects]
        for one in world.standings:
            if bad:
                one.lower(day, f"reviewer {bad[0]} misses too much")
            one.learn(day, not bad)
    for one in world.standings:
        one.sign(day)


def _end(world: World, day: int) -> None:
    """Note how the day ends."""
    waiting = Counter(item.action.place for _, _, item in world.queue.waiting)
    for place, one in enumerate(world.standings):
        tally, now = world.year.weeks[place][-1], world.year.days[place][-1]
        tally.passed += now.passed
        tally.passed_wrong += now.wrong
        tally.risk += now.risk
        tally.promised += now.promised
        tally.level, tally.waiting = int(one.level), waiting[place]
