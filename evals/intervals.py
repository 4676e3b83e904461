"""Confidence intervals for shares in pure Python; they say what was seen of independent cases, not what will come."""

from __future__ import annotations

import math

METHOD = "Clopper-Pearson"
LEVEL = 0.95
_TINY = 1e-300


def clopper_pearson(hits: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact (conservative) interval of a share of `hits` among `n`; (0, 1) when n is 0.

    The bounds are quantiles of beta distributions (Clopper and Pearson, Biometrika 26, 1934), found by bisection. A sum
    of shares may be given for `hits`: such a mean varies less than a share of yes and no, so the interval errs wide.
    Raises ValueError for impossible counts or levels.
    """
    if not (0 <= hits <= n and 0 < level < 1):
        raise ValueError(f"{hits} of {n} at level {level} is no share")
    tail = (1 - level) / 2
    low = 0.0 if hits <= 0 else _beta_quantile(tail, hits, n - hits + 1)
    high = 1.0 if hits >= n else _beta_quantile(1 - tail, hits + 1, n - hits)
    return low, high


def sign_test(better: int, worse: int) -> float:
    """Return the two-sided exact p-value of `better` against `worse` changes, if either were as likely (McNemar)."""
    changed = better + worse
    tail = sum(math.comb(changed, index) for index in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / (1 << changed))


def _beta_quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_cdf(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function by its continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on this side only
        return 1 - _beta_cdf(1 - x, b, a)
    log_front = a * math.log(x) + b * math.log1p(-x) - math.log(a)
    log_front += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(log_front) / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Evaluate 1 + d1/(1 + d2/(1 + ...)) (DLMF 8.17.22) from its beginning, until nothing changes (modified Lentz, DLMF 3.10)."""
    value, up, down = 1.0, 1.0, 0.0
    for index in range(1, 60 + 10 * math.isqrt(int(a + b) + 1)):
        half, odd = divmod(index, 2)
        if odd:
            step = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            step = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        down = 1 / ((1 + step * down) or _TINY)
        up = (1 + step / up) or _TINY
        value *= up * down
        if abs(up * down - 1) < 1e-15:
            break
    return value
