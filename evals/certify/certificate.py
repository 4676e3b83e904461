"""Certificates: the loosest threshold at which a class of actions provably errs at most as often as promised; it fits nothing.

Rows here are decided actions: a score that was fixed before its label was known, and whether reviewers found the action right.
At most one row of a conversation or question may be among them (`one_per_group`), all drawn with the same chance. Formulas,
sources and what is not promised: docs/certificates.md.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from .more_audits import More, audits_needed, more_audits

__all__ = ["Certified", "More", "Tested", "audits_needed", "candidates", "certify", "one_per_group", "upper_bound"]

Test = Callable[[Sequence[int], Sequence[int], float], Sequence[float]]
"""From wrong among accepted, accepted, and alpha to a p-value each of "the error rate is above alpha"."""


@dataclass(frozen=True, slots=True)
class Tested:
    """One test of the sequence: how often the rows that a candidate threshold accepts were wrong."""

    threshold: float
    n: int
    """Accepted rows."""
    k: int
    """Wrong ones among them."""
    p: float
    """The chance of so few wrong ones, or fewer, if the error rate were alpha."""


@dataclass(frozen=True, slots=True)
class Certified:
    """What certifying found: a threshold with its promise, or none."""

    threshold: float | None
    """Actions scored at least this pass; None when nothing may."""
    alpha: float
    """The promised greatest share of wrong ones among what passes."""
    delta: float
    """The chance, over the rows drawn, that the promise is broken."""
    n: int
    """Rows that the threshold accepts."""
    k: int
    """Wrong ones among them."""
    rows: int
    """Rows that were tested on."""
    coverage: float
    """The share of the rows that the threshold accepts."""
    bound: float
    """U: the upper limit of the error rate at this threshold; never above alpha when there is a threshold, 1 when there is none."""
    tested: tuple[Tested, ...]
    """The sequence from strict to loose, up to and with the first that failed; without what was passed over."""

    @property
    def more(self) -> More | None:
        """How many more audits the candidate that failed needs to pass; None when none failed."""
        if not self.tested or self.tested[-1].p <= self.delta:
            return None
        failed = self.tested[-1]
        return more_audits(failed.k, failed.n, self.alpha, self.delta)

    def as_json(self) -> dict[str, Any]:
        """Return the certificate as plain JSON, with `more`."""
        more = self.more
        return {
            "version": 1,
            **asdict(self),
            "tested": [asdict(one) for one in self.tested],
            "more": asdict(more) if more else None,
        }


def certify(
    scores: Sequence[float],
    correct: Sequence[bool],
    *,
    alpha: float = 0.05,
    delta: float = 0.10,
    thresholds: Sequence[float] | None = None,
    fit_scores: Sequence[float] | None = None,
    test: Test | None = None,
) -> Certified:
    """Return the loosest threshold of the fixed sequence whose error rate is shown to be at most alpha.

    For each candidate t from strict to loose, with n rows scored at least t and k of them wrong, H_t "the error rate R(t)
    of what t accepts is above alpha" has the exact p-value p_t = P(Bin(n, alpha) <= k). The sequence stops at the first
    p_t > delta, and the last that passed is the threshold. Given n, the n accepted rows are independent draws from what t
    accepts, so k is Bin(n, R(t)). A broken promise requires that the first true H_t on the way is rejected, which happens
    with a chance of at most delta, without a correction for the number of candidates (Bauer, Statistics in Medicine 10,
    1991; Angelopoulos et al., Learn then Test, arXiv 2110.01052). That needs an order of the tests that these labels had
    no part in. A score that is not a finite number passes nothing; its row still counts in `rows`.

    A candidate that accepts n < log(delta) / log(1 - alpha) rows cannot pass even without an error. It is passed over,
    not failed, as long as none of its rows is wrong; with one wrong the sequence stops there. So strict candidates do not
    end the sequence only because rows are few, and it stays true that no smaller alpha or delta can certify more. This is
    sound: p_t <= delta implies an n that is not passed over, so nothing changes while the first true H_t is tested. When it
    is passed over, the sequence goes on at a looser candidate j given that stricter ones accepted few. With n_j as it is,
    rows from the bands below are then more frequent than they are on average, so k_j is stochastically larger and p_j
    conservative, whenever R does not fall as the threshold loosens. Where R does fall, a high R above makes it unlikely
    that nothing wrong was seen there; over a grid of such cases the exact chance stayed below delta (tests/evals).

    Args:
        scores: confidences of the certifying rows, from a head that was fitted on other rows.
        correct: whether each of these rows was right.
        alpha: the promised error rate, in (0, 1).
        delta: the accepted chance of a broken promise, in (0, 1).
        thresholds: the candidates, in any order; default: `candidates(fit_scores)`.
        fit_scores: scores, by the same head, of rows that are not certified on.
        test: another exact or conservative p-value from counts; default: the binomial one.

    Raises:
        ValueError: for an alpha or delta outside (0, 1), unequal lengths, or neither thresholds nor fit scores.
    """
    if not (0 < alpha < 1 and 0 < delta < 1):
        raise ValueError(f"alpha and delta are shares between 0 and 1, not {alpha!r} and {delta!r}")
    if len(scores) != len(correct):
        raise ValueError(f"there are {len(scores)} scores but {len(correct)} labels")
    order = _sequence(thresholds, fit_scores)
    counts = _counted(scores, correct, order)
    found = (test or binomial_p)([k for _, k in counts], [n for n, _ in counts], alpha) if order else ()
    tests = [Tested(threshold, n, k, float(p)) for threshold, (n, k), p in zip(order, counts, found, strict=True)]
    tested = _until_one_fails(tests, delta)
    passed = [one for one in tested if one.p <= delta]
    best = passed[-1] if passed else Tested(math.inf, 0, 0, 1.0)
    return Certified(
        threshold=best.threshold if passed else None,
        alpha=alpha,
        delta=delta,
        n=best.n,
        k=best.k,
        rows=len(scores),
        coverage=best.n / len(scores) if len(scores) else 0.0,
        bound=upper_bound(best.k, best.n, delta),
        tested=tested,
    )


def candidates(fit_scores: Sequence[float], count: int = 30, strictest: float = 0.7) -> tuple[float, ...]:
    """Return candidate thresholds, strict to loose: `count` quantiles of the fit scores, from `strictest` down to 0.

    Repeats are dropped. Each is one of the scores, so that the loosest accepts all that was fitted on. They have to come
    from other rows than those certified on. Empty without a finite score.
    """
    finite = sorted(float(score) for score in fit_scores if math.isfinite(score))
    if not finite:
        return ()
    levels = [strictest * (count - 1 - step) / max(1, count - 1) for step in range(count)]
    chosen = {finite[math.floor(level * (len(finite) - 1))] for level in levels}
    return tuple(sorted(chosen, reverse=True))


def upper_bound(k: int, n: int, delta: float) -> float:
    """Return U, the exact one-sided upper limit of an error rate at confidence 1 - delta after k wrong among n.

    U = beta.ppf(1 - delta, k + 1, n - k) (Clopper and Pearson, Biometrika 26, 1934); 1 when all were wrong or there were
    none. U <= alpha exactly when P(Bin(n, alpha) <= k) <= delta. Raises ValueError for impossible counts.
    """
    if not (0 <= k <= n and 0 < delta < 1):
        raise ValueError(f"{k} wrong of {n} at delta {delta!r} has no bound")
    if k == n:
        return 1.0
    from scipy.stats import beta

    return float(beta.ppf(1 - delta, k + 1, n - k))


def one_per_group(groups: Sequence[Hashable], seed: int) -> tuple[int, ...]:
    """Return the indices, ascending, of one row of each group, drawn uniformly and independently per group.

    Rows of one conversation or question resemble each other; more than one of them would make the test too sure. What the
    groups are called changes nothing: the draws go by the order in which groups and rows first appear.
    """
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    source = random.Random(seed)  # noqa: S311  a draw that anybody can repeat, not a secret
    return tuple(sorted(rows[int(source.random() * len(rows))] for rows in members.values()))


def passes(score: float | None, threshold: float | None) -> bool:
    """Whether an action of this score passes at this threshold; what is missing or not a finite number never does."""
    return score is not None and threshold is not None and math.isfinite(score) and score >= threshold


def binomial_p(wrong: Sequence[int], accepted: Sequence[int], alpha: float) -> Sequence[float]:
    """Return P(Bin(n, alpha) <= k) for each k wrong among n accepted."""
    from scipy.stats import binom

    return [float(p) for p in binom.cdf(wrong, accepted, alpha)]


def _sequence(thresholds: Sequence[float] | None, fit_scores: Sequence[float] | None) -> tuple[float, ...]:
    if thresholds is None and fit_scores is None:
        raise ValueError("certifying needs candidate thresholds, or scores of other rows (fit_scores) to take them from")
    if thresholds is None:
        return candidates(fit_scores or ())
    return tuple(sorted({float(one) for one in thresholds if math.isfinite(one)}, reverse=True))


def _counted(scores: Sequence[float], correct: Sequence[bool], order: Sequence[float]) -> list[tuple[int, int]]:
    """Return accepted and wrong for each candidate."""
    rows = sorted((float(score), not right) for score, right in zip(scores, correct, strict=True) if math.isfinite(score))
    finite = [score for score, _ in rows]
    wrong_below = [0, *accumulate(int(wrong) for _, wrong in rows)]
    places = [bisect_left(finite, threshold) for threshold in order]
    return [(len(rows) - place, wrong_below[-1] - wrong_below[place]) for place in places]


def _until_one_fails(tests: Sequence[Tested], delta: float) -> tuple[Tested, ...]:
    """Return the tests up to and with the first that failed, without those passed over; at least one if there are any."""
    done = []
    for one in tests:
        if one.p > delta and one.k == 0 and one is not tests[-1]:
            continue
        done.append(one)
        if not one.p <= delta:
            break
    return tuple(done)
