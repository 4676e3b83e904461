"""How long a case stands still when the worker at work on it is killed: `python -m bench.rescue`, with the default settings."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import assent
from langchain_core.messages import AIMessage

from .databases import KINDS, databases

_fork = multiprocessing.get_context("fork")


def main() -> None:
    """Kill a worker in the middle of a tool, again and again; print how long it took until another one went on."""
    parser = argparse.ArgumentParser(prog="python -m bench.rescue", description=__doc__)
    parser.add_argument("-n", type=int, default=3, help="kills on each database")
    options = parser.parse_args()
    with databases() as made:
        for kind in KINDS:
            seconds = sorted(_once(made.fresh(kind), made.folder / f"{kind}{index}") for index in range(options.n))
            print(f"{kind:11} kill -9 to resumed: {seconds[0]:.1f} to {seconds[-1]:.1f} s in {options.n} kills")


def _once(url: str, mark: Path) -> float:
    """Return the seconds between the kill and the moment another worker had the case in hand."""
    _run(_asked, url)
    victim = _start(_work, url, str(mark))
    while not mark.exists():
        time.sleep(0.02)
    other = _start(_work, url, str(mark) + ".other")
    time.sleep(3.0)  # the other one is at work, and idle, when the first one dies
    os.kill(victim.pid or 0, signal.SIGKILL)
    killed = time.monotonic()
    try:
        while not Path(str(mark) + ".other").exists():
            time.sleep(0.05)
        return time.monotonic() - killed
    finally:
        other.kill()
        victim.join()
        other.join()


def _start(work: Callable[..., Any], *args: str) -> Any:
    process = _fork.Process(target=lambda: asyncio.run(work(*args)))
    process.start()
    return process


def _run(work: Callable[..., Any], *args: str) -> None:
    process = _start(work, *args)
    process.join()


def _serve(desk: assent.Desk, mark: str = "") -> None:
    @assent.action(consequence="costly", idempotent=True)
    async def pay(to: str) -> str:
        """Pay somebody; takes for ever."""
        Path(mark).touch()  # noqa: ASYNC240 - once
        await asyncio.sleep(3600)
        return "paid"

    async def propose(step: Any, **_: Any) -> AIMessage:
        return AIMessage("", tool_calls=[{"name": "pay", "args": {"to": "x"}, "id": "c"}])

    desk.agent(tools=[pay], policy=assent.Policy(()), propose=propose)


async def _asked(url: str) -> None:
    async with assent.open(url) as desk:
        if await desk.users.get("ada") is None:
            await desk.users.add("ada", role="operator")
        _serve(desk)
        await desk.send("t1", "Pay.", requester="carol")
        await desk.drain()
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, {"type": "approve", "digest": card.digest}, "ada")


async def _work(url: str, mark: str) -> None:
    async with assent.open(url) as desk:
        _serve(desk, mark)
        await desk.worker.run()


if __name__ == "__main__":
    main()
