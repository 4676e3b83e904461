"""Writes `docs/faults.md` from `page.md` and what was really run: how often, on what, and what came of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from cells import Cell
from state import State, Tally

PAGE = Path(__file__).with_name("page.md")
"""The page without its numbers; the catalogue is written there by hand, and a test checks that the tests it names exist."""


def page(known: State, cells: Sequence[Cell]) -> str:
    """Return the whole page."""
    text = PAGE.read_text("utf-8")
    return text.replace("{measured}", _measured(known).rstrip()).replace("{tables}", _tables(known, cells).strip("\n") + "\n")


def summary(known: State) -> str:
    """Return the sums in a line."""
    tallies = known.tallies.values()
    runs = sum(tally.runs for tally in tallies)
    found = {name: sum(len(getattr(tally, name)) for tally in tallies) for name in ("lost", "twice", "without", "broken")}
    return (
        f"{runs:,} runs: {found['lost']} lost, {found['twice']} twice, {found['without']} without assent, {found['broken']} broken"
    )


def _measured(known: State) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in known.versions.items())
    hours = sum(tally.seconds for tally in known.tallies.values()) / 3600
    when = f"Run with `make faults` from {known.began} to {known.ended or 'now'}, {hours:.1f} hours of batches"
    where = f"on {os.cpu_count()} cores ({platform.machine()}, {platform.system()})"
    return f"## Measured\n\n**{summary(known)}.** {when} {where}. {versions}. Code {known.digest[:12]}.\n"


TITLES = {
    "crash": ("Kills", "killed at", "kills"),
    "race": ("Races", "raced", "races"),
    "migration": ("Migrations", "raced", "databases"),
    "walk": ("Walks", "walked", "walks"),
    "restart": ("Restarts of the database", "decided", "decisions"),
}


def _tables(known: State, cells: Sequence[Cell]) -> str:
    parts = []
    for group, (title, verb, unit) in TITLES.items():
        rows = [cell for cell in cells if cell.group == group]
        names = list(dict.fromkeys(cell.name for cell in rows))
        parts.append(
            f"\n### {title}\n\n| {verb} | {unit} on SQLite | {unit} on PostgreSQL | lost | twice | without assent | person asked |"
            "\n|---|---|---|---|---|---|---|\n" + "".join(_row(known, name, rows) for name in names)
        )
        parts.append(f'\nOne of these alone: `python tests/faults/run.py --only "{names[0]}"`.\n')
    return "".join(parts)


def _row(known: State, name: str, cells: Sequence[Cell]) -> str:
    def of(database: str | None = None) -> list[Tally]:
        return [known.of(cell.key) for cell in cells if cell.name == name and database in (None, cell.database)]

    shown = f"`{name}`" if cells[0].group == "crash" and name != "anywhere" else name
    runs = [str(sum(tally.runs for tally in of(database))) for database in ("sqlite", "postgresql")]
    sums = [str(sum(len(getattr(tally, kind)) for tally in of())) for kind in ("lost", "twice", "without")]
    broken = sum(len(tally.broken) for tally in of())
    asked = str(sum(tally.unknown for tally in of())) + (f" ({broken} batches ended in an error)" if broken else "")
    return "| " + " | ".join([shown, *runs, *sums, asked]) + " |\n"
