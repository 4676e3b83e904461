"""Diagnostics against scikit-learn, against counting by hand, and against the laws they obey."""

import pytest
from assent.evals.certify.diagnostics import (
    auroc,
    brier,
    calibration_error,
    found_in_budget,
    reliability,
    risk_coverage,
)
from assent.evals.intervals import clopper_pearson
from hypothesis import given
from hypothesis import strategies as st

rows = st.lists(st.tuples(st.integers(0, 10).map(lambda tenth: tenth / 10), st.booleans()), min_size=1, max_size=60)


@given(rows)
def test_auroc_is_scikit_learns(rows):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn (extra `calibrate`) is not installed")
    scores, positive = [score for score, _ in rows], [yes for _, yes in rows]
    if len(set(positive)) == 2:
        assert auroc(scores, positive) == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-12)
        assert auroc([-score for score in scores], positive) == pytest.approx(1 - auroc(scores, positive))
    else:
        assert auroc(scores, positive) is None


@given(rows)
def test_bins_lose_no_row_and_the_error_is_their_weighted_gap(rows):
    confidence, correct = [score for score, _ in rows], [yes for _, yes in rows]
    bins = reliability(confidence, correct)
    assert (sum(one.n for one in bins), sum(one.correct for one in bins)) == (len(rows), sum(correct))
    assert all(
        one.interval == clopper_pearson(one.correct, one.n) and one.low - 1e-9 <= one.confidence <= one.high + 1e-9 for one in bins
    )
    assert calibration_error(confidence, correct) == pytest.approx(
        sum(one.n / len(rows) * abs(one.correct / one.n - one.confidence) for one in bins)
    )


def test_a_confidence_that_is_right_as_often_as_it_says_has_no_error():
    assert calibration_error([0.75] * 4 + [0.25] * 4, [True] * 3 + [False] + [True] + [False] * 3) == 0
    assert calibration_error([1.0] * 4, [True, True, False, False]) == 0.5
    assert brier([1.0, 0.5], [False, True]) == 0.625
    assert calibration_error([], []) is brier([], []) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        reliability([1.2], [True])


@given(rows)
def test_the_curve_ends_at_all_rows_and_counts_each_threshold(rows):
    scores, correct = [score for score, _ in rows], [yes for _, yes in rows]
    curve = risk_coverage(scores, correct)
    assert curve[-1].coverage == 1 and curve[-1].wrong == correct.count(False)
    for point in curve:
        passing = [right for score, right in zip(scores, correct, strict=True) if score >= point.threshold]
        assert (point.n, point.wrong) == (len(passing), passing.count(False))
        assert point.risk == point.wrong / point.n


def test_the_budget_is_spent_on_the_most_doubted_and_ties_share_it():
    assert found_in_budget([0.9, 0.8, 0.1, 0.1, 0.1], [True, False, False, False, True], 0.4) == 0.5
    assert found_in_budget([0.5] * 10, [True] * 4 + [False] * 6, 0.2) == pytest.approx(0.2)
    assert found_in_budget([0.5] * 10, [True] * 4 + [False] * 6, 1.0) == 1.0
    assert found_in_budget([0.5], [False], 0.2) is None


@pytest.mark.parametrize("measure", [auroc, brier, reliability, risk_coverage, calibration_error])
def test_scores_without_labels_are_refused(measure):
    with pytest.raises(ValueError, match="same number"):
        measure([0.5, 0.6], [True])
