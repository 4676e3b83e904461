"""A class of actions in a simulation: what a desk would keep of it in rows, decided on and counted by the desk's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ...graph.authority.earning import earned_of
from ...graph.autonomy.drawing import draw
from ...graph.autonomy.earned import VOID, Earned, Judged, judged
from ...graph.autonomy.levels import EARNED, Level, ceiling_of
from ...graph.store.autonomy_models import AutonomyRow, CertificateRow
from ...graph.store.probes import Unanswered
from ..certify.labels import Label
from ..ladder.evidence import RESTARTS, fresh
from ..ladder.levels import Cause, below, unearned_values
from ..watch.lowering import cause_of
from ..watch.monitor import Monitor, observe, observe_earlier
from ..watch.renewing import step
from .people import Answer, Item
from .settings import ActionClass, Chosen
from .streams import AGENT, Action, Traits
from .tallies import Event, Signed

START = datetime(2026, 1, 5, tzinfo=UTC)
"""Day 0, a Monday."""
NOON = timedelta(hours=12)
"""Actions are proposed in the morning; answers count, and levels change, from noon on."""


EVERY_DAY = timedelta(days=2)
"""So long a renewal is good here, where a learner looks once a day and renews what is good for less than another one."""


def decided(earned: Earned | None, action: Action, consequence: str, now: datetime, ceiling: Level = Level.SAMPLED) -> Judged:
    """Return what the desk's own gate says of an action whose class has earned this, with no threshold stated by policy."""
    return judged(
        earned,
        key=action.key,
        features=action.features,
        action=action.id,
        now=now,
        consequence=consequence,
        sure=action.features.get("agreement"),
        ceiling=ceiling,
    )


