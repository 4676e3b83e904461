"""The monitor: ten bets against a certificate's promise, which may be looked at after every audit; it never forgets.

Each bet starts with a wealth of 1 and stakes a fixed part of it on "the next audited action is wrong more often than alpha
promises". While the promise holds, no betting wins in expectation, so the mean wealth reaches 20 in at most 1 of 20 such
monitors, ever (Ville 1939; Waudby-Smith and Ramdas, arXiv 2010.09686; Shekhar and Ramdas, arXiv 2110.06177). Pure Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

ALARM = 20.0
"""The mean wealth at which the promise is taken for broken: 1 / .05."""

STAKES = tuple((0.5 + bet) / 20 for bet in range(10))
"""Parts of the wealth lost by an action that was right, .025 to .475; as lambda = stake / alpha."""

BLOCK = 100
"""Actions after which new bets are placed from the reserve, if there is one."""

_LARGEST = 700.0
"""The logarithm of the largest evidence that is told, so that it stays a number."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """What audits have shown about a promise so far."""

    alpha: float
    """The promised error rate."""
    log_wealth: tuple[float, ...]
    """The logarithm of each bet's wealth, strictly in the order of the stakes."""
    audits: int = 0
    """Audited actions."""
    errors: int = 0
    """Wrong ones among them."""
    seen: int = 0
    """Actions fed, audited or not."""
    alarmed_at: int | None = None
    """How many actions had been fed when the alarm first rang."""
    reserve: float = 0.0
    """The part of the first wealth kept back for bets that begin later."""
    earlier: int = 0
    """Audited actions of earlier promises, before the one in force; the evidence is of all of them."""

    @property
    def log_evidence(self) -> float:
        """The logarithm of the mean wealth."""
        most = max(self.log_wealth)
        return most + math.log(math.fsum(math.exp(one - most) for one in self.log_wealth) / len(self.log_wealth))

    @property
    def evidence(self) -> float:
        """The mean wealth K against the promise now; 1 says nothing, 20 rings."""
        return math.exp(min(self.log_evidence, _LARGEST))

    @property
    def alarmed(self) -> bool:
        """Whether the mean wealth has ever reached 20; later audits do not take an alarm back."""
        return self.alarmed_at is not None

    def as_json(self) -> dict[str, Any]:
        """Return the monitor as plain JSON, to go on from later."""
        return {"version": 1, **asdict(self), "log_wealth": list(self.log_wealth)}


