"""Heads fitted on labels: the same number in pure Python as in scikit-learn, whatever is missing."""

import math
import random

import pytest
from assent.evals.certify.heads import fit_head
from assent.graph.autonomy.scoring import AGREEMENT, head_of

sklearn = pytest.importorskip("sklearn", reason="scikit-learn (extra `calibrate`) is not installed")


def rows_of(seed, n=400, missing=0.2):
    """Rows whose chance of being right rises with agreement, falls with a flag, and is worse where a signal is missing."""
    draw = random.Random(seed)
    rows, correct = [], []
    for _ in range(n):
        agreement, precedent, flag, tool = draw.random(), draw.gauss(3, 2), draw.random() < 0.2, draw.choice("abc")
        lost = draw.random() < missing
        row = {"agreement": agreement, "precedent": None if lost else precedent, f"tool:{tool}": 1.0}
        if flag:
            row["flag:large"] = 1.0
        odds = 4 * agreement - 1 - 2 * flag - 1.5 * lost + 0.3 * (0 if lost else precedent - 3)
        rows.append(row)
        correct.append(draw.random() < 1 / (1 + math.exp(-odds)))
    return rows, correct


def by_sklearn(rows, correct, names):
    """The same design, built independently with scikit-learn's own parts."""
    import numpy
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def matrix(rows):
        return numpy.array(
            [
                [row.get(name) if row.get(name) is not None else (0.0 if ":" in name else numpy.nan) for name in names]
                for row in rows
            ],
            dtype=float,
        )

    model = make_pipeline(
        SimpleImputer(add_indicator=True), StandardScaler(), LogisticRegression(C=0.5, max_iter=5000, tol=1e-8)
    ).fit(matrix(rows), correct)
    return lambda rows: model.predict_proba(matrix(rows))[:, 1]


@pytest.mark.parametrize("seed", range(3))
def test_the_pure_score_is_what_scikit_learn_predicts(seed):
    rows, correct = rows_of(seed)
    names = ["agreement", "precedent", "flag:large", "tool:a", "tool:b", "tool:c"]
    head, predict = fit_head(rows, correct, names=names, strength=0.5), by_sklearn(rows, correct, names)
    fresh, _ = rows_of(seed + 100, n=200)
    assert [head.score(row) for row in fresh] == pytest.approx(list(predict(fresh)), abs=1e-9)
    assert head_of(head.as_json()) == head


def test_the_order_of_rows_and_of_names_changes_nothing():
    rows, correct = rows_of(1)
    head = fit_head(rows, correct)
    turned = fit_head(rows[::-1], correct[::-1], names=sorted({name for row in rows for name in row}, reverse=True))
    assert [turned.score(row) for row in rows] == pytest.approx([head.score(row) for row in rows], abs=1e-6)


def test_a_missing_signal_is_told_from_a_zero():
    rows, correct = rows_of(2, n=2000)
    head = fit_head(rows, correct)
    row = {"agreement": 0.8, "tool:a": 1.0}
    assert head.score({**row, "precedent": None}) == head.score(row) < head.score({**row, "precedent": 3.0})
    assert head.score({**row, "precedent": 0.0}) != head.score(row)


def test_an_indicator_that_was_never_seen_changes_nothing():
    rows, correct = rows_of(3)
    head = fit_head(rows, correct)
    assert head.score({**rows[0], "tool:new": 1.0, "flag:new": 1.0}) == head.score(rows[0])
    known = {"agreement": 0.5, "precedent": 3.0}
    assert head.score({**known, "flag:large": 0.0}) == pytest.approx(head.score(known), abs=1e-12)


def test_few_labels_or_few_errors_leave_agreement_as_it_is():
    rows, correct = rows_of(4)
    assert fit_head(rows[:199], correct[:199]) == AGREEMENT
    assert fit_head(rows[:200], [False] * 29 + [True] * 171) == AGREEMENT
    assert fit_head(rows[:200], [False] * 30 + [True] * 170) != AGREEMENT
    assert fit_head(rows[:200], [False] * 200) == AGREEMENT
    assert fit_head([{"agreement": 1.0}] * 200, [False] * 30 + [True] * 170) == AGREEMENT, "nothing varies"


def test_a_strength_can_be_chosen_whole_groups_apart():
    rows, correct = rows_of(5)
    groups = [str(place // 4) for place in range(len(rows))]
    head = fit_head(rows, correct, groups=groups, strength="cross-validated")
    assert head in [fit_head(rows, correct, strength=strength) for strength in (0.02, 0.1, 0.5, 2.0)]


@pytest.mark.parametrize(
    ("changes", "said"), [({"correct": [True]}, "same number"), ({"groups": ["a"]}, "same number"), ({"strength": 0.0}, "above 0")]
)
def test_wrong_arguments_are_told(changes, said):
    rows, correct = rows_of(6, n=10)
    with pytest.raises(ValueError, match=said):
        fit_head(rows, **{"correct": correct, **changes})
