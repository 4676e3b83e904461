"""What was run so far, kept in a file between two calls of `make faults`."""

from __future__ import annotations

import json
import platform
import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("langgraph", "langgraph-checkpoint-sqlite", "langgraph-checkpoint-postgres", "sqlmodel", "sqlalchemy", "psycopg")


@dataclass(slots=True)
class Tally:
    """What came of a cell."""

    runs: int = 0
    unknown: int = 0
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Batches that ended in an error of their own."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.twice or self.without or self.broken)


@dataclass(slots=True)
class State:
    """All tallies, on which code and with which versions."""

    path: Path
    digest: str
    wanted: int
    began: str
    versions: dict[str, str]
    ended: str = ""
    tallies: dict[str, Tally] = field(default_factory=dict)

    def of(self, key: str) -> Tally:
        """Return the tally of a cell."""
        return self.tallies.setdefault(key, Tally())

    def save(self) -> None:
        """Write everything down, at once or not at all."""
        self.ended = _now()
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({**asdict(self), "path": ""}, indent=1), "utf-8")
        fresh.replace(self.path)


def load(path: Path, digest: str, wanted: int) -> State:
    """Return what is known for this code; nothing if the code has changed since."""
    if path.exists():
        found = json.loads(path.read_text("utf-8"))
        if found["digest"] == digest:
            tallies = {key: Tally(**tally) for key, tally in found["tallies"].items()}
            return State(path, digest, wanted, found["began"], versions(), found["ended"], tallies)
    return State(path, digest, wanted, _now(), versions())


def versions() -> dict[str, str]:
    """Return what this was run on."""
    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version, "PostgreSQL": _postgresql()}
    return found | {name: version(name) for name in PACKAGES}


def _postgresql() -> str:
    import postgres
    import psycopg

    with psycopg.connect(postgres.server()) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="minutes")
