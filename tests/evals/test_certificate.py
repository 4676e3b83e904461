"""Certificates: their laws, and their agreement with MAPIE and with SciPy's binomial and beta distributions."""

from __future__ import annotations

import json
import math
import random

import pytest
from assent.evals.certify.certificate import audits_needed, candidates, certify, one_per_group, passes, upper_bound
from assent.evals.certify.more_audits import more_audits
from hypothesis import given, settings
from hypothesis import strategies as st

stats = pytest.importorskip("scipy.stats", reason="needs the extra calibrate")
mapie = pytest.importorskip("mapie.risk_control.fwer_control", reason="MAPIE checks the certificates; it is for tests only")

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARES = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
SCORES = st.integers(0, 20).map(lambda step: step / 20)


@st.composite
def classes(draw):
    """Rows of a class with many ties, mostly right where the score is high, and fit scores from the same values."""
    rows = draw(st.lists(st.tuples(SCORES, st.floats(0, 1)), min_size=1, max_size=150))
    slope = draw(st.sampled_from([0.3, 0.1, 0.02]))
    scores = [score for score, _ in rows]
    correct = [luck > slope * (1.1 - score) for score, luck in rows]
    return scores, correct, draw(st.lists(SCORES, min_size=1, max_size=150))


def strictness(certified):
    return math.inf if certified.threshold is None else certified.threshold


@given(classes(), SHARES, SHARES, SHARES, SHARES)
def test_coverage_never_rises_when_alpha_or_delta_falls(rows, alpha, other_alpha, delta, other_delta):
    scores, correct, fit = rows
    strict = certify(scores, correct, alpha=min(alpha, other_alpha), delta=min(delta, other_delta), fit_scores=fit)
    loose = certify(scores, correct, alpha=max(alpha, other_alpha), delta=max(delta, other_delta), fit_scores=fit)
    assert strict.coverage <= loose.coverage and strictness(strict) >= strictness(loose)


def test_a_smaller_alpha_certifies_no_more_where_ties_jump_over_the_rows_it_needs():
    scores = [0.9] * 60 + [0.5] * 190
    correct = [index != 7 for index in range(250)]
    assert stats.binom.cdf(1, 60, 0.05) > 0.1 and stats.binom.cdf(1, 250, 0.02) < 0.1
    assert certify(scores, correct, alpha=0.05, thresholds=[0.9, 0.5]).threshold is None
    assert certify(scores, correct, alpha=0.02, thresholds=[0.9, 0.5]).threshold is None


@given(classes(), st.randoms(use_true_random=False), SHARES, SHARES)
def test_the_order_of_rows_and_of_candidates_changes_nothing(rows, source, alpha, delta):
    scores, correct, fit = rows
    order = source.sample(range(len(scores)), len(scores))
    moved = ([scores[index] for index in order], [correct[index] for index in order])
    as_it_was = certify(scores, correct, alpha=alpha, delta=delta, fit_scores=fit)
    assert certify(*moved, alpha=alpha, delta=delta, fit_scores=source.sample(fit, len(fit))) == as_it_was
    given_ones = source.sample(candidates(fit), len(candidates(fit)))
    assert certify(*moved, alpha=alpha, delta=delta, thresholds=given_ones) == as_it_was


@given(classes(), SCORES, SHARES, SHARES)
def test_a_wrong_row_more_never_loosens_the_threshold(rows, score, alpha, delta):
    scores, correct, fit = rows
    before = certify(scores, correct, alpha=alpha, delta=delta, fit_scores=fit)
    after = certify([*scores, score], [*correct, False], alpha=alpha, delta=delta, fit_scores=fit)
    assert strictness(after) >= strictness(before)


