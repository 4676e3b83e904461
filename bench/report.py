"""What was measured, as a table for people and as JSON for machines; it judges nothing."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from statistics import median
from typing import Any

PACKAGES = ("langgraph", "langgraph-checkpoint-sqlite", "langchain-core", "sqlalchemy", "aiosqlite")


@dataclass(slots=True)
class Measured:
    """One side's figures; every list has one entry per round or per counted cycle."""

    name: str
    pause_cpu_ms: list[float] = field(default_factory=list)
    """Processor time of a pause: the median of each round's cycles."""
    resume_cpu_ms: list[float] = field(default_factory=list)
    cycle_cpu_ms: list[float] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    """Function calls of a cycle in all threads."""
    loop_calls: list[int] = field(default_factory=list)
    """Those of them in the event loop's thread."""
    pause_commits: list[int] = field(default_factory=list)
    resume_commits: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    """Pages that a cycle writes to the log."""
    pending_bytes: float = 0.0
    """By how much one pending run lets the database grow."""
    cycles: int = 0
    """Cycles run in all, warm-up and counting included."""
    tool_runs: int = 0
    """How often the tool ran in them."""
    modules: dict[str, float] = field(default_factory=dict)
    """Function calls of a cycle by module, most first."""


def machine() -> dict[str, Any]:
    """Return what the figures were taken on."""
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in PACKAGES},
    }


def machine_line() -> str:
    """Return the machine in one line."""
    return ", ".join(f"{name} {value}" for name, value in machine().items())


def as_json(reference: Measured, ours: Measured, settings: dict[str, int]) -> str:
    """Return everything as JSON."""
    return json.dumps({"machine": machine(), "settings": settings, "measured": [asdict(reference), asdict(ours)]}, indent=2)


def table(reference: Measured, ours: Measured) -> str:
    """Return the table: a line per figure, both sides and their ratio; ranges are lowest to highest."""
    lines: list[Line] = [("per pause + resume cycle", reference.name, ours.name, f"{ours.name} / {reference.name}")]
    for label, of in (
        ("CPU, ms", lambda one: one.cycle_cpu_ms),
        ("  pause", lambda one: one.pause_cpu_ms),
        ("  resume", lambda one: one.resume_cpu_ms),
    ):
        lines.append(_line(label, of, reference, ours, "{:.1f}".format))
    for label, of in (
        ("function calls", lambda one: one.calls),
        ("  on the event loop", lambda one: one.loop_calls),
        ("durable commits", lambda one: _sums(one.pause_commits, one.resume_commits)),
        ("  pause", lambda one: one.pause_commits),
        ("  resume", lambda one: one.resume_commits),
        ("pages written", lambda one: one.pages),
        ("bytes per pending run", lambda one: [one.pending_bytes]),
    ):
        lines.append(_line(label, of, reference, ours, "{:,.0f}".format))
    runs = (f"{one.tool_runs / one.cycles:.2f}" for one in (reference, ours))
    lines.append(("tool runs", *runs, ""))
    return "\n".join(_aligned(lines))


def modules(one: Measured, most: int = 25) -> str:
    """Return where the function calls of a cycle are made, most first."""
    total = sum(one.modules.values())
    rows = [(name, f"{count:,.0f}", f"{count / total:.1%}", "") for name, count in list(one.modules.items())[:most] if count]
    return "\n".join(_aligned([(f"calls per cycle of {one.name}", "calls", "share", ""), *rows]))


Figures = Callable[[Measured], Sequence[float]]
Line = tuple[str, ...]


def _sums(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(first, second, strict=True)]


def _line(label: str, of: Figures, reference: Measured, ours: Measured, shown: Callable[[float], str]) -> Line:
    ratios = [mine / theirs for mine, theirs in zip(of(ours), of(reference), strict=True)]
    return label, _range(of(reference), shown), _range(of(ours), shown), _range(ratios, "{:.2f}".format)


def _range(values: Sequence[float], shown: Callable[[float], str]) -> str:
    low, middle, high = shown(min(values)), shown(median(values)), shown(max(values))
    return middle if low == high else f"{middle} ({low}-{high})"


def _aligned(lines: Sequence[Line]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