@dataclass(slots=True)
class Standing:
    """One class of actions in the course of time."""

    what: ActionClass
    place: int
    chosen: Chosen
    seed: str
    """From which the seeds of the audit draws are made."""
    row: AutonomyRow = field(init=False)
    """As the store would have it; version 0 while nobody ever promoted the class."""
    earned: Earned | None = None
    """What the gate reads of the row."""
    monitor: Monitor | None = None
    key: str = ""
    """Of the last action."""
    made: int = 0
    """Actions so far."""
    labels: list[tuple[int, Label]] = field(default_factory=list)
    """Of the key in force, each with the number of its action."""
    enough: int = 0
    """With fewer labels the learner does not look, for it would be too early for another try; this only saves time."""
    shares: list[tuple[int, float]] = field(default_factory=list)
    """Audit shares since the key came in force, each with the number of the first action under it."""
    unanswered: dict[str, int] = field(default_factory=dict)
    """Audits under the key in force that wait for an answer, the oldest first: by their action, the day on which each was asked."""
    certificates: list[CertificateRow] = field(default_factory=list)
    """Every try, newest first."""
    restarted: datetime | None = None
    """Since when actions certify: the last alarm."""
    ready: int | None = None
    """The day since which nothing is missing for a signature."""
    signed: list[Signed] = field(default_factory=list)
    under: Signed | None = None
    was: Traits | None = None
    """The stream on the day of signing."""
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.row = fresh("simulation", AGENT, self.what.tool, START)

    @property
    def level(self) -> Level:
        """The level of the class now."""
        return Level(self.row.level)

    @property
    def ceiling(self) -> Level:
        """The highest level that consequence and policy leave to the class."""
        return ceiling_of(self.what.consequence, self.chosen.ceiling)

    def decide(self, action: Action) -> Judged:
        """Decide on an action as the desk does; a changed key suspends what the class has earned, as it does there."""
        if action.key != self.key:
            self.key, self.labels, self.shares, self.enough, self.unanswered = action.key, [], [], 0, {}
        self.made += 1
        found = decided(self.earned, action, self.what.consequence, START + timedelta(days=action.day), self.ceiling)
        share = found.share if found.basis == "certificate" and found.share else 1.0
        if not self.shares or self.shares[-1][1] != share:
            self.shares.append((self.made, share))
        if found.void:
            self.change({"suspended": VOID})
            self.note(action.day, "void", "the key changed")
        return found

    def asked(self, kind: str, action: Action, found: Judged) -> Item:
        """Return what goes into the queue about an action that was just decided on."""
        if kind == "audit":
            self.unanswered[action.id] = action.day
        number = found.draw if found.draw is not None else draw(f"certifying rows {action.key}", action.id)
        return Item(kind, action, action.day, self.row.certificate, self.shares[-1][1], number, self.made)

    def count(self, answer: Answer, risk: float) -> None:
        """Take in an answer as the desk does: a label, and for an audit under the certificate in force a bet of the monitor.

        Args:
            answer: to a review, an audit or a shadow card.
            risk: the true risk of what passed lately, which tells a true alarm from a false one.
        """
        item, action = answer.item, answer.item.action
        self.unanswered.pop(action.id, None)
        if action.key == self.key:
            chance = item.share if item.kind == "audit" else 1.0
            source: Any = item.kind
            said = "reject" if answer.wrong else "approve"
            at = START + timedelta(days=action.day)
            right, known = not answer.wrong, (at, chance, item.share, item.draw)
            label = Label(action.id, action.group, action.features, right, source, said, *known)
            self.labels.append((item.number, label))
        if item.kind != "audit" or self.monitor is None or self.level not in EARNED:
            return
        if item.certificate == self.row.certificate:
            self.monitor = observe(self.monitor, answer.wrong)
        elif (alpha := self._earlier(item.certificate, action.day)) is not None:
            self.monitor = observe_earlier(self.monitor, answer.wrong, alpha)
        if self.monitor.alarmed:
            told = f"{self.monitor.errors} of {self.monitor.audits} audits wrong"
            self.events.append(Event(answer.day, self.place, "alarm", self.level, told, risk > self.monitor.alpha))
            self.fall(answer.day, "monitor", told)

    def _earlier(self, certificate: str, day: int) -> float | None:
        """Return the alpha of an earlier certificate that the monitor still remembers, under which something passed on a day."""
        if self.restarted is not None and START + timedelta(days=day) < self.restarted:
            return None
        return next((one.alpha for one in self.certificates if (one.id, one.key) == (certificate, self.row.key)), None)

    def watch(self, day: int, health: Mapping[str, Any] | None) -> None:
        """Go down where the desk's watch would take the class down: for a changed key, or for its reviewers."""
        cause = cause_of(self.row, health)
        if cause is not None:
            self.fall(day, *cause)

    def renew(self, day: int) -> None:
        """Renew the watch over the class, or end it while audits are overdue, as the desk's learner does."""
        now, due = START + timedelta(days=day) + NOON, self.chosen.audits_due
        since = [asked for asked in self.unanswered.values() if asked <= day - due]
        late = Unanswered(AGENT, self.what.tool, self.key, len(since), START + timedelta(days=since[0])) if since else None
        what = step(self.row, late, now, EVERY_DAY)
        if what == "renew" and self.row.watched_until is None:
            self.note(day, "watched", "the audits are answered")
        if what == "end":
            self.note(day, "unwatched", f"{len(since)} audits unanswered for {due} days")
        if what:
            self.row.watched_until = now + EVERY_DAY if what == "renew" else None
            self.earned = earned_of(self.row)

    def fall(self, day: int, by: Cause, told: str) -> None:
        """Go down one level at once; nothing passes before something is signed again."""
        to, suspended = below(self.row.level, by, told)
        now = START + timedelta(days=day) + NOON
        for one in self.certificates:
            one.status = "void" if one.status in ("offered", "signed") else one.status
        self.row.monitor = self.monitor.as_json() if self.monitor is not None else None
        self.change(unearned_values(self.row, to, by, now, suspended))
        self.monitor, self.ready, self.enough = None, None, 0
        if by in RESTARTS:
            self.restarted = now
        if self.under:
            self.under.ended, self.under = day, None
        self.note(day, "demoted", f"by {by}: {told}")

    def change(self, values: Mapping[str, Any]) -> None:
        """Change fields of the row as a transaction of the desk would, and read it again."""
        for name, value in values.items():
            setattr(self.row, name, value)
        self.row.version += 1
        self.earned = earned_of(self.row)

    def passed(self, action: Action, steady: bool) -> None:
        """Count an action that passed under the certificate in force."""
        if self.under is None:
            return
        self.under.passed += 1
        self.under.wrong += action.wrong
        self.under.risk += action.risk
        if steady:
            self.under.steady += 1
            self.under.steady_risk += action.risk

    def note(self, day: int, what: str, told: str) -> None:
        """Write down that something happened."""
        self.events.append(Event(day, self.place, what, self.level, told))
