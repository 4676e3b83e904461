"""What `make faults` runs: a cell is one fault on one database with one kind of tool, run so many times in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from assent.graph.crashpoints import POINTS
from crashes import any_points, crash, crash_at
from migrating import migrate_together
from oracle import Found
from races import RACES, run_race
from restarts import restarts
from walks import walk

DATABASES = ("sqlite", "postgresql")

Batch = Callable[[int, int], Found]
"""Runs a number of times, from a seed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One box of the table."""

    group: str
    """`crash`, `race`, `migration`, `walk` or `restart`."""
    name: str
    database: str
    idempotent: bool | None
    """Whether the tool takes a key; None where it makes no difference."""
    share: float
    """How many runs for each one that was asked for."""
    size: int
    """How many runs share a database."""
    batch: Batch

    @property
    def key(self) -> str:
        """The cell's name in the state file."""
        tool = {None: "", True: " with key", False: " without key"}[self.idempotent]
        return f"{self.group}: {self.name} ({self.database}{tool})"

    def runs(self, wanted: int) -> int:
        """Return how often the cell is run when so many runs of a crash point are wanted."""
        return max(1, round(wanted * self.share))


def cells() -> Sequence[Cell]:
    """Return every cell, in the table's order."""
    found: list[Cell] = []
    for database in DATABASES:
        for idempotent in (False, True):
            for point in POINTS:
                found.append(Cell("crash", point, database, idempotent, 1, 25, _crash(point, database, idempotent)))
            found.append(Cell("crash", "anywhere", database, idempotent, 1, 25, partial(_anywhere, database, idempotent)))
            for race in RACES:
                found.append(Cell("race", race.name, database, idempotent, 2.5, 25, _race(race.name, database, idempotent)))
        found.append(Cell("migration", "processes open an empty database", database, None, 0.5, 5, partial(_migrate, database)))
        found.append(Cell("walk", "random walks", database, None, 0.5, 10, partial(walk, database)))
    for idempotent in (False, True):
        name = "PostgreSQL restarts every 1 to 3 s while 2 processes decide and 2 carry out"
        found.append(Cell("restart", name, "postgresql", idempotent, 2, 50, partial(_restarts, idempotent)))
    return found


def _restarts(idempotent: bool, size: int, _seed: int) -> Found:
    return restarts(size, idempotent=idempotent)[0]


def _crash(point: str, database: str, idempotent: bool) -> Batch:
    return lambda size, _seed: crash(database, point, size, idempotent=idempotent)


def _anywhere(database: str, idempotent: bool, size: int, seed: int) -> Found:
    return crash_at(database, any_points(size, seed), idempotent=idempotent)


def _race(name: str, database: str, idempotent: bool) -> Batch:
    race = next(race for race in RACES if race.name == name)
    return lambda size, _seed: run_race(race, database, size, idempotent=idempotent)


def _migrate(database: str, size: int, _seed: int) -> Found:
    return migrate_together(database, size)
