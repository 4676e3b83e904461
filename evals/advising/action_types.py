"""What is known of a type of actions before any runs alone: consequence, volume, labels, windows, reviewers; it judges nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from ...tools.declaration import Consequence
from ..intervals import clopper_pearson

Mode = Literal["in the loop", "on the loop", "automatic"]
"""`in the loop`: nothing happens before a person decides; `on the loop`: it runs, a person watches and can veto or undo;
`automatic`: it runs, and a small sample is audited."""

MODES: tuple[Mode, ...] = get_args(Mode)
"""From the strictest to the loosest."""

Labels = Literal["decisions", "truth"]
"""Where the labels come from: people's decisions on the queue, which are as good as the reviewers, or what is known to be right."""

DELTA = 0.10
"""How often a bound of a share of errors may be wrong, at each end."""

CATCH_LEVEL = 0.90
"""The level of the two-sided interval of a catch rate."""

MOST = 1_000_000
"""More rows than this are not asked for."""


@dataclass(frozen=True, slots=True)
class CertifiedShare:
    """What a certificate lets pass of a type: how much of it, and how wrong that may be."""

    coverage: float
    """The share of the proposed actions that reaches the threshold, 0..1."""
    bound: float
    """The upper bound of the share of errors among them, 0..1."""
    n: int = 0
    """Accepted rows on which it stands; 0: not told."""
    wrong: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.coverage <= 1 and 0 <= self.bound <= 1 and 0 <= self.wrong <= self.n):
            raise ValueError(
                "a certified share has a coverage above 0 and at most 1, a bound from 0 to 1, and no more errors than rows"
            )


@dataclass(frozen=True, slots=True)
class ActionType:
    """One type of actions, an agent's use of one tool, as the advice needs it; raises ValueError for impossible numbers."""

    tool: str
    consequence: Consequence
    volume: float = 0.0
    """Proposed actions a month; 0: not known."""
    labelled: int = 0
    """Actions of which somebody knows whether they were right."""
    wrong: int = 0
    edited: int | None = None
    """How many of the wrong ones a person corrected by an edit instead of rejecting them; None: not known."""
    agent: str = ""
    labels: Labels = "decisions"
    review_seconds: float | None = None
    """The median time a person looks at one; None: not measured."""
    wait_seconds: float | None = None
    """The median time from the question to the decision; None: not measured."""
    undo: bool = False
    """Whether what ran can be undone by a person for a while."""
    veto_seconds: float | None = None
    """How long an allowed action is held so that a person can veto it; None: not at all."""
    known: int = 0
    """Known-answer items that should have been caught and were answered."""
    caught: int = 0
    certificate: CertifiedShare | None = None
    drift: bool = False
    """Whether inputs, overrides or the monitor say that the evidence is about another time."""
    ceiling: Mode | None = None
    """The loosest mode that your policy states for it; None: the ordinary one of its consequence."""
    left_out: int = 0
    """Labels that do not count, because model, prompt, policy or schema have changed since."""

    def __post_init__(self) -> None:
        if not (0 <= self.wrong <= self.labelled and 0 <= (self.edited or 0) <= self.wrong):
            raise ValueError(
                f"{self.tool}: of {self.labelled} labelled actions {self.wrong} cannot be wrong and {self.edited} edited"
            )
        if not 0 <= self.caught <= self.known:
            raise ValueError(f"{self.tool}: of {self.known} known-answer items {self.caught} cannot have been caught")
        times = (self.volume, self.review_seconds or 0.0, self.wait_seconds or 0.0, self.veto_seconds or 0.0)
        if not all(0 <= one < float("inf") for one in times):
            raise ValueError(f"{self.tool}: a volume or a time is 0 or more")

    @property
    def wrong_share(self) -> tuple[float, float]:
        """The bounds of the share of errors in the queue: each end holds with 1 - DELTA; 0 and 1 without labels."""
        return share(self.wrong, self.labelled)

    @property
    def catch(self) -> tuple[float, float]:
        """The bounds of the share of errors that reviewers catch, at CATCH_LEVEL; 0 and 1 without known-answer items."""
        return _interval(self.caught, self.known, CATCH_LEVEL)

    @property
    def edits(self) -> tuple[float, float]:
        """The bounds of the share of caught errors that people correct by an edit; 0 and 1 where nobody knows."""
        return (0.0, 1.0) if self.edited is None else share(self.edited, self.wrong)

    @property
    def reach(self) -> float:
        """The share of the proposed actions that looser modes let pass: what is certified, or all where nothing is."""
        return self.certificate.coverage if self.certificate else 1.0

    @property
    def passed_share(self) -> tuple[float, float]:
        """The bounds of the share of errors among what looser modes let pass."""
        if self.certificate is None:
            return self.wrong_share
        low = share(self.certificate.wrong, self.certificate.n)[0] if self.certificate.n else 0.0
        return min(low, self.certificate.bound), self.certificate.bound


def share(wrong: int, n: int) -> tuple[float, float]:
    """Return the Clopper-Pearson bounds of a share of errors, each end at 1 - DELTA.

    The upper one is U = BetaInv(1 - DELTA; k + 1, n - k), that of a certificate; see `evals/intervals.py`.
    """
    return _interval(wrong, n, 1 - 2 * DELTA)


def fewest_rows(limit: float, wrong: int, tail: float = DELTA) -> int | None:
    """Return the fewest rows, `wrong` of them errors, whose upper bound is at most `limit`; None where a million are not enough.

    The bound is at most the limit exactly where so few errors are unlikely at it: P(Bin(n, limit) <= wrong) <= tail.
    """
    if limit >= 1:
        return wrong
    if limit <= 0 or _few(MOST, limit, wrong) > tail:
        return None
    low, high = wrong - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _few(middle, limit, wrong) <= tail else (middle, high)
    return high


def _few(n: int, share: float, most: int) -> float:
    """Return the probability of at most `most` hits in `n` draws, by adding up the binomial from below."""
    if n <= most:
        return 1.0
    ratio, term, total = math.log(share) - math.log1p(-share), n * math.log1p(-share), 0.0
    for hits in range(most + 1):
        total += math.exp(term)
        term += ratio + math.log((n - hits) / (hits + 1))
    return min(1.0, total)


@lru_cache(maxsize=4096)
def _interval(hits: int, n: int, level: float) -> tuple[float, float]:
    return clopper_pearson(hits, n, level)
