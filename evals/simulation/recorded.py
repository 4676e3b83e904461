"""Streams made of recorded rows: whole conversations are drawn from what was seen, so that their mix stays what it was."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ...graph.access.people import require
from ...graph.autonomy.scoring import Features
from ...graph.clock import Clock
from ...graph.store import labelled
from ...graph.store.session import Store
from ..certify.labels import labels_of, of_one_chance
from .scenario_file import ScenarioError
from .settings import ActionClass
from .streams import Action, key_on, traits, volume


@dataclass(frozen=True, slots=True)
class Recorded:
    """Decided actions of one class: what was measured, whether they were right, and which belong together."""

    features: Sequence[Features]
    correct: Sequence[bool]
    groups: Sequence[Hashable]
    costly: bool = False
    """Whether a mistake costs something, or cannot be taken back."""

    @property
    def wrong(self) -> float:
        """The share of the wrong."""
        return sum(not right for right in self.correct) / len(self.correct)


async def of_desk(store: Store, clock: Clock, actor: str) -> list[tuple[str, Recorded]]:
    """Return the classes of a desk with those of their decided actions that were equally likely to be decided on.

    Raises NotAllowed below viewer, ScenarioError when there are none.
    """
    async with store.read() as tx:
        tenant = (await require(tx, actor, "viewer")).tenant
        known = await labelled.classes(tx, tenant)
    found = []
    for agent, tool in known:
        labels = await labels_of(store, tenant, agent, tool, clock())
        rows = of_one_chance(labels) if labels is not None else ()
        if labels is not None and rows:
            features, correct, groups = [row.features for row in rows], [row.correct for row in rows], [row.group for row in rows]
            found.append((f"{agent} {tool}", Recorded(features, correct, groups, labels.consequence in ("costly", "irreversible"))))
    if not found:
        raise ScenarioError("this desk has no decided actions that its policy ruled `gate`; play a packaged scenario instead")
    return found


def replayed(classes: Sequence[ActionClass], rows: Sequence[Recorded], days: int, seed: int) -> Iterator[list[Action]]:
    """Yield the actions of each day, whole conversations drawn with replacement (a cluster bootstrap).

    A change of `wrong` makes conversations with a wrong row likelier by the factor that the odds change by. `hidden` and the two
    AUROCs have no meaning here: signals are as recorded. The true risk of an action is 0 or 1, as it was found.

    Args:
        classes: how many actions a day, and what changes; `wrong` counts from the first change on.
        rows: of each class.
        days: to be played.
        seed: of the draws.
    """
    drawn = [_Drawing(what, recorded, place, seed) for place, (what, recorded) in enumerate(zip(classes, rows, strict=True))]
    for day in range(days):
        yield [action for one in drawn for action in one.day(day)]


class _Drawing:
    """Draws conversations of one class."""

    def __init__(self, what: ActionClass, recorded: Recorded, place: int, seed: int) -> None:
        import numpy

        self.source = random.Random(f"recorded {seed} {place}")  # noqa: S311  a draw that anybody can repeat, not a secret
        self.counts = numpy.random.default_rng([seed, place])
        members: dict[Hashable, list[int]] = {}
        for index, group in enumerate(recorded.groups):
            members.setdefault(group, []).append(index)
        self.what, self.recorded, self.place, self.made, self.drawn = what, recorded, place, 0, 0
        self.conversations = list(members.values())
        self.spoilt = [any(not recorded.correct[row] for row in rows) for rows in self.conversations]
        self.features = [{**features, f"tool:{what.tool}": 1.0} for features in recorded.features]
        self.weights: dict[float, list[float]] = {}

    def day(self, day: int) -> list[Action]:
        now = traits(self.what, day)
        wanted, key, actions = (
            int(self.counts.poisson(volume(self.what, day))),
            key_on(self.what, now.model).digest(),
            list[Action](),
        )
        weights = self._weights(now.wrong)
        while len(actions) < wanted:
            rows = self.source.choices(self.conversations, cum_weights=weights)[0]
            group = f"{self.place}-{day}-{self.drawn}"
            self.drawn += 1
            for row in rows[: wanted - len(actions)]:
                wrong = not self.recorded.correct[row]
                made = f"{self.place}-{self.made}"
                actions.append(Action(made, self.place, day, group, key, self.features[row], wrong, float(wrong)))
                self.made += 1
        return actions

    def _weights(self, wrong: float) -> list[float]:
        if wrong not in self.weights:
            factor = _odds(wrong) / _odds(self.what.wrong) if wrong != self.what.wrong else 1.0
            self.weights[wrong] = list(accumulate(factor if spoilt else 1.0 for spoilt in self.spoilt))
        return self.weights[wrong]


def _odds(share: float) -> float:
    kept = min(max(share, 1e-6), 1 - 1e-6)
    return kept / (1 - kept)
