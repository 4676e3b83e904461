"""Fits a head: which features say how surely that a person would find an action right; it scores nothing and certifies nothing.

The model is a logistic regression (Cox, J. R. Stat. Soc. B 20, 1958) on standardised features with a ridge penalty, as in
scikit-learn's `LogisticRegression`: minimise `|w|^2 / 2 + C * sum(log(1 + exp(-y (b + w.z))))`, `z = (x - mean) / scale`.
What comes out is plain numbers, which `assent.graph.autonomy.scoring.Head` adds up in pure Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...graph.autonomy.scoring import AGREEMENT, Features, Head, Term

LEAST_LABELS, LEAST_ERRORS = 200, 30
"""With fewer there is no head, and agreement is taken as it is."""
STRENGTH, STRENGTH_OF_FEW, FEW = 0.5, 0.1, 1_000
"""scikit-learn's `C`, how much labels count against the penalty: of many rows, of few, and how many rows are many."""
FOLDS = 5

Strength = float | Literal["usual", "cross-validated"]


def fit_head(
    rows: Sequence[Features],
    correct: Sequence[bool],
    *,
    names: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    strength: Strength = "usual",
    least_labels: int = LEAST_LABELS,
    least_errors: int = LEAST_ERRORS,
) -> Head:
    """Return the head that fits these labels best; AGREEMENT while there are too few labels, or too few of either kind.

    Args:
        rows: one mapping per action, a number per feature. A name with a colon (`tool:refund`, `flag:large`, `category:simple`)
            is an indicator: absent is 0. Any other feature that is absent or None is missing, which has a weight of its own.
        correct: whether the action was right, per row.
        names: which features to use; all that occur unless given. Features that never vary are left out.
        groups: what rows belong together (a conversation, a question), per row; only used to choose a strength.
        strength: the inverse of the ridge penalty; "usual" goes by the number of rows (with few, a stronger penalty let more
            through), "cross-validated" chooses among four by log loss, whole groups apart.
        least_labels: fewer rows than this are not fitted.
        least_errors: fewer wrong rows than this are not fitted; neither are fewer right ones.

    Raises ValueError when the arguments differ in length or strength is not positive.
    """
    _check(rows, correct, groups, strength)
    wrong = sum(not right for right in correct)
    if len(rows) < least_labels or min(wrong, len(rows) - wrong) < max(1, least_errors):
        return AGREEMENT
    columns = _columns(rows, names or _names(rows))
    if not columns:
        return AGREEMENT
    if strength == "usual":
        strength = STRENGTH if len(rows) >= FEW else STRENGTH_OF_FEW
    elif strength == "cross-validated":
        strength = _chosen_strength(columns, correct, groups or [str(n) for n in range(len(rows))])
    weights, bias = _weights(columns, correct, strength)
    return _head(columns, weights, bias)


def is_indicator(name: str) -> bool:
    """Return whether a feature is one that is 0 where it is absent."""
    return ":" in name


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the design: a feature, or whether it is missing."""

    name: str
    values: tuple[float, ...]
    """As they are; where missing, the mean of the others."""
    mean: float
    scale: float
    absence: bool = False

    @property
    def standardised(self) -> list[float]:
        return [(value - self.mean) / self.scale for value in self.values]


def _check(rows: Sequence[Features], correct: Sequence[bool], groups: Sequence[str] | None, strength: Strength) -> None:
    if len(rows) != len(correct) or (groups is not None and len(groups) != len(rows)):
        raise ValueError(f"{len(rows)} rows, {len(correct)} labels and {len(groups or rows)} groups are not the same number")
    if isinstance(strength, float | int) and not strength > 0:
        raise ValueError(f"strength is {strength}; it must be above 0")


def _names(rows: Sequence[Features]) -> list[str]:
    return sorted({name for row in rows for name in row})


def _columns(rows: Sequence[Features], names: Iterable[str]) -> list[_Column]:
    columns: list[_Column] = []
    for name in dict.fromkeys(names):
        values = [_number(row, name) for row in rows]
        known = [value for value in values if value is not None]
        if not known:
            continue
        middle = math.fsum(known) / len(known)
        columns.append(_column(name, [middle if value is None else value for value in values]))
        if len(known) < len(values):
            columns.append(_column(name, [float(value is None) for value in values], absence=True))
    return [column for column in columns if column.scale > 0]


def _number(row: Features, name: str) -> float | None:
    value = row.get(name)
    if value is None or not math.isfinite(value):
        return 0.0 if is_indicator(name) else None
    return float(value)


def _column(name: str, values: Sequence[float], absence: bool = False) -> _Column:
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    scale = math.sqrt(variance)
    return _Column(name, tuple(values), mean, scale if scale > 1e-9 * max(1.0, abs(mean)) else 0.0, absence)


def _weights(columns: Sequence[_Column], correct: Sequence[bool], strength: float) -> tuple[list[float], float]:
    fitted = _regression(strength).fit(_design(columns), [bool(right) for right in correct])
    return [float(weight) for weight in fitted.coef_[0]], float(fitted.intercept_[0])


def _regression(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=5000, tol=1e-8)


def _design(columns: Sequence[_Column]) -> list[list[float]]:
    return [list(row) for row in zip(*(column.standardised for column in columns), strict=True)]


def _chosen_strength(columns: Sequence[_Column], correct: Sequence[bool], groups: Sequence[str]) -> float:
    from sklearn.model_selection import GroupKFold, cross_val_score

    folds = min(FOLDS, len(set(groups)))
    if folds < 2:
        return STRENGTH
    design, labels = _design(columns), [bool(right) for right in correct]

    def loss(strength: float) -> float:
        return -float(
            cross_val_score(
                _regression(strength), design, labels, groups=groups, cv=GroupKFold(folds), scoring="neg_log_loss"
            ).mean()
        )

    return min((0.02, 0.1, 0.5, 2.0), key=loss)


def _head(columns: Sequence[_Column], weights: Sequence[float], bias: float) -> Head:
    """Fold the columns of absence into the terms: a term's `missing` is what its absence adds."""
    absences: Mapping[str, tuple[_Column, float]] = {
        column.name: (column, weight) for column, weight in zip(columns, weights, strict=True) if column.absence
    }
    terms = []
    for column, weight in zip(columns, weights, strict=True):
        if column.absence:
            continue
        known, missing = 0.0, _missing(column, weight)
        if column.name in absences:
            absence, extra = absences[column.name]
            known, missing = -extra * absence.mean / absence.scale, extra / absence.scale
        bias += known
        terms.append(Term(column.name, weight, column.mean, column.scale, missing))
    lone = set(absences) - {term.name for term in terms}
    for name in sorted(lone):
        absence, extra = absences[name]
        bias -= extra * absence.mean / absence.scale
        terms.append(Term(name, 0.0, 0.0, 1.0, extra / absence.scale))
    return Head(tuple(terms), bias)


def _missing(column: _Column, weight: float) -> float:
    """Return what an absent feature adds that was never absent in the fit: an indicator counts as 0, any other as its mean."""
    return weight * (0.0 - column.mean) / column.scale if is_indicator(column.name) else 0.0
