"""Stand-in for the ladder's and the reviewers' rules until they are in `evals`."""

from __future__ import annotations

from ...graph.autonomy.levels import Level
from ..intervals import clopper_pearson


def next_level(level: Level, suspended: bool) -> Level | None:
    """Return the level that is signed next."""
    if suspended:
        return level
    return Level(level + 1) if level < Level.SAMPLED else None


def fallen(level: Level) -> Level:
    """Return the level after a demotion."""
    return Level(max(level - 1, Level.SUPERVISED))


def healthy(known: int, caught: int) -> bool | None:
    """None: not known yet."""
    if known < 11:
        return None
    return clopper_pearson(caught, known, 0.8)[0] >= 0.8
