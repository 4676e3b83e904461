"""What a perfect reviewer would have made of recorded runs: with rejecting only, and with editing; an upper limit, not a forecast.

A run is right when its final data are. Rejecting keeps wrong writes out, but what should have been written is still missing;
an edit puts it in. Runs that never proposed a needed write cannot be repaired either way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .lines import Row, read_lines
from .writes import FILE as WRITES

FILE = "tau_runs.jsonl"


@dataclass(frozen=True, slots=True)
class Editing:
    """How many runs of a domain end right."""

    domain: str
    runs: int
    unreviewed: float
    rejecting: float
    editing: float

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def read_editing(folder: Path) -> list[Editing]:
    """Return the gain per domain and over all, from the runs and the reviewer's decision on each of their writes."""
    runs = read_lines(folder / FILE, ("domain", "db_correct", "missing_gold", "writes"))
    writes = {str(row["id"]): row for row in read_lines(folder / WRITES, ("id", "oracle"))}
    domains = sorted({str(run["domain"]) for run in runs})
    held = [(domain, [run for run in runs if run["domain"] == domain]) for domain in domains]
    return [_editing(domain, some, writes) for domain, some in [*held, ("all", runs)] if some]


def _editing(domain: str, runs: Sequence[Row], writes: Mapping[str, Row]) -> Editing:
    right = [bool(run["db_correct"]) for run in runs]
    rejected = [done or run["missing_gold"] <= 0 for run, done in zip(runs, right, strict=True)]
    edited = [done or run["missing_gold"] <= _edits(run, writes) for run, done in zip(runs, right, strict=True)]
    return Editing(domain, len(runs), _share(right), _share(rejected), _share(edited))


def _edits(run: Row, writes: Mapping[str, Row]) -> int:
    """Return how many different right writes the reviewer's edits put in; the same edit twice repairs once."""
    oracles = [writes[str(name)]["oracle"] for name in run["writes"] if str(name) in writes]
    return len({json.dumps(one["edit"], sort_keys=True) for one in oracles if one.get("decision") == "edit"})


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