@given(classes(), SHARES, SHARES)
def test_counts_and_bound_are_those_of_the_rows_at_the_threshold(rows, alpha, delta):
    scores, correct, fit = rows
    found = certify(scores, correct, alpha=alpha, delta=delta, fit_scores=fit)
    for one in found.tested:
        accepted = [right for score, right in zip(scores, correct, strict=True) if score >= one.threshold]
        assert (one.n, one.k) == (len(accepted), accepted.count(False))
        assert one.p == pytest.approx(stats.binom.cdf(one.k, one.n, alpha))
    assert found.rows == len(scores)
    if found.threshold is None:
        assert (found.n, found.k, found.coverage, found.bound) == (0, 0, 0.0, 1.0)
        return
    (last,) = [one for one in found.tested if one.threshold == found.threshold]
    assert (found.n, found.k, found.coverage) == (last.n, last.k, last.n / len(scores))
    assert found.bound == pytest.approx(stats.beta.ppf(1 - delta, found.k + 1, found.n - found.k)) and found.bound <= alpha + 1e-12


@given(classes(), SHARES, SHARES)
def test_mapie_rejects_the_same_candidates(rows, alpha, delta):
    scores, correct, fit = rows
    found = certify(scores, correct, alpha=alpha, delta=delta, fit_scores=fit)
    first = found.tested[0].threshold
    order = [one for one in candidates(fit) if one <= first]
    n = [sum(score >= threshold for score in scores) for threshold in order]
    k = [sum(score >= threshold and not right for score, right in zip(scores, correct, strict=True)) for threshold in order]
    method = mapie.FWERFixedSequenceTesting(n_starts=1)
    rejected = [order[index] for index in mapie.control_fwer(stats.binom.cdf(k, n, alpha), delta, fwer_method=method)]
    assert rejected == [one.threshold for one in found.tested if one.p <= delta]
    assert found.threshold == (rejected[-1] if rejected else None)
    for passed_over in (one for one in candidates(fit) if one > first):
        accepted = [right for score, right in zip(scores, correct, strict=True) if score >= passed_over]
        assert all(accepted) and (1 - alpha) ** len(accepted) > delta


@pytest.mark.parametrize(("delta", "needed"), [(0.10, {0.05: 45, 0.02: 114, 0.01: 230}), (0.05, {0.05: 59, 0.02: 149, 0.01: 299})])
def test_audits_without_an_error_that_a_promise_needs(delta, needed):
    for alpha, n in needed.items():
        assert audits_needed(alpha, delta) == n
        for rows, holds in ((n, True), (n - 1, False)):
            found = certify([1.0] * rows, [True] * rows, alpha=alpha, delta=delta, thresholds=[0.5])
            assert (found.threshold == 0.5) is holds and (found.bound <= alpha) is holds
        assert certify([1.0] * (n - 1), [True] * (n - 1), alpha=alpha, delta=delta, thresholds=[0.5]).more.without_errors == 1


@given(SHARES, SHARES, st.integers(0, 30))
def test_audits_needed_is_the_least_number_that_passes(alpha, delta, wrong):
    n = audits_needed(alpha, delta, wrong)
    assert stats.binom.cdf(wrong, n, alpha) <= delta < stats.binom.cdf(wrong, n - 1, alpha)


