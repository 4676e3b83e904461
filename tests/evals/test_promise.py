"""Whether certificates keep their promise where it is hardest, and whether a program that is off by one would be found out."""

from __future__ import annotations

import math
from itertools import product

import pytest
from assent.evals.certify.certificate import audits_needed, binomial_p, candidates, certify

numpy = pytest.importorskip("numpy", reason="needs the extra calibrate")
stats = pytest.importorskip("scipy.stats", reason="needs the extra calibrate")

CERTIFICATES = 2000
BARELY = 1e-9
"""How far above alpha the true error rate is: every threshold that is certified breaks the promise."""

HARD = [(0.05, 0.10, 45), (0.05, 0.10, 77), (0.01, 0.05, 299), (0.4, 0.1, 5), (0.8, 0.1, 2), (0.8, 0.1, 1), (0.5, 0.25, 2)]
"""Alpha, delta, and numbers of rows with which the test spends (nearly) all of delta, or must not pass at all."""

OFF_BY_ONE = {
    "one wrong row is overlooked": lambda k, n, alpha: stats.binom.cdf(numpy.array(k) - 1, n, alpha),
    "fewer than k instead of at most k": lambda k, n, alpha: 1 - stats.binom.sf(numpy.array(k) - 1, n, alpha),
    "one row too many is counted": lambda k, n, alpha: stats.binom.cdf(k, numpy.array(n) + 1, alpha),
    "right and wrong are exchanged": lambda k, n, alpha: stats.binom.cdf(k, n, 1 - alpha),
    "the other tail": lambda k, n, alpha: stats.binom.sf(k, n, alpha),
}


def tolerated(delta):
    """Return the greatest share of broken promises that chance explains, three standard errors above delta."""
    return delta + 3 * math.sqrt(delta * (1 - delta) / CERTIFICATES)


def broken(alpha, delta, rows, test=binomial_p):
    """Return the share of certificates over rows that are all accepted and barely too often wrong."""
    wrong = numpy.random.default_rng(rows).random((CERTIFICATES, rows)) < alpha + BARELY
    certified = {}  # rows differ in their number of wrong ones only
    for k in map(int, set(wrong.sum(axis=1))):
        labels = [False] * k + [True] * (rows - k)
        certified[k] = certify([1.0] * rows, labels, alpha=alpha, delta=delta, thresholds=[0.5], test=test).threshold is not None
    return sum(certified[int(k)] for k in wrong.sum(axis=1)) / CERTIFICATES


@pytest.mark.parametrize(("alpha", "delta", "rows"), HARD)
def test_at_most_delta_of_2000_certificates_break_their_promise(alpha, delta, rows):
    assert broken(alpha, delta, rows) <= tolerated(delta)


def test_hardly_any_of_delta_is_left_unused_where_it_can_be_used():
    for alpha, delta, rows in HARD[:3]:
        assert broken(alpha, delta, rows) > 0.9 * delta - (tolerated(delta) - delta)


@pytest.mark.parametrize("mutant", OFF_BY_ONE)
def test_a_program_that_is_off_by_one_is_found_out(mutant):
    assert any(broken(*case, test=OFF_BY_ONE[mutant]) > tolerated(case[1]) for case in HARD)


def test_a_p_value_of_exactly_delta_passes():
    assert binomial_p([0], [2], 0.5) == [0.25]
    assert certify([1.0] * 2, [True] * 2, alpha=0.5, delta=0.25, thresholds=[0.5]).threshold == 0.5
    assert certify([0.9] * 2 + [0.5] * 9, [True] * 11, alpha=0.5, delta=0.25, thresholds=[0.8, 0.1]).threshold == 0.1
    assert audits_needed(0.5, 0.25) == 2
    above = certify([1.0] * 2, [True] * 2, alpha=0.5, delta=math.nextafter(0.25, 0), thresholds=[0.5])
    assert above.threshold is None


def test_at_most_delta_are_broken_when_thirty_candidates_are_all_barely_too_bad():
    source = numpy.random.default_rng(35)
    alpha, delta = 0.05, 0.10
    kept = naive = 0
    for _ in range(CERTIFICATES):
        fit, scores, correct = source.random(200), source.random(320), source.random(320) >= alpha + BARELY
        order = candidates(fit)
        found = certify(scores, correct, alpha=alpha, delta=delta, thresholds=order)
        kept += found.threshold is None
        accepted = scores[:, None] >= numpy.array(order)
        p = stats.binom.cdf((accepted & ~correct[:, None]).sum(axis=0), accepted.sum(axis=0), alpha)
        naive += bool((p <= delta).any())
    assert (CERTIFICATES - kept) / CERTIFICATES <= tolerated(delta)
    assert naive / CERTIFICATES > tolerated(delta), "a program that takes any candidate that passes would be found out"


def certified_counts(rows, alpha, delta):
    """Return, for every outcome of two candidates, which of them is certified: 0, 1 or None; the loose one accepts all rows."""
    found = {}
    for n in range(rows + 1):
        for k, below in product(range(n + 1), range(rows - n + 1)):
            labels = [False] * k + [True] * (n - k) + [False] * below + [True] * (rows - n - below)
            one = certify([0.9] * n + [0.5] * (rows - n), labels, alpha=alpha, delta=delta, thresholds=[0.9, 0.5])
            found[n, k, below] = None if one.threshold is None else [0.9, 0.5].index(one.threshold)
    return found


def test_passing_over_small_candidates_keeps_the_promise_whether_risk_grows_or_falls():
    alpha = delta = 0.2  # 8 rows are needed
    worst = 0.0
    for rows in (8, 10, 13):
        certified = certified_counts(rows, alpha, delta)
        for mass, strict in product((0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.95), (0.0, 0.1, 0.2, 0.21, 0.25, 0.3, 0.4, 0.6, 0.9)):
            below = (alpha - mass * strict) / (1 - mass)  # so that the loose candidate errs just too often
            if not 0 <= below <= 1:
                continue
            worst = max(worst, chance_of_a_break(certified, rows, mass, strict, below, alpha))
    assert 0.5 * delta < worst <= delta


def chance_of_a_break(certified, rows, mass, strict, below, alpha):
    """Return the exact chance that a candidate is certified whose error rate is alpha or more."""
    chance = 0.0
    for (n, k, other), which in certified.items():
        if which == 1 or (which == 0 and strict >= alpha):
            outcome = pmf(n, rows, mass) * pmf(k, n, strict) * pmf(other, rows - n, below)
            chance += outcome
    return chance


def pmf(k, n, p):
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)
