"""`make faults`: every fault, many times, on both databases, with progress and time left; stopped, it goes on where it was.

What is done is kept in `build/faults.json`, together with a digest of the code it was done on: for other code it starts anew.
At the end, and whenever it is stopped, the table of `docs/faults.md` is written from what was really run.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import state  # noqa: E402 - what follows is found on the path above
import table  # noqa: E402
from cells import Cell, cells  # noqa: E402
from oracle import Found  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: E402

ROOT = HERE.parent.parent
BUILD = ROOT / "build"
BROKEN = 3
"""So many batches of a cell may end in an error before it is left alone."""

_fork = multiprocessing.get_context("fork")


@dataclass(slots=True)
class Running:
    """A batch at work in a process of its own."""

    cell: Cell
    size: int
    process: Any
    pipe: Any
    began: float


def main() -> None:
    """Read the command line, run what is left, write the table; exit 1 if anything was found."""
    options = _options()
    console = Console()
    known = state.load(BUILD / "faults.json", digest(), wanted=options.n)
    chosen = [cell for cell in cells() if not options.only or any(word in cell.key for word in options.only)]
    if any(cell.database == "postgresql" for cell in chosen):
        import postgres

        console.print(f"PostgreSQL: {postgres.template()} on {postgres.server()}")
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(chosen, known, options, console, deadline)
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on from here.")
    (ROOT / "docs" / "faults.md").write_text(table.page(known, cells()), "utf-8")
    bad = [key for key, tally in known.tallies.items() if not tally.clean]
    console.print(table.summary(known))
    for key in bad:
        tally = known.tallies[key]
        console.print(f"[red]{key}[/red]", *(tally.lost + tally.twice + tally.without + tally.broken)[:5], sep="\n  ", markup=False)
    sys.exit(1 if bad else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    n = int(os.environ.get("ASSENT_FAULTS_N", "100"))
    parser.add_argument("-n", type=int, default=n, help="runs of each crash point and kind (ASSENT_FAULTS_N, default 100)")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 2, help="batches at once (default: one a core)")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes; the same command goes on")
    parser.add_argument("--only", nargs="*", help="only cells whose names contain one of these words")
    return parser.parse_args()


def digest() -> str:
    """Return the digest of the code under test and of the tests."""
    files = sorted(path for room in ("graph", "tools") for path in (ROOT / room).rglob("*.py"))
    files += sorted(path for path in HERE.glob("*.py") if path.name != "table.py")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _run(chosen: list[Cell], known: state.State, options: argparse.Namespace, console: Console, deadline: float | None) -> None:
    total = sum(cell.runs(options.n) for cell in chosen)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    running: list[Running] = []
    with Progress(*columns, console=console, auto_refresh=False, speed_estimate_period=600) as progress:
        bar = progress.add_task("faults", total=total, completed=sum(known.of(cell.key).runs for cell in chosen))
        told = time.monotonic()
        try:
            while True:
                late = deadline is not None and time.monotonic() > deadline
                while not late and len(running) < options.lanes and (cell := _next(chosen, known, running, options.n)) is not None:
                    running.append(_start(cell, known, options.n))
                if not running:
                    return
                for done in _finished(running):
                    running.remove(done)
                    _count(done, known)
                    progress.advance(bar, done.size)
                    known.save()
                progress.update(bar, description=" | ".join(one.cell.key for one in running)[:100] or "faults")
                progress.refresh()
                if not console.is_terminal and time.monotonic() - told > 60:
                    told = time.monotonic()
                    console.print(f"{int(progress.tasks[0].completed)} of {total} runs, {table.summary(known)}")
        finally:
            for one in running:
                one.process.kill()
                one.process.join()


def _next(chosen: list[Cell], known: state.State, running: list[Running], n: int) -> Cell | None:
    """Return the cell that is furthest behind, so that whenever we stop all have been run about as often."""
    busy = {one.cell.key for one in running}
    left = [
        cell
        for cell in chosen
        if cell.key not in busy and known.of(cell.key).runs < cell.runs(n) and len(known.of(cell.key).broken) < BROKEN
    ]
    random.Random(0).shuffle(left)  # both databases and both tools from the start, not one after the other
    return min(left, key=lambda cell: known.of(cell.key).runs / cell.runs(n), default=None)


def _start(cell: Cell, known: state.State, n: int) -> Running:
    done = known.of(cell.key).runs
    size = min(cell.size, cell.runs(n) - done)
    here, there = _fork.Pipe(duplex=False)
    process = _fork.Process(target=_batch, args=(cell, size, done, there))
    process.start()
    there.close()
    return Running(cell, size, process, here, time.monotonic())


def _batch(cell: Cell, size: int, seed: int, answer: Any) -> None:
    """Run one batch, with what it prints in the log instead of in the progress display."""
    log = os.open(BUILD / "faults.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        answer.send(cell.batch(size, seed))
    except BaseException as error:
        traceback.print_exc()
        answer.send(f"{type(error).__name__}: {error}"[:300])
    os._exit(0)


def _finished(running: list[Running]) -> list[Running]:
    ready = multiprocessing.connection.wait([one.pipe for one in running], timeout=0.5)
    return [one for one in running if one.pipe in ready]


def _count(done: Running, known: state.State) -> None:
    try:
        found = done.pipe.recv()
    except EOFError:
        found = "the batch's process ended without a word"
    done.pipe.close()
    done.process.join()
    tally = known.of(done.cell.key)
    tally.seconds += time.monotonic() - done.began
    if not isinstance(found, Found):
        tally.broken.append(str(found))
        return
    tally.runs += done.size
    tally.unknown += found.unknown
    for name in ("lost", "twice", "without"):
        getattr(tally, name).extend(getattr(found, name))


if __name__ == "__main__":
    BUILD.mkdir(exist_ok=True)
    main()
