"""What is counted in a simulated year, by class and week, and what happened on which day; it concludes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

WEEK = 7


@dataclass(slots=True)
class Tally:
    """Counts of one class in some stretch of time."""

    proposed: int = 0
    passed: int = 0
    """Let through without a person."""
    passed_wrong: int = 0
    """Wrong ones among them, which ran."""
    risk: float = 0.0
    """The same as the sum of their true chances of being wrong."""
    promised: float = 0.0
    """The sum of the alphas under which they passed."""
    caught: int = 0
    """Wrong ones that a review kept from running."""
    missed: int = 0
    """Wrong ones that a review approved, which ran too."""
    spoilt: int = 0
    """Right ones that a review turned down."""
    reviews: int = 0
    """Answered reviews."""
    audits: int = 0
    """Answered audits."""
    audits_wrong: int = 0
    probes: int = 0
    """Other answered probes: known-answer items, second looks, shadow decisions."""
    minutes: float = 0.0
    """Of people's time."""
    waited: int = 0
    """Days from a proposal to the answer of its review, in sum."""
    waiting: int = 0
    """Reviews and probes in the queue at the end."""
    level: int = 1
    """At the end."""

    def add(self, other: Tally) -> None:
        """Add a later stretch of time; what is told of the end is the later one's."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.level, self.waiting = other.level, other.waiting

    @property
    def answers(self) -> int:
        """Everything that people answered."""
        return self.reviews + self.audits + self.probes

    @property
    def ran_wrong(self) -> int:
        """Wrong actions that ran, with or without a person's approval."""
        return self.passed_wrong + self.missed


_SUMS = [one.name for one in fields(Tally) if one.name not in ("level", "waiting")]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a class, or to the stream."""

    day: int
    place: int
    """Of its class in the scenario."""
    what: str
    """`offered`, `signed`, `alarm`, `demoted`, `void`, `unwatched`, `watched`."""
    level: int
    """After it."""
    told: str = ""
    true: bool | None = None
    """Of an alarm: whether the risk of what passed really was above alpha."""


@dataclass(slots=True)
class Signed:
    """A certificate that was signed, and what passed under it."""

    place: int
    """Of its class in the scenario."""
    day: int
    level: int
    alpha: float
    threshold: float
    n: int
    k: int
    bound: float
    coverage: float
    model: str
    ended: int | None = None
    passed: int = 0
    wrong: int = 0
    risk: float = 0.0
    steady: int = 0
    """Those that passed while the stream was as it was on the day of signing."""
    steady_risk: float = 0.0
    """The sum of their true chances of being wrong."""

    @property
    def kept(self) -> bool | None:
        """Whether the true risk of what passed, before the stream changed, was at most alpha; None when nothing passed."""
        return self.steady_risk <= self.alpha * self.steady if self.steady else None


@dataclass(slots=True)
class Day:
    """What passed on one day and was found out on it, of one class."""

    passed: int = 0
    wrong: int = 0
    risk: float = 0.0
    promised: float = 0.0
    """The sum of the alphas under which they passed."""
    audits: int = 0


@dataclass(slots=True)
class Year:
    """One simulated stretch of time."""

    seed: int
    weeks: list[list[Tally]] = field(default_factory=list)
    """By class, then by week; the last may be short."""
    days: list[list[Day]] = field(default_factory=list)
    """By class, then by day."""
    events: list[Event] = field(default_factory=list)
    signed: list[Signed] = field(default_factory=list)
    reviewers: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By person: answered known-answer items that are wrong, and how many of them they found."""
    suspects: dict[str, int] = field(default_factory=dict)
    """People of whom these items showed that they let too much through, with the day on which they first did."""

    @property
    def total(self) -> Tally:
        """Everything of all classes."""
        total = Tally()
        for weeks in self.weeks:
            for week in weeks:
                total.add(week)
        total.waiting = sum(weeks[-1].waiting for weeks in self.weeks if weeks)
        return total
