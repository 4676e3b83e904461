"""Intervals against known values and against the binomial tails that define them."""

import math

import pytest
from assent.evals.intervals import clopper_pearson, sign_test
from hypothesis import given
from hypothesis import strategies as st


def at_least(hits, n, p):
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(hits, n + 1))


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.30850),
        (10, 10, 0.69150, 1.0),
        (5, 10, 0.18709, 0.81291),
        (1, 100, 0.00025, 0.05446),
        (300, 300, 0.98778, 1.0),
    ],
)
def test_published_values(hits, n, low, high):
    assert clopper_pearson(hits, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_each_bound_leaves_exactly_its_tail(case, level):
    hits, n = case
    low, high = clopper_pearson(hits, n, level)
    tail = (1 - level) / 2
    assert low <= hits / n <= high
    if hits:
        assert at_least(hits, n, low) == pytest.approx(tail, rel=1e-5, abs=1e-9)
    if hits < n:
        assert 1 - at_least(hits + 1, n, high) == pytest.approx(tail, rel=1e-5, abs=1e-9)


@given(st.integers(1, 20_000), st.floats(0, 1))
def test_large_numbers_and_sums_of_shares_give_an_interval_around_the_share(n, share):
    low, high = clopper_pearson(share * n, n)
    assert 0 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1
    assert high - low < 4 / math.sqrt(n)


@pytest.mark.parametrize(("hits", "n"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(hits, n):
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(hits, n)


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_sign_test_is_symmetric_and_a_probability(better, worse):
    assert sign_test(better, worse) == sign_test(worse, better)
    assert 0 < sign_test(better, worse) <= 1


def test_the_sign_test_knows_a_fair_coin():
    assert sign_test(0, 0) == 1
    assert sign_test(5, 0) == pytest.approx(2 / 32)
    assert sign_test(1, 7) == pytest.approx(2 * (1 + 8) / 256)
    assert sign_test(0, 3000) < 1e-300
