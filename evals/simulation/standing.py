"""What a class of actions has earned so far in a simulation: labels, certificate, monitor and level, by the gate's own rules."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...graph.autonomy.earned import VOID, Earned, Judged, judged
from ...graph.autonomy.levels import WORDS, Level
from ...graph.autonomy.scoring import Features, Head
from ..certificate import Certified, certify, one_per_group
from ..heads import fit_head
from ..monitor import Monitor, observe, start
from . import rules
from .people import Answer
from .settings import ActionClass, Chosen
from .streams import Action, Traits, traits
from .tallies import Event, Signed


class Label(NamedTuple):
    """What a person said of an action."""

    features: Features
    right: bool
    group: str
    key: str


class Offer(NamedTuple):
    """A certificate that waits for a signature."""

    day: int
    level: Level
    key: str
    head: Head
    found: Certified
    certificate: str


def decided(earned: Earned | None, action: Action, consequence: str) -> Judged:
    """Return what the desk's own gate says of an action whose class has earned this, with nothing stated by policy."""
    return judged(
        earned,
        key=action.key,
        features=action.features,
        action=action.id,
        consequence=consequence,
        sure=action.features.get("agreement"),
    )


@dataclass(slots=True)
class Standing:
    """One class of actions in the course of time."""

    what: ActionClass
    place: int
    chosen: Chosen
    seed: str
    """From which the seeds of the draws are made."""
    source: random.Random
    """Which conversations fit and which certify, and the like."""
    key: str = ""
    """Of the last action that was seen."""
    earned: Earned | None = None
    monitor: Monitor | None = None
    offer: Offer | None = None
    labels: list[Label] = field(default_factory=list)
    tried: int = 0
    """Labels at the last attempt to certify."""
    signed: list[Signed] = field(default_factory=list)
    under: Signed | None = None
    was: Traits | None = None
    """The stream on the day of signing."""
    events: list[Event] = field(default_factory=list)

    @property
    def level(self) -> Level:
        """The level of the class now."""
        return self.earned.level if self.earned else Level.SUPERVISED

    @property
    def suspended(self) -> bool:
        """Whether nothing passes although the level would let it."""
        return bool(self.earned and self.earned.suspended)

    def decide(self, action: Action) -> Judged:
        """Decide on an action as the desk does; a changed key suspends what the class has earned, as it does there."""
        if action.key != self.key:
            self.key, self.labels, self.tried, self.offer = action.key, [], 0, None
        found = decided(self.earned, action, self.what.consequence)
        if found.void and self.earned:
            self.earned = replace(self.earned, suspended=VOID, version=self.earned.version + 1)
            self._event(action.day, "void", "the key changed")
            self._fall(action.day, "the key changed", suspended=VOID)
        return found

    def count(self, answer: Answer, true_risk: float) -> None:
        """Take in an answer: a label, and for an audit under the certificate in force one more bet of its monitor."""
        item = answer.item
        if item.uniform and item.action.key == self.key:
            self.labels.append(Label(item.action.features, not answer.wrong, item.action.group, item.action.key))
        mine = self.earned is not None and item.kind == "audit" and item.certificate == self.earned.certificate
        if not mine or self.monitor is None or self.suspended:
            return
        self.monitor = observe(self.monitor, answer.wrong)
        if self.monitor.alarmed:
            audits, errors = self.monitor.audits, self.monitor.errors
            told = f"{errors} of {audits} audits wrong"
            self.events.append(Event(answer.day, self.place, "alarm", self.level, told, true_risk > self.monitor.alpha))
            self._fall(answer.day, told, suspended="The monitor rang.")

    def _fall(self, day: int, told: str, suspended: str) -> None:
        """Go down one level at once; nothing passes until a new certificate is signed, on labels from now on."""
        assert self.earned is not None
        level = rules.fallen(self.earned.level)
        self.earned = replace(self.earned, level=level, version=self.earned.version + 1, suspended=suspended)
        self.labels, self.tried, self.offer = [], 0, None
        if self.under:
            self.under.ended, self.under = day, None
        self._event(day, "demoted", told)

    def lower(self, day: int, told: str) -> None:
        """Go down because the reviewers cannot be trusted."""
        if self.earned is not None and self.level > Level.SUPERVISED:
            self._fall(day, told, suspended=told)

    def learn(self, day: int, healthy: bool) -> None:
        """Try to certify what comes next, and offer it to the lead."""
        target = rules.next_level(self.level, self.suspended and self.level > Level.SUPERVISED)
        if target is None or WORDS[target] not in self._signable() or self.offer or not healthy:
            return
        audited = self.monitor.audits if self.monitor and not self.suspended else self.chosen.n_min
        if (self.level >= Level.CERTIFIED and audited < self.chosen.n_min) or len(self.labels) <= self.tried * 1.03:
            return
        self.tried = len(self.labels)
        head, found = self._certified(self.chosen.alpha_at(target))
        if found is not None and found.threshold is not None:
            self.offer = Offer(day, target, self.key, head, found, f"cert-{self.place}-{day}")
            self._event(day, "offered", f"{WORDS[target]}: {found.k} of {found.n} wrong, bound {found.bound:.3f}")

    def _signable(self) -> Sequence[str]:
        words = list(WORDS.values())
        return words[1 : words.index(self.chosen.highest) + 1]

    def _certified(self, alpha: float) -> tuple[Head, Certified | None]:
        """Fit on one half of the conversations and certify on one row of each of the other half's."""
        half = {group: self.source.random() < 0.5 for group in dict.fromkeys(label.group for label in self.labels)}
        fitting = [label for label in self.labels if half[label.group]]
        rest = [label for label in self.labels if not half[label.group]]
        head = fit_head([label.features for label in fitting], [label.right for label in fitting])
        chosen = [rest[at] for at in one_per_group([label.group for label in rest], self.source.getrandbits(32))]
        if not fitting or not chosen:
            return head, None
        scores = [head.score(label.features) or 0.0 for label in chosen]
        before = [head.score(label.features) or 0.0 for label in fitting]
        right = [label.right for label in chosen]
        return head, certify(scores, right, alpha=alpha, delta=self.chosen.delta, fit_scores=before)

    def sign(self, day: int) -> None:
        """Let the lead sign what was offered, once the days until a signature have passed."""
        offer = self.offer
        if offer is None or day < offer.day + self.chosen.sign_after:
            return
        version, found = (self.earned.version if self.earned else 0) + 1, offer.found
        assert found.threshold is not None
        self.earned = Earned(
            level=offer.level,
            version=version,
            key=offer.key,
            certificate=offer.certificate,
            head=offer.head,
            threshold=found.threshold,
            share=self.chosen.share_at(offer.level),
            seed=f"{self.seed}-{self.place}-{version}",
        )
        self.monitor, self.offer, self.was = start(found.alpha), None, traits(self.what, day)
        if self.under:
            self.under.ended = day
        self.under = Signed(
            self.place,
            day,
            offer.level,
            found.alpha,
            found.threshold,
            found.n,
            found.k,
            found.bound,
            found.coverage,
            self.was.model,
        )
        self.signed.append(self.under)
        self._event(day, "signed", f"{WORDS[offer.level]} above {found.threshold:.2f}")

    def passed(self, action: Action, steady: bool) -> None:
        """Count an action that passed under the certificate in force."""
        assert self.under is not None
        self.under.passed += 1
        self.under.wrong += action.wrong
        self.under.risk += action.risk
        if steady:
            self.under.steady += 1
            self.under.steady_risk += action.risk

    def _event(self, day: int, what: str, told: str) -> None:
        self.events.append(Event(day, self.place, what, self.level, told))
