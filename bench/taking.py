"""Processes that take cards at once: nobody may be given a card that somebody else holds; it measures how long a card takes too."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

import assent
from assent.graph import desk as _desk  # noqa: F401 - loaded before the fork, so that children start at once
from assent.graph.errors import HeldByAnother
from assent.graph.opening import open_desk

from .loading import people

CLIENTS = 16

PAGE = 6
"""Cards that a client looks at, as the desk in the browser does."""

PATIENCE = 120.0
"""Seconds all of it may take."""

_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Raced:
    """What the processes were given."""

    taken: int
    twice: int
    """Cards that two processes were given while neither had released them."""
    refused: int
    """How often a process was told that somebody else was faster."""
    p50_ms: float
    ended: int
    """Processes that ended in order."""

    def line(self) -> str:
        """Return it in one line."""
        return (
            f"{self.taken} cards taken, {self.twice} taken twice, {self.refused} times told that another was faster, "
            f"p50 {self.p50_ms:.1f} ms a card, {self.ended} of {CLIENTS} processes ended in order"
        )


def race(url: str, cards: int) -> Raced:
    """Let processes take `cards` each, all from the head of the same queue, and hold them."""
    start = _fork.Barrier(CLIENTS)
    ends = [_fork.Pipe(duplex=False) for _ in range(CLIENTS)]
    processes = [
        _fork.Process(target=_client, args=(url, name, cards, start, end[1]), daemon=True)
        for name, end in zip(people(CLIENTS), ends, strict=True)
    ]
    for process in processes:
        process.start()
    deadline = time.monotonic() + PATIENCE
    found = [end[0].recv() for end in ends if end[0].poll(max(0.0, deadline - time.monotonic()))]
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
    taken = Counter(review for one in found for review in one["taken"])
    times = [spent for one in found for spent in one["times"]]
    return Raced(
        taken=sum(taken.values()),
        twice=sum(count > 1 for count in taken.values()),
        refused=sum(one["refused"] for one in found),
        p50_ms=median(times) if times else 0.0,
        ended=sum(process.exitcode == 0 for process in processes),
    )


def _client(url: str, name: str, cards: int, start: Any, result: Any) -> None:
    found: dict[str, Any] = {"taken": [], "times": [], "refused": 0}
    code = 0
    try:
        asyncio.run(_take(url, name, cards, start, found))
    except BaseException:
        traceback.print_exc()
        code = 1
    result.send(found)
    os._exit(code)


async def _take(url: str, name: str, cards: int, start: Any, found: dict[str, Any]) -> None:
    async with open_desk(url) as desk:
        await asyncio.to_thread(start.wait, PATIENCE)
        while len(found["taken"]) < cards:
            begun = time.perf_counter()
            for card in await desk.pending(name, limit=PAGE, exclude=tuple(found["taken"]), mine=True):
                if await _taken(desk, name, card.id, found):
                    found["times"].append((time.perf_counter() - begun) * 1e3)
                    break


async def _taken(desk: assent.Desk, name: str, review: str, found: dict[str, Any]) -> bool:
    """Take a card unless somebody was faster."""
    try:
        await desk.take(review, name)
    except HeldByAnother:
        found["refused"] += 1
        return False
    found["taken"].append(review)
    return True
