"""Scores rows by what was fitted on other rows: another folder's, or the other half of the same folder's groups."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...graph.autonomy.scoring import AGREEMENT, Features
from ..certify.heads import fit_head

LEAST_FIT = 100
"""A class with fewer fitted rows takes its candidates from all fitted rows."""

Score = Callable[[Features], float | None]


@dataclass(frozen=True, slots=True)
class Scorable:
    """One decided action."""

    kind: str
    """Its class of actions; each has a certificate of its own."""
    group: str
    correct: bool
    features: Features


_Pair = tuple[float, Scorable]

Fitter = Callable[[Sequence[Scorable]], Score]
"""From rows to a score of features; sees no other rows."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A class's rows with the scores of a head that never saw them, and scores of fitted rows for the candidates."""

    kind: str
    scores: tuple[float, ...]
    correct: tuple[bool, ...]
    groups: tuple[str, ...]
    fit_scores: tuple[float, ...]
    fit_correct: tuple[bool, ...]


def pooled(rows: Sequence[Scorable]) -> Score:
    """Fit one head on all these rows, whatever their class."""
    return fit_head([row.features for row in rows], [row.correct for row in rows]).score


def as_agreed(rows: Sequence[Scorable]) -> Score:
    """Fit nothing: agreement is the score."""
    return AGREEMENT.score


def scored_between(fit: Sequence[Scorable], rows: Sequence[Scorable], *, fitter: Fitter = pooled) -> list[Scored]:
    """Return rows scored by what was fitted on other rows."""
    score = fitter(fit)
    fitted = _by_kind(fit, [_score(score, row) for row in fit])
    everything = [pair for one in fitted.values() for pair in one]
    return [
        _scored(kind, held, fitted.get(kind, []), everything)
        for kind, held in _by_kind(rows, [_score(score, row) for row in rows]).items()
    ]


def scored_across(rows: Sequence[Scorable], *, seed: int, fitter: Fitter = pooled) -> list[Scored]:
    """Return rows of one source scored across halves: each half of the groups by what was fitted on the other half."""
    first, second = halves(rows, seed)
    parts = [*scored_between(first, second, fitter=fitter), *scored_between(second, first, fitter=fitter)]
    joined: dict[str, list[Scored]] = {}
    for part in parts:
        joined.setdefault(part.kind, []).append(part)
    return [_joined(kind, held) for kind, held in sorted(joined.items())]


def halves(rows: Sequence[Scorable], seed: int) -> tuple[list[Scorable], list[Scorable]]:
    """Return the rows in two parts, whole groups apart, by a seeded draw that the order of rows has no part in."""
    groups = sorted({row.group for row in rows})
    random.Random(seed).shuffle(groups)  # noqa: S311  repeatable, not secret
    first = set(groups[: len(groups) // 2])
    return [row for row in rows if row.group in first], [row for row in rows if row.group not in first]


def _score(score: Score, row: Scorable) -> float:
    """Return the confidence; what cannot be told is below every threshold."""
    value = score(row.features)
    return -1.0 if value is None else value


def _by_kind(rows: Sequence[Scorable], scores: Sequence[float]) -> dict[str, list[_Pair]]:
    held: dict[str, list[_Pair]] = {}
    for row, score in zip(rows, scores, strict=True):
        held.setdefault(row.kind, []).append((score, row))
    return held


def _scored(kind: str, held: Sequence[_Pair], own: Sequence[_Pair], everything: Sequence[_Pair]) -> Scored:
    fitted = own if len(own) >= LEAST_FIT else everything
    return Scored(
        kind,
        tuple(score for score, _ in held),
        tuple(row.correct for _, row in held),
        tuple(row.group for _, row in held),
        tuple(score for score, _ in fitted),
        tuple(row.correct for _, row in fitted),
    )


def _joined(kind: str, parts: Sequence[Scored]) -> Scored:
    return Scored(
        kind,
        tuple(score for part in parts for score in part.scores),
        tuple(right for part in parts for right in part.correct),
        tuple(group for part in parts for group in part.groups),
        tuple(score for part in parts for score in part.fit_scores),
        tuple(right for part in parts for right in part.fit_correct),
    )
