"""What a simulation is made of: classes of actions, people, and what a team can choose; frozen values that decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from ...graph.autonomy.levels import SHARES, Level
from ..certify.certifying import DELTA, promised
from ..ladder.evidence import AUDITS

Share = Annotated[float, Field(ge=0, le=1)]
Open = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0)]
Daily = Annotated[float, Field(ge=0, le=1_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=60)]
Habit = Literal["honest", "rubber stamp", "adversary", "silent"]
_CLOSED = ConfigDict(extra="forbid", strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that is different from a day on; what is None stays as it was."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    day: Annotated[int, Field(ge=0)]
    over: Annotated[int, Field(ge=0)] = 0
    """Days in which the numbers move there in a straight line; 0: at once."""
    wrong: Share | None = None
    hidden: Share | None = None
    per_day: Daily | None = None
    model: str | None = None
    """Another model: the key of the class changes, so that what was certified is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionClass:
    """A class of actions: one agent's use of one tool."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    tool: Name
    consequence: Literal["reversible", "costly"] = "reversible"
    per_day: Daily = 200.0
    """Proposed actions a day, on average over a year."""
    wrong: Share = 0.05
    """The share of the proposed actions that is wrong. With recorded rows: as recorded until a change says otherwise."""
    auroc: Annotated[float, Field(ge=0.5, le=0.999)] = 0.88
    """Of the stronger signal, agreement, on the wrong actions that signals can see at all."""
    second_auroc: Annotated[float, Field(ge=0.5, le=0.999)] = 0.7
    """Of the weaker signal, a self-assessment."""
    hidden: Share = 0.05
    """The share of the wrong actions that look to every signal like right ones."""
    weekend: Amount = 1.0
    """Volume on Saturday and Sunday relative to the other days."""
    season: Share = 0.0
    """How far volume swings over a year: 0.3 is from 70% to 130% of the average."""
    model: str = "model-1"
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who answers reviews and probes, which look the same to them."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    name: Name
    habit: Habit = "honest"
    catch: Share = 0.95
    """The share of wrong actions that an honest person finds wrong."""
    false_alarms: Share = 0.002
    """The share of right actions that they find wrong; an adversary says so of right ones on purpose."""
    seconds: Annotated[float, Field(gt=0)] = 45.0
    """A mean answer takes this long."""
    minutes: Amount = 240.0
    """Working time a day for this."""
    delay: Amount = 0.0
    """Mean days from picking a review up to answering it, exponentially distributed; 0: the same day."""
    since: Annotated[int, Field(ge=0)] = 0
    """The first day of this habit; before it, honest."""
    until: Annotated[int, Field(ge=0)] | None = None
    """The first day on which they are honest again; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What things cost, in any one currency."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    wrong: Amount = 40.0
    """A wrong action that ran."""
    minute: Amount = 1.0
    """A minute of a reviewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a team chooses."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    alpha: Open | None = None
    """The promised greatest share of wrong ones among what passes, at levels certified and sampled; None: as at the desk."""
    looser_alpha: Open | None = None
    """The same at level monitored."""
    delta: Open = DELTA
    """The accepted chance that a class breaks a promise; all tries for a level under one key share it."""
    share: Share = SHARES[Level.CERTIFIED]
    """Audited share of what passes, at level certified."""
    monitored_share: Share = SHARES[Level.MONITORED]
    sampled_share: Share = SHARES[Level.SAMPLED]
    n_min: Count = AUDITS
    """Audits without an alarm before a class may rise further."""
    reserve: Annotated[float, Field(ge=0, lt=1)] | None = None
    """The part of the monitor's wealth that is kept back for later bets (see docs/certificates.md); None: as at the desk."""
    highest: Literal["supervised", "certified", "monitored", "sampled"] = "sampled"
    """The ceiling that the policy states."""
    sign_after: Annotated[int, Field(ge=0)] = 2
    """Days from the moment when nothing is missing until the lead signs; the lead always does."""
    learn_every: Count = 1
    """Days between two looks of the learner."""
    audits_due: Annotated[int, Field(ge=1, le=30)] = 3
    """Days that an audit may be left unanswered; after that nothing of its class passes."""
    known: Share = 0.05
    """Known-answer items, as a share of the reviews."""
    second: Share = 0.05
    """Share of the reviews that a second person decides as well."""

    def alpha_at(self, level: Level, consequence: str) -> float:
        """Return what is promised at a level."""
        stated = self.looser_alpha if level == Level.MONITORED else self.alpha
        return promised(level, consequence) if stated is None else stated

    @property
    def ceiling(self) -> Level:
        """The ceiling that the policy states."""
        return Level[self.highest.upper()]

    def share_at(self, level: Level) -> float:
        """Return the audited share at a level; 0 where nothing passes."""
        shares: Mapping[Level, float] = {
            Level.CERTIFIED: self.share,
            Level.MONITORED: self.monitored_share,
            Level.SAMPLED: self.sampled_share,
        }
        return shares.get(level, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One simulated year, or however long."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED

    name: Name = "scenario"
    about: str = ""
    days: Annotated[int, Field(ge=1, le=3660)] = 365
    classes: Annotated[tuple[ActionClass, ...], Field(min_length=1)] = (ActionClass(tool="refund"),)
    people: Annotated[tuple[Person, ...], Field(min_length=1)] = field(
        default_factory=lambda: (Person(name="ann"), Person(name="ben"), Person(name="cem"))
    )
    chosen: Chosen = field(default_factory=Chosen)
    costs: Costs = field(default_factory=Costs)
