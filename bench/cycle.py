"""One pause and resume of Assent beside stock LangGraph, interleaved in one process: `python -m bench.cycle`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from .counting import Calls, growing_log, used_bytes, written
from .peers import ANSWER, PEERS, Peer
from .report import Measured, as_json, machine_line, modules, table

WARM_UP, COUNTED = 3, 3
"""Cycles before anything is measured; cycles that are counted."""


def main() -> None:
    """Read the command line, measure, print."""
    options = _options()
    os.environ.update(LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false")  # neither side shall report to a server
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        reference, ours = asyncio.run(_measured(Path(folder), options.rounds, options.cycles, options.pending))
    if options.json:
        print(as_json(reference, ours, {name: getattr(options, name) for name in ("rounds", "cycles", "pending")}))
        return
    print(table(reference, ours))
    for one in (reference, ours) if options.modules else ():
        print(f"\n{modules(one)}")
    print(f"\n{options.rounds} rounds of {options.cycles} cycles; {machine_line()}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cycle", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=5, help="rounds; each gives one figure of CPU (default 5)")
    parser.add_argument("--cycles", type=_positive, default=20, help="cycles of each side in a round (default 20)")
    parser.add_argument("--pending", type=_positive, default=40, help="runs left pending to weigh them (default 40)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--modules", action="store_true", help="also print the function calls by module")
    parser.add_argument("--folder", type=Path, help="where the databases are made and removed (default: temporary files)")
    return parser.parse_args()


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("give at least 1")
    return number


async def _measured(folder: Path, rounds: int, cycles: int, pending: int) -> tuple[Measured, Measured]:
    found = {name: Measured(name) for name in PEERS}
    for step in ("times", "counts", "sizes"):
        (folder / step).mkdir()
    await _times(folder / "times", found, rounds, cycles)
    for name in PEERS:
        _say(f"counting calls and commits of {name}")
        await _counts(folder / "counts", name, found[name])
    for name in PEERS:
        _say(f"measuring the size of a pending run of {name}")
        await _size(folder / "sizes", name, found[name], pending)
    return found["LangGraph"], found["Assent"]


async def _times(folder: Path, found: dict[str, Measured], rounds: int, cycles: int) -> None:
    """Run both sides cycle by cycle in shuffled order, so that a busy machine hits both alike."""
    async with AsyncExitStack() as stack:
        peers = {name: await stack.enter_async_context(opened(folder)) for name, opened in PEERS.items()}
        for name, peer in peers.items():
            await _warm(peer, found[name])
        order = random.Random(0)
        for number in range(rounds):
            _say(f"round {number + 1} of {rounds}")
            gc.collect()
            spent: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
            for cycle in range(cycles):
                for name in order.sample(list(peers), len(peers)):
                    spent[name].append(await _timed(peers[name], f"r{number}-{cycle}", found[name]))
            for name, legs in spent.items():
                found[name].pause_cpu_ms.append(median(pause for pause, _ in legs))
                found[name].resume_cpu_ms.append(median(resume for _, resume in legs))
                found[name].cycle_cpu_ms.append(median(pause + resume for pause, resume in legs))


async def _timed(peer: Peer, run: str, into: Measured) -> tuple[float, float]:
    """Return the processor time of a pause and of its resume, in milliseconds, all threads of the process included."""
    start = time.process_time()
    ticket = await peer.pause(run)
    middle = time.process_time()
    await peer.resume(run, ticket)
    end = time.process_time()
    await _check(peer, run, into)
    return (middle - start) * 1e3, (end - middle) * 1e3


async def _counts(folder: Path, name: str, into: Measured) -> None:
    calls = Calls()
    with calls.watching():
        async with PEERS[name](folder) as peer:
            await _warm(peer, into)
            with growing_log(peer.database):
                for cycle in range(COUNTED):
                    await _counted(peer, f"c{cycle}", calls, into)
    per_cycle = Counter({module: count / COUNTED for module, count in calls.by_module().items()})
    into.modules = dict(per_cycle.most_common())


async def _counted(peer: Peer, run: str, calls: Calls, into: Measured) -> None:
    at_first, calls_first, loop_first = written(peer.database), calls.total(), calls.here()
    with calls.counting():
        ticket = await peer.pause(run)
    at_pause = written(peer.database)
    with calls.counting():
        await peer.resume(run, ticket)
    at_end = written(peer.database)
    into.calls.append(calls.total() - calls_first)
    into.loop_calls.append(calls.here() - loop_first)
    into.pause_commits.append((at_pause - at_first).commits)
    into.resume_commits.append((at_end - at_pause).commits)
    into.pages.append((at_end - at_first).pages)
    await _check(peer, run, into)


async def _size(folder: Path, name: str, into: Measured, pending: int) -> None:
    async with PEERS[name](folder) as peer:
        await _warm(peer, into)
        before = used_bytes(peer.database)
        for run in range(pending):
            await peer.pause(f"p{run}")
        into.pending_bytes = (used_bytes(peer.database) - before) / pending


async def _warm(peer: Peer, into: Measured) -> None:
    for cycle in range(WARM_UP):
        await peer.resume(f"w{cycle}", await peer.pause(f"w{cycle}"))
        await _check(peer, f"w{cycle}", into)


async def _check(peer: Peer, run: str, into: Measured) -> None:
    """Note one cycle; figures of a cycle that did not do its work are worth nothing."""
    runs = len(peer.ran)
    peer.ran.clear()
    into.cycles, into.tool_runs = into.cycles + 1, into.tool_runs + runs
    said = await peer.answer(run)
    if runs != 1 or said != ANSWER:
        raise SystemExit(f"{into.name}: the tool ran {runs} times in one cycle, and the stored answer is {said!r}.")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
