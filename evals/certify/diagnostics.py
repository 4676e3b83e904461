"""How well scores tell right from wrong, and how far they can be taken at their word; a diagnosis, never a promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..intervals import clopper_pearson

BINS = 10


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Return the chance that a positive row scores above a negative one, ties counting half; None without both kinds.

    The Mann-Whitney statistic over all pairs: `(R - m (m + 1) / 2) / (m n)`, with R the sum of the m positives' mid-ranks
    (Hanley and McNeil, Radiology 143, 1982). Give `wrong` as positive with scores of doubt, or `correct` with confidence.
    """
    _same(scores, positive)
    hits = sum(map(bool, positive))
    misses = len(scores) - hits
    if not hits or not misses:
        return None
    ranks = _mid_ranks(scores)
    total = math.fsum(rank for rank, yes in zip(ranks, positive, strict=True) if yes)
    return (total - hits * (hits + 1) / 2) / (hits * misses)


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose confidence lies in one stretch."""

    low: float
    high: float
    n: int
    confidence: float
    """Their mean confidence."""
    correct: int
    share: float
    """How many of them were right."""
    interval: tuple[float, float]
    """Of the share, 95%, Clopper and Pearson; rows are taken as independent."""


def reliability(confidence: Sequence[float], correct: Sequence[bool], *, bins: int = BINS) -> tuple[Bin, ...]:
    """Return what was right by stretches of confidence, `bins` of equal width over 0..1; the empty ones are left out.

    A calibrated confidence has `share` near `confidence` in every bin (DeGroot and Fienberg, The Statistician 32, 1983). Raises
    ValueError for a confidence outside 0..1.
    """
    _same(confidence, correct)
    held: list[list[int]] = [[] for _ in range(bins)]
    for row, value in enumerate(confidence):
        if not 0 <= value <= 1:
            raise ValueError(f"confidence {value} of row {row + 1} is not between 0 and 1")
        held[min(bins - 1, int(value * bins))].append(row)
    return tuple(_bin(place, bins, rows, confidence, correct) for place, rows in enumerate(held) if rows)


def calibration_error(confidence: Sequence[float], correct: Sequence[bool], *, bins: int = BINS) -> float | None:
    """Return the expected calibration error, `sum(n_b / n * |share_b - confidence_b|)`; None without rows.

    As in Naeini, Cooper and Hauskrecht (AAAI 2015), bins of equal width. With few rows it is biased upwards: noise in a bin's share
    counts as error, so always tell n beside it.
    """
    found = reliability(confidence, correct, bins=bins)
    if not found:
        return None
    return math.fsum(one.n * abs(one.share - one.confidence) for one in found) / len(confidence)


def brier(confidence: Sequence[float], correct: Sequence[bool]) -> float | None:
    """Return the mean squared difference of confidence and outcome (Brier, Monthly Weather Review 78, 1950); None without rows."""
    _same(confidence, correct)
    if not confidence:
        return None
    return math.fsum((value - bool(right)) ** 2 for value, right in zip(confidence, correct, strict=True)) / len(confidence)


@dataclass(frozen=True, slots=True)
class Point:
    """What passes at one threshold."""

    threshold: float
    coverage: float
    """The share of all rows whose score is at least the threshold."""
    risk: float
    """The share of the wrong among them."""
    n: int
    wrong: int


def risk_coverage(scores: Sequence[float], correct: Sequence[bool]) -> tuple[Point, ...]:
    """Return what passes and how much of it is wrong at every threshold, the strictest first (El-Yaniv and Wiener, JMLR 11, 2010).

    Rows of one score pass together. The curve describes these rows; a threshold picked from it promises nothing.
    """
    _same(scores, correct)
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    points: list[Point] = []
    wrong = 0
    for place, row in enumerate(order):
        wrong += not correct[row]
        if place + 1 == len(order) or scores[order[place + 1]] != scores[row]:
            points.append(Point(scores[row], (place + 1) / len(order), wrong / (place + 1), place + 1, wrong))
    return tuple(points)


def found_in_budget(doubt: Sequence[float], wrong: Sequence[bool], budget: float) -> float | None:
    """Return the share of the wrong rows among the `budget` share that is doubted most; None when nothing is wrong.

    `floor(budget * n)` rows are looked at. Where several rows of one doubt compete for the last places, each has the same chance,
    so the expected share is returned.
    """
    _same(doubt, wrong)
    total = sum(map(bool, wrong))
    if not total:
        return None
    left = float(math.floor(budget * len(doubt) + 1e-9))
    found = 0.0
    for value in sorted(set(doubt), reverse=True):
        here = [bool(bad) for one, bad in zip(doubt, wrong, strict=True) if one == value]
        taken = min(left, len(here))
        found += sum(here) * taken / len(here)
        left -= taken
    return found / total


def _bin(place: int, bins: int, rows: Sequence[int], confidence: Sequence[float], correct: Sequence[bool]) -> Bin:
    right = sum(bool(correct[row]) for row in rows)
    mean = math.fsum(confidence[row] for row in rows) / len(rows)
    return Bin(place / bins, (place + 1) / bins, len(rows), mean, right, right / len(rows), clopper_pearson(right, len(rows)))


def _mid_ranks(scores: Sequence[float]) -> list[float]:
    order = sorted(range(len(scores)), key=lambda row: scores[row])
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and scores[order[end + 1]] == scores[order[start]]:
            end += 1
        for place in range(start, end + 1):
            ranks[order[place]] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def _same(scores: Sequence[float], labels: Sequence[bool]) -> None:
    if len(scores) != len(labels):
        raise ValueError(f"{len(scores)} scores and {len(labels)} labels are not the same number")
