"""What the queue costs with a thousand, a hundred thousand and a million pending reviews: `python -m bench.queue`."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import assent
from assent.graph.authority.limits import Limits

from .databases import KINDS, databases
from .loading import load
from .plans import offences, watched
from .report import machine_line
from .taking import CLIENTS, race

SIZES = (1_000, 100_000, 1_000_000)
PAGE = 50
TARGET = 1.5
LEAD = 600
"""Cards at the head of the queue that the doors work on; more than one run decides."""

Door = Callable[[], Awaitable[Any]]
Times = dict[tuple[str, int], list[float]]
"""Milliseconds by what was done and how much waited."""


def main() -> None:
    """Read the command line, measure, print; exits with 1 when a card was taken twice or a plan reads a whole table."""
    options = _options()
    bad = False
    with databases(tuple(options.databases), options.folder) as made:
        for kind in options.databases:
            urls = {}
            for size in options.sizes:
                _say(f"{kind}: loading {size:,} pending reviews")
                start = time.perf_counter()
                urls[size] = made.fresh(kind)
                load(urls[size], size, operators=CLIENTS)
                _say(f"{kind}: {size:,} loaded in {time.perf_counter() - start:.0f} s")
            times, faults = asyncio.run(_measured(kind, urls, options.rounds))
            largest = max(options.sizes)
            _say(f"{kind}: {CLIENTS} processes take cards of {largest:,} at once")
            raced = race(urls[largest], options.cards)
            bad = bad or bool(faults) or raced.twice > 0
            print(as_table(kind, options.sizes, times))
            print(f"{CLIENTS} processes at once, {largest:,} pending: {raced.line()}")
            print("\n".join(f"PLAN {fault}" for fault in faults) or "no plan scans or sorts a table that grows", end="\n\n")
            if options.json:
                print(json.dumps({f"{kind} {name} {size}": values for (name, size), values in times.items()}), file=sys.stderr)
            for url in urls.values():
                made.drop(url)
    print(f"{options.rounds} rounds, sizes in turns; {datetime.now(UTC):%d %B %Y}; {machine_line()}")
    sys.exit(int(bad))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="pending reviews; the first is the yardstick")
    parser.add_argument("--rounds", type=int, default=60, help="how often each thing is done at each size (default 60)")
    parser.add_argument("--cards", type=int, default=20, help=f"cards each of the {CLIENTS} processes takes (default 20)")
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--json", action="store_true", help="also print every time, in milliseconds, to standard error")
    parser.add_argument("--folder", type=Path, help="where the databases are made and removed (default: temporary files)")
    return parser.parse_args()


async def _measured(kind: str, urls: dict[int, str], rounds: int) -> tuple[Times, list[str]]:
    times: Times = {}
    faults: list[str] = []
    async with AsyncExitStack() as stack:
        limits = Limits(queue=10_000_000)
        desks = {size: await stack.enter_async_context(assent.open(url, limits=limits)) for size, url in urls.items()}
        cards = {size: await _cards(desk) for size, desk in desks.items()}
        for size, desk in desks.items():
            faults += await _planned(desk, urls[size], cards[size]) if size >= PLANNED_FROM else []
            for door in _doors(desk, cards[size]).values():
                for _ in range(3):
                    await door()
        await _timed(kind, {size: _doors(desk, cards[size]) for size, desk in desks.items()}, rounds, times)
        await _timed(kind, {size: _searching(desk) for size, desk in desks.items()}, max(2, rounds // 4), times)
    return times, faults


async def _timed(kind: str, doors: dict[int, dict[str, Door]], rounds: int, times: Times) -> None:
    """Try every door at every size in turns, in shuffled order, so that a busy machine hits all alike."""
    order = random.Random(0)
    for number in range(rounds):
        if number % 10 == 0:
            _say(f"{kind}: round {number + 1} of {rounds}")
        for size in order.sample(list(doors), len(doors)):
            for name, door in doors[size].items():
                start = time.perf_counter()
                await door()
                times.setdefault((name, size), []).append((time.perf_counter() - start) * 1e3)


PLANNED_FROM = 20_000
"""Below, a database rightly reads a table as a whole."""


async def _cards(desk: assent.Desk) -> list[Any]:
    """Return cards from the head of the queue, last first, so that each can be popped."""
    return (await desk.pending("op0", limit=LEAD))[::-1]


def _doors(desk: assent.Desk, cards: list[Any]) -> dict[str, Door]:
    async def decide() -> None:
        card = cards.pop()
        await desk.decide(card.id, assent.Approve(digest=card.digest), "op0")

    async def take() -> None:
        await desk.take(cards[-1].id, "op0")

    return {
        f"list {PAGE}": lambda: desk.pending("op0", limit=PAGE),
        f"list {PAGE} of mine": lambda: desk.pending("op0", limit=PAGE, mine=True),
        "take a card": take,
        "decide": decide,
        "count, to 1,000": lambda: desk.count_pending("op0"),
        "history": lambda: desk.history("op0", limit=PAGE),
    }


def _searching(desk: assent.Desk) -> dict[str, Door]:
    """Return what reads much on purpose; measured apart, because it pushes everything else out of the caches."""
    return {"search, in 5,000": lambda: desk.pending("op0", limit=PAGE, search="nowhere")}


async def _planned(desk: assent.Desk, url: str, cards: list[Any]) -> list[str]:
    found = []
    for name, door in _doors(desk, cards).items():
        with watched() as asked:
            await door()
        found += [f"{name}: {fault}" for fault in offences(url, asked)]
    return found


def as_table(kind: str, sizes: Sequence[int], times: Times) -> str:
    """Return p50 and p95 in milliseconds by size, and the p50 of each size as a multiple of the first."""
    names = list(dict.fromkeys(name for name, _ in times))
    lines = [f"{kind:<18}" + "".join(f"{size:>20,}" for size in sizes) + f"{'ratios of p50':>22}", f"{'p50 / p95, ms':<18}"]
    for name in names:
        cells = [(median(times[name, size]), quantiles(times[name, size], n=20)[-1]) for size in sizes]
        ratios = " ".join(f"{p50 / cells[0][0]:.2f}" for p50, _ in cells[1:])
        lines.append(f"{name:<18}" + "".join(f"{f'{p50:.2f} / {p95:.2f}':>20}" for p50, p95 in cells) + f"{ratios:>22}")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
