"""Streams of made-up actions whose truth is known: signals of a stated worth, errors of a stated frequency, changes on stated days.

Each latent signal is normal with variance 1, and its mean is d higher for right actions than for wrong ones, so that its AUROC
is Phi(d / sqrt 2) (Green and Swets, Signal Detection Theory, 1966). A `hidden` wrong action has the signals of a right one.
Given the signals x the chance that an action is wrong is, by Bayes, with densities f1 (right) and f0 (wrong), frequency w and
hidden share h, `w (h f1 + (1 - h) f0) / ((1 - w) f1 + w (h f1 + (1 - h) f0))`. Its mean over what passes is the true risk, without
the noise of counting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

from ...graph.autonomy.classes import Key
from ...graph.autonomy.scoring import Features
from .settings import ActionClass, Change

AGENT = "simulated"
RESAMPLES = 7
"""Agreement is counted over so many resamples."""
FOLLOWS = 0.25
"""The chance that an action belongs to the conversation of the one before."""
_WEEKEND = (5, 6)


class Action(NamedTuple):
    """A proposed action, and what nobody at a desk knows when it is decided."""

    id: str
    place: int
    """Of its class in the scenario."""
    day: int
    group: str
    """Its conversation."""
    key: str
    features: Features
    wrong: bool
    risk: float
    """The chance that it is wrong, given its signals; for a recorded action 1 or 0."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a class is like on one day."""

    wrong: float
    hidden: float
    per_day: float
    model: str


def traits(what: ActionClass, day: int) -> Traits:
    """Return what a class is like on a day, its changes so far applied in their order."""
    now = Traits(what.wrong, what.hidden, what.per_day, what.model)
    for change in sorted(what.changes, key=lambda one: one.day):
        if day >= change.day:
            now = _changed(now, change, min(1.0, (day - change.day + 1) / (change.over + 1)))
    return now


def _changed(now: Traits, change: Change, part: float) -> Traits:
    def moved(before: float, after: float | None) -> float:
        return before if after is None else before + part * (after - before)

    return Traits(
        moved(now.wrong, change.wrong),
        moved(now.hidden, change.hidden),
        moved(now.per_day, change.per_day),
        change.model or now.model,
    )


def volume(what: ActionClass, day: int) -> float:
    """Return the expected number of actions of a day: day 0 is a Monday, and a season has its height in the middle of a year."""
    weekday = 7 / (5 + 2 * what.weekend)
    rhythm = weekday * (what.weekend if day % 7 in _WEEKEND else 1.0)
    return traits(what, day).per_day * rhythm * (1 - what.season * math.cos(2 * math.pi * day / 365))


def key_on(what: ActionClass, model: str) -> Key:
    """Return the key of a class under a model; nothing else of a key changes here."""
    return Key(AGENT, what.tool, model, "prompt", "policy", "schema")


def separation(auroc: float) -> float:
    """Return d, the distance of the means at which a normal signal has this AUROC: `sqrt 2 * Phi^-1(auroc)`."""
    return math.sqrt(2) * NormalDist().inv_cdf(auroc)


def synthetic(classes: Sequence[ActionClass], days: int, seed: int) -> Iterator[list[Action]]:
    """Yield the actions of each day, in the order in which they are proposed; the same for the same seed."""
    import numpy

    draws = [numpy.random.default_rng([seed, place]) for place in range(len(classes))]
    made = [0] * len(classes)
    keys: dict[tuple[int, str], str] = {}
    for day in range(days):
        today: list[Action] = []
        for place, what in enumerate(classes):
            model = traits(what, day).model
            key = keys.setdefault((place, model), key_on(what, model).digest())
            fresh = _day(what, place, day, key, made[place], draws[place])
            made[place] += len(fresh)
            today += fresh
        yield today


def _day(what: ActionClass, place: int, day: int, key: str, made: int, source: Any) -> list[Action]:
    now = traits(what, day)
    count = int(source.poisson(volume(what, day)))
    wrong = source.random(count) < now.wrong
    seen = wrong & (source.random(count) >= now.hidden)
    follows = source.random(count) < FOLLOWS
    distances = separation(what.auroc), separation(what.second_auroc)
    latent = [source.normal(size=count) + d * ~seen for d in distances]
    risk = _risk(latent, distances, now)
    agreement = source.binomial(RESAMPLES, _spread(latent[0], distances[0]))
    said = 1 / (1 + _exp(-(latent[1] + 1)))
    tool, group, actions = f"tool:{what.tool}", made, []
    for at, (one, agreed, sure, bad, chance) in enumerate(
        zip(follows.tolist(), agreement.tolist(), said.tolist(), wrong.tolist(), risk.tolist(), strict=True)
    ):
        group = group if one and at else made + at
        features = {"agreement": agreed / RESAMPLES, "self_assessment": round(sure, 3), tool: 1.0}
        actions.append(Action(f"{place}-{made + at}", place, day, f"{place}-{day}-{group}", key, features, bad, chance))
    return actions


def _spread(latent: Any, distance: float) -> Any:
    """Return the chance that one resample agrees; wide, so that little of the latent signal's worth is lost in counting."""
    return 1 / (1 + _exp(-2.2 * (latent - distance / 2) - 1.2))


def _exp(values: Any) -> Any:
    import numpy

    return numpy.exp(values)


def _risk(latent: Sequence[Any], distances: Sequence[float], now: Traits) -> Any:
    """Return the chance of being wrong given the latent signals; `odds` is f0 / f1, the right ones' density divided out."""
    odds = _exp(sum(d * d / 2 - d * x for x, d in zip(latent, distances, strict=True)))
    wrong = now.wrong * (now.hidden + (1 - now.hidden) * odds)
    return wrong / (1 - now.wrong + wrong)
