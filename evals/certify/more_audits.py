"""How many more audits a certificate needs: what separates a class of actions from the next threshold or the next level."""

from __future__ import annotations

from dataclasses import dataclass

_MOST = 1_000_000
"""Beyond so many wrong ones nobody waits."""


@dataclass(frozen=True, slots=True)
class More:
    """How many more audited actions, of those the candidate accepts, until it passes."""

    without_errors: int
    """If none of them is wrong."""
    at_this_rate: int | None
    """If the share of wrong ones stays what it was; None when it is too high for that to come true."""


def audits_needed(alpha: float, delta: float, wrong: int = 0) -> int:
    """Return the least n with P(Bin(n, alpha) <= wrong) <= delta: the audits in which so many wrong ones may be found.

    Without an error n = ceil(log(delta) / log(1 - alpha)). Raises ValueError for shares outside (0, 1) or a negative count.
    """
    if not (0 < alpha < 1 and 0 < delta < 1 and wrong >= 0):
        raise ValueError(f"alpha {alpha!r} and delta {delta!r} are shares between 0 and 1, {wrong!r} is a count")
    from scipy.stats import binom

    low, high = wrong, wrong + 1  # as many audits as errors never pass
    while binom.cdf(wrong, high, alpha) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if binom.cdf(wrong, middle, alpha) <= delta else (middle, high)
    return high


def more_audits(wrong: int, audited: int, alpha: float, delta: float) -> More:
    """Return how many more audits are needed after `wrong` among `audited`.

    At the same rate: the least m such that with w = ceil(wrong / audited * (audited + m)) wrong ones audited + m are enough.
    """
    clean = max(0, audits_needed(alpha, delta, wrong) - audited)
    if not clean or not wrong:
        return More(clean, clean)
    if wrong >= alpha * audited:
        return More(clean, None)

    def total(errors: int) -> int | None:
        """Return the audits that are enough with so many errors, if no more errors than these are due by then."""
        needed = audits_needed(alpha, delta, errors)
        return needed if needed * wrong <= errors * audited else None

    low, high = wrong, 2 * wrong
    while total(high) is None:
        if high > _MOST:
            return More(clean, None)
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if total(middle) is not None else (middle, high)
    return More(clean, max(clean, (total(high) or 0) - audited))
