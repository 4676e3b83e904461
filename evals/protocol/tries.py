"""What else was tried for guaranteed autonomy, measured the same way; nothing here is used at the gate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...graph.autonomy.scoring import Features
from ..certify.certificate import candidates, certify
from ..certify.heads import fit_head
from .guarantee import ALPHA, DELTA, Threshold, measure_each
from .lines import Row
from .questions import FILE, Kind, agreement, by_category, by_model, by_request, read_questions
from .run import HALVINGS, skipped
from .scored import Fitter, Scorable, Score, Scored, pooled, scored_across

SPLITS = 100
BETS = tuple((place + 0.5) / 20 for place in range(19))
"""Parts of the wealth that the betting test stakes on "wrong less often than alpha"."""


def run_tries(
    rows: Path, *, splits: int = SPLITS, seed: int = 0, tell: Callable[[str], None] = lambda said: None
) -> dict[str, Any]:
    """Return guaranteed autonomy of every alternative, across halves of a folder's rows; says so where they are absent."""
    missing = skipped([rows], [FILE])
    if missing:
        return missing
    lines = []
    for name, features, fitter, rule in alternatives():
        tell(f"tried: {name}")
        held = read_questions(rows, features)
        scored = [scored_across(held, seed=seed + way, fitter=fitter) for way in range(HALVINGS)]
        lines.append(measure_each(scored, name, splits=splits, seed=seed, rule=rule))
    return {"splits": splits, "lines": [one.as_json() for one in lines]}


def alternatives() -> list[tuple[str, Kind, Fitter, Threshold]]:
    """Return each alternative: its name, features, what is fitted, and the threshold rule; the first is what is used."""
    used = starting(0.7)
    heads: list[tuple[str, Kind, Fitter]] = [
        ("used: agreement and category, one head for all models, C = .5", by_category, pooled),
        ("C = .05", by_category, of_strength(0.05)),
        ("C = 5", by_category, of_strength(5.0)),
        ("a head per model", with_model, per_class),
        ("with the model's name", with_model, pooled),
        ("with each model's agreement", with_models, pooled),
        ("with agreement's slope per category", with_slopes, pooled),
        ("with all of these", with_everything, pooled),
        ("boosted trees, rising in agreement", by_category, boosted),
    ]
    rules: list[tuple[str, Threshold]] = [
        ("sequence starts at .9 of the mass", starting(0.9)),
        ("sequence starts at .5", starting(0.5)),
        ("sequence starts at .3", starting(0.3)),
        ("start chosen by the fitted labels", planned),
        ("10 candidates", starting(0.7, count=10)),
        ("100 candidates", starting(0.7, count=100)),
        ("two sequences, from .7 and .4, at delta / 2", twice),
        ("one candidate, the best expected on the fitted scores", single),
        ("betting test instead of the binomial", betting),
    ]
    without = [
        ("without category: sequence starts at .7", starting(0.7)),
        ("without category: starts at .5", starting(0.5)),
        ("without category: starts at .4", starting(0.4)),
        ("without category: start chosen by the fitted labels", planned),
        ("without category: two sequences", twice),
    ]
    return [
        *((name, features, fitter, used) for name, features, fitter in heads),
        *((name, by_category, pooled, rule) for name, rule in rules),
        *((name, by_model_mean, pooled, rule) for name, rule in without),
        ("kind of request: with agreement's slope per kind", with_request_slopes, pooled, used),
    ]