@given(SHARES, SHARES, st.integers(1, 400), st.integers(0, 30))
def test_so_many_more_audits_are_enough_and_one_fewer_is_not(alpha, delta, audited, wrong):
    wrong = min(wrong, audited)
    more = more_audits(wrong, audited, alpha, delta)
    assert stats.binom.cdf(wrong, audited + more.without_errors, alpha) <= delta
    assert more.without_errors == 0 or stats.binom.cdf(wrong, audited + more.without_errors - 1, alpha) > delta
    if more.at_this_rate is None:
        assert more.without_errors and wrong >= alpha * audited * 0.99
        return

    def p_at(further):
        return stats.binom.cdf(-(-wrong * (audited + further) // audited), audited + further, alpha)

    assert p_at(more.at_this_rate) <= delta or more.at_this_rate == 0
    assert all(p_at(further) > delta for further in range(0, more.at_this_rate, 1 + more.at_this_rate // 50))


def test_too_few_rows_above_the_strict_candidates_do_not_end_the_sequence():
    scores = [index / 100 for index in range(100)]
    correct = [score >= 0.3 for score in scores]
    found = certify(scores, correct, thresholds=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    assert [one.threshold for one in found.tested] == [0.5, 0.4, 0.3, 0.2] and found.threshold == 0.3
    assert found.tested[-1].k == 10 and found.more.at_this_rate is None
    correct[95] = False
    assert [one.threshold for one in certify(scores, correct, thresholds=[0.9, 0.8, 0.5]).tested] == [0.9]


def test_a_score_that_is_no_finite_number_never_passes():
    rows = 200
    for bad in (math.nan, math.inf, -math.inf):
        found = certify([bad] * rows, [True] * rows, thresholds=[0.0])
        assert found.threshold is None and found.coverage == 0.0 and found.rows == rows
        assert certify([0.5] * rows + [bad] * rows, [True] * rows + [False] * rows, thresholds=[0.0]).coverage == 0.5
        assert not passes(bad, 0.0)
        assert bad not in candidates([0.5, bad, 0.1])
    assert not passes(None, 0.0) and not passes(0.5, None) and passes(0.5, 0.5)
    assert candidates([math.nan]) == () and certify([0.5], [True], fit_scores=[math.nan]).threshold is None


def test_candidates_are_quantiles_of_the_fit_scores_from_three_tenths_of_the_mass_to_all_of_it():
    fit = [index / 999 for index in range(1000)]
    found = candidates(fit)
    assert len(found) == 30 and list(found) == sorted(found, reverse=True)
    assert sum(score >= found[0] for score in fit) == pytest.approx(300, abs=2) and found[-1] == 0.0
    assert candidates([0.5] * 100) == (0.5,)


@pytest.mark.parametrize(("alpha", "delta"), [(0, 0.1), (1, 0.1), (0.05, 0), (0.05, 1), (math.nan, 0.1), (0.05, math.nan)])
def test_shares_outside_zero_to_one_are_refused(alpha, delta):
    with pytest.raises(ValueError, match="between 0 and 1"):
        certify([0.5], [True], alpha=alpha, delta=delta, thresholds=[0.5])


def test_rows_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="2 scores but 1 labels"):
        certify([0.5, 0.6], [True], thresholds=[0.5])
    with pytest.raises(ValueError, match="fit_scores"):
        certify([0.5], [True])
    with pytest.raises(ValueError, match="no bound"):
        upper_bound(3, 2, 0.1)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(0, 5))
def test_one_row_of_each_group_whatever_the_groups_are_called(groups, seed):
    drawn = one_per_group(groups, seed)
    assert sorted(groups[index] for index in drawn) == sorted(set(groups)) and list(drawn) == sorted(drawn)
    assert one_per_group([f"conversation {9 - group}" for group in groups], seed) == drawn


def test_each_row_of_a_group_is_drawn_as_often_as_another():
    draws = [one_per_group(["a", "b", "b", "b"], seed)[1] for seed in range(3000)]
    assert stats.chisquare([draws.count(index) for index in (1, 2, 3)]).pvalue > 1e-4


def test_a_certificate_is_plain_json_and_says_what_the_next_candidate_needs():
    source = random.Random(4)
    scores = [source.random() for _ in range(400)]
    found = certify(scores, [source.random() > 0.2 * (1 - score) for score in scores], thresholds=[0.8, 0.6, 0.4, 0.2, 0.0])
    told = json.loads(json.dumps(found.as_json()))
    assert told["version"] == 1 and told["threshold"] == found.threshold and told["more"]["without_errors"] > 0
    assert [one["threshold"] for one in told["tested"]] == [one.threshold for one in found.tested]
    last = found.tested[-1]
    assert last.p > 0.1 and found.more == more_audits(last.k, last.n, 0.05, 0.1)
