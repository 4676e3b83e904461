"""Early warnings of one class: whether its scores, edits and rejections have moved; they demote nothing by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...graph.store.classes import Measured
from ..certify.labels import Label, Labels, thin
from ..watch import drift
from .shapes import Warning

QUIET = "None: signals, edits and rejections are as they were."

Stream = tuple[Sequence[float], Sequence[tuple[datetime, float]]]
"""Values of 0 to 1: the older ones to compare with, and the newer ones with their times, oldest first."""


def warnings(measured: Sequence[Measured], labels: Labels | None) -> tuple[tuple[Warning, ...], str]:
    """Return what has moved, and what is said when nothing has, naming what is not watched yet."""
    streams = _streams(measured, labels)
    found = tuple(warning for name, stream in streams.items() if (warning := _moved(name, stream)) is not None)
    short = [name.lower() for name, (before, _) in streams.items() if drift.reference(before) is None]
    told = f"Not watched yet, with fewer than {drift.LEAST} actions to compare with: {', '.join(short)}." if short else QUIET
    return found, told


def _streams(measured: Sequence[Measured], labels: Labels | None) -> dict[str, Stream]:
    """Return what is watched.

    What was measured is watched on all actions, the older half against the newer. What people decided is watched on rows of equal
    chance, because at a level that lets things pass what is asked about is not what is proposed: the time before anything passed
    against the thinned rows since, or its older half against its newer while nothing ever passed.
    """
    readings = sorted(measured, key=lambda one: one.at)
    agreed = [(one.at, value) for one in readings if (value := _agreement(one)) is not None]
    absent = [(one.at, float(_agreement(one) is None)) for one in readings]
    before, after = _decided(labels)
    return {
        "Agreement of resamples": _halves(agreed),
        "Actions without a measured agreement": _halves(absent),
        "Rejections": _told(before, after, "reject"),
        "Edits": _told(before, after, "edit"),
    }


def _decided(labels: Labels | None) -> tuple[Sequence[Label], Sequence[Label]]:
    rows = sorted(labels.rows, key=lambda row: row.at) if labels is not None else []
    whole, drawn = [row for row in rows if row.share == 1.0], [row for row in rows if row.share < 1.0]
    if drawn:
        first = drawn[0].at
        since = [*thin(drawn, min(row.share for row in drawn)), *(row for row in whole if row.at >= first)]
        return [row for row in whole if row.at < first], sorted(since, key=lambda row: row.at)
    half = len(whole) // 2
    return whole[:half], whole[half:]


def _told(before: Sequence[Label], after: Sequence[Label], decision: str) -> Stream:
    return [float(row.decision == decision) for row in before], [(row.at, float(row.decision == decision)) for row in after]


def _halves(values: Sequence[tuple[datetime, float]]) -> Stream:
    half = len(values) // 2
    return [value for _, value in values[:half]], values[half:]


def _agreement(one: Measured) -> float | None:
    found = next((reading.get("value") for reading in one.readings if reading.get("signal") == "agreement"), None)
    return float(found) if isinstance(found, int | float) else None


def _moved(name: str, stream: Stream) -> Warning | None:
    before, after = stream
    watched = drift.reference(before)
    if watched is None:
        return None
    for at, value in after:
        watched = drift.watch(watched, value)
        if watched.warned:
            late = [value for when, value in after if when >= at]
            was, now = sum(before) / len(before), sum(late) / len(late)
            shift = f"{was:.0%} before (n {len(before)}), {now:.0%} since (n {len(late)})"
            return Warning(f"{name} went {watched.direction}: {shift}.", at.isoformat())
    return None