def starting(strictest: float, *, count: int = 30) -> Threshold:
    """Return the certificate with candidates from another start."""

    def rule(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
        return certify(scores, correct, thresholds=candidates(fitted.fit_scores, count, strictest)).threshold

    return rule


def twice(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
    """Return the looser threshold of two sequences that share delta (Bonferroni)."""
    found = [
        certify(scores, correct, delta=DELTA / 2, thresholds=candidates(fitted.fit_scores, 30, start)).threshold
        for start in (0.7, 0.4)
    ]
    return min((one for one in found if one is not None), default=None)


def single(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
    """Return the one threshold that the fitted confidences, taken at their word, make the most of; tested alone."""
    from scipy.stats import binom

    order = sorted(fitted.fit_scores, reverse=True)
    best, worth, doubt = None, 0.0, 0.0
    for place, score in enumerate(order):
        doubt += 1 - score
        n, risk = round(len(scores) * (place + 1) / len(order)), doubt / (place + 1)
        most = int(binom.ppf(DELTA, n, ALPHA)) - 1
        passing = float(binom.cdf(most, n, risk)) if most >= 0 else 0.0
        if passing * (place + 1) > worth:
            best, worth = score, passing * (place + 1)
    return certify(scores, correct, thresholds=[] if best is None else [best]).threshold


def planned(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
    """Return the certificate whose start, .7, .55 or .4, the labels of the fitted rows speak for: coverage x chance to pass."""

    def worth(start: float) -> float:
        from scipy.stats import binom

        least = candidates(fitted.fit_scores, 30, start)[0]
        passing = [right for score, right in zip(fitted.fit_scores, fitted.fit_correct, strict=True) if score >= least]
        coverage = len(passing) / len(fitted.fit_scores)
        n, risk = round(coverage * len(scores)), (passing.count(False) + 1) / (len(passing) + 2)
        return coverage * float(binom.cdf(binom.ppf(DELTA, n, ALPHA) - 1, n, risk))

    return certify(scores, correct, thresholds=candidates(fitted.fit_scores, 30, max((0.7, 0.55, 0.4), key=worth))).threshold


def betting(scores: Sequence[float], correct: Sequence[bool], fitted: Scored) -> float | None:
    """Return the certificate by a betting p-value: 1 over the mean wealth of fixed bets that alpha is too pessimistic."""

    def p_values(wrong: Sequence[int], accepted: Sequence[int], alpha: float) -> list[float]:
        return [min(1.0, 1 / _wealth(k, n, alpha)) for k, n in zip(wrong, accepted, strict=True)]

    return certify(scores, correct, thresholds=candidates(fitted.fit_scores), test=p_values).threshold


def _wealth(k: int, n: int, alpha: float) -> float:
    """Return mean_j (1 - b_j)^k (1 + b_j alpha / (1 - alpha))^(n - k): what bets against alpha hold after k wrong of n."""
    won = [k * math.log1p(-bet) + (n - k) * math.log1p(bet * alpha / (1 - alpha)) for bet in BETS]
    return math.fsum(map(math.exp, won)) / len(won)


def of_strength(strength: float) -> Fitter:
    """Return the fit with another penalty."""
    return lambda rows: fit_head([row.features for row in rows], [row.correct for row in rows], strength=strength).score


def per_class(rows: Sequence[Scorable]) -> Score:
    """Fit a head for each model; the features have to tell which, as `model:NAME`."""
    names = {row.kind for row in rows}
    heads = {name: pooled([row for row in rows if row.kind == name]) for name in names}
    everybody = pooled(rows)

    def score(features: Features) -> float | None:
        for name, head in heads.items():
            if f"model:{name}" in features:
                return head(features)
        return everybody(features)

    return score


def boosted(rows: Sequence[Scorable]) -> Score:
    """Fit scikit-learn's boosted trees, monotone in agreement, on agreement and categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = sorted({name for row in rows for name in row.features})
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=6, monotonic_cst=[int(name == "agreement") for name in names], random_state=0
    )

    def line(features: Features) -> list[float]:
        return [float(value) if (value := features.get(name)) is not None else 0.0 for name in names]

    model.fit([line(row.features) for row in rows], [row.correct for row in rows])
    known: dict[tuple[float, ...], float] = {}

    def score(features: Features) -> float:
        asked = tuple(line(features))
        if asked not in known:
            known[asked] = float(model.predict_proba([list(asked)])[0, 1])
        return known[asked]

    return score


def with_model(row: Row) -> Mapping[str, float | None]:
    """Return agreement, category and which model."""
    return {**by_category(row), f"model:{row['model']}": 1.0}


def with_models(row: Row) -> Mapping[str, float | None]:
    """Return agreement, category and each other model's vote."""
    return {**by_category(row), **by_model(row)}


def with_slopes(row: Row) -> Mapping[str, float | None]:
    """Return agreement, category and their products."""
    return {**by_category(row), f"agreement:{row.get('category')}": agreement(row)}


def with_everything(row: Row) -> Mapping[str, float | None]:
    """Return all of it."""
    return {**with_model(row), **with_models(row), **with_slopes(row)}


def with_request_slopes(row: Row) -> Mapping[str, float | None]:
    """Return agreement, the kind of request and their products."""
    kind = "simple" if row.get("category") == "relevance" else row.get("category")
    return {**by_request(row), f"agreement:{kind}": agreement(row)}


def by_model_mean(row: Row) -> Mapping[str, float | None]:
    """Return agreement alone."""
    return {"agreement": agreement(row)}