def start(alpha: float, *, reserve: float = 0.0) -> Monitor:
    """Return the monitor of a new promise.

    Ten bets that have lost for long, while a class did better than promised, take long to notice that it has changed. With a
    reserve r, the bets begin with 1 - r, and r / (b (b + 1)) is added to each after b blocks of 100 actions: in all no more
    than 1 is ever staked, so the chance of a false alarm stays what it was. With .2, three times the promised errors are
    noticed a little later at the start and far sooner after a long calm (docs/certificates.md).

    Args:
        alpha: the promised error rate.
        reserve: the part kept back, in [0, 1).

    Raises:
        ValueError: for an alpha outside (0, 1) or a reserve outside [0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a share between 0 and 1, not {alpha!r}")
    if not 0 <= reserve < 1:
        raise ValueError(f"a reserve is at least 0 and below 1, not {reserve!r}")
    return Monitor(alpha, (math.log1p(-reserve),) * len(STAKES), reserve=reserve)


def carried(monitor: Monitor, alpha: float) -> Monitor:
    """Return the monitor of the next promise about the same actions: no wealth is lost or won, the stakes follow the new alpha.

    All bets together win nothing on average as long as each action that is fed is wrong with a chance of at most the alpha in force
    when it passed, whichever that was. So the mean wealth reaches 20 with a chance of at most 1 in 20 over all these promises
    together, however often and for whatever reason alpha, threshold or level changed.

    Raises:
        ValueError: for an alpha outside (0, 1), or a monitor that has given the alarm.
    """
    if monitor.alarmed:
        raise ValueError("a monitor that has given the alarm goes on watching nothing; start another one")
    return replace(monitor, alpha=start(alpha).alpha, earlier=monitor.audits)


def observe_earlier(monitor: Monitor, wrong: bool, alpha: float) -> Monitor:
    """Return the monitor after an audited action that had passed under an earlier promise, of this alpha."""
    after = observe(replace(monitor, alpha=start(alpha).alpha), wrong)
    return replace(after, alpha=monitor.alpha, earlier=monitor.earlier + 1)


def observe(monitor: Monitor, wrong: bool, *, share: float = 1.0, drawn: bool = True) -> Monitor:
    """Return the monitor after one more action that had passed.

    log K_j += log1p(lambda_j (x - alpha)). What to feed depends on how audits were drawn:

    - With a share that is the same for all actions of a time (a level's, say, even if the level changes): the audited
      actions alone, with a share of 1; x is 1 for wrong, 0 for right. What was not drawn says nothing.
    - With a share that differs between actions: every action that passed, with its `share` and whether it was `drawn`;
      x = drawn * wrong / share has the error rate as its mean whatever the shares are, if each was fixed before the outcome.
      Where no share is above some c, feeding only the actions whose draw is below c, with share / c, is as valid and
      notices more: at a share of 2% the stakes are too high for x = 50, and only a gross change would ring.

    Args:
        monitor: what was known before.
        wrong: what the audit found; without meaning for an action that was not drawn.
        share: the chance with which this action was to be audited, in (0, 1].
        drawn: whether it was audited.

    Raises:
        ValueError: for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"an audit share is above 0 and at most 1, not {share!r}")
    found = drawn and wrong
    error = 1 / share if found else 0.0
    wealth = tuple(
        log + math.log1p(stake / monitor.alpha * (error - monitor.alpha))
        for log, stake in zip(_renewed(monitor), STAKES, strict=True)
    )
    after = replace(
        monitor,
        log_wealth=wealth,
        audits=monitor.audits + drawn,
        errors=monitor.errors + found,
        seen=monitor.seen + 1,
    )
    rings = after.alarmed_at is None and after.log_evidence >= math.log(ALARM)
    return replace(after, alarmed_at=after.seen) if rings else after


def monitor_of(stored: Mapping[str, Any]) -> Monitor:
    """Return the monitor that `Monitor.as_json` wrote; raises ValueError for another version or damaged numbers."""
    if stored.get("version") != 1:
        raise ValueError(f"a monitor of version {stored.get('version')!r} cannot be read here; update Assent")
    fresh = start(float(stored["alpha"]), reserve=float(stored.get("reserve", 0.0)))
    wealth = tuple(float(one) for one in stored["log_wealth"])
    audits, errors, seen = (int(stored[name]) for name in ("audits", "errors", "seen"))
    earlier = int(stored.get("earlier", 0))
    sound = 0 <= errors <= audits <= seen and 0 <= earlier <= audits
    if len(wealth) != len(STAKES) or not all(map(math.isfinite, wealth)) or not sound:
        raise ValueError("a stored monitor is damaged: it has ten finite numbers, and no more errors than audits")
    rang = stored["alarmed_at"]
    found = replace(fresh, log_wealth=wealth, audits=audits, errors=errors, seen=seen, earlier=earlier)
    return replace(found, alarmed_at=None if rang is None else int(rang))


def _renewed(monitor: Monitor) -> tuple[float, ...]:
    """Return the logarithms of the wealth with what the reserve adds before the next action."""
    blocks, into = divmod(monitor.seen, BLOCK)
    if into or not blocks or not monitor.reserve:
        return monitor.log_wealth
    added = math.log(monitor.reserve / (blocks * (blocks + 1)))
    return tuple(max(log, added) + math.log1p(math.exp(-abs(log - added))) for log in monitor.log_wealth)
