"""Real processes for the fault tests: forked after the imports, each with an event loop, a desk and connections of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import assent
from assent.graph import agent as _agent  # noqa: F401 - loaded before the fork, so that children start at once
from assent.graph import desk as _desk  # noqa: F401
from assent.graph.authority.ledger import Claimed
from assent.graph.opening import open_desk
from assent.tools.declaration import ActionTool
from fakes import SAFE, Bank, Script, calls, later_clock, on_thread, staff

N = int(os.environ.get("ASSENT_FAULTS_N", "2"))
"""How often each race is run."""

FORKED = "ignore:.*use of fork.*:DeprecationWarning"
"""What newer Pythons say of a fork beside threads; no test here has threads before it forks."""

_fork = multiprocessing.get_context("fork")

POINTS = ("propose", "record", "decide", "claim", "effect", "result")
"""Where a process is killed: right after the model proposed, the action was recorded, the decision was committed, the execution
was claimed, the tool had its effect, the result was recorded."""


def die() -> None:
    """Kill this process as the kernel would: no clean-up, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def start(work: Callable[..., Awaitable[None]], *args: Any) -> Any:
    """Run a coroutine function in a process of its own; what it raises is printed and makes it exit with 1."""

    def main() -> None:
        code = 0
        try:
            asyncio.run(work(*args))
        except BaseException:
            traceback.print_exc()
            code = 1
        os._exit(code)

    process = _fork.Process(target=main)
    process.start()
    return process


def run(processes: Sequence[Any], seconds: float = 60) -> list[int | None]:
    """Wait for processes; returns their exit codes, -9 for a killed one, and fails on one that hangs."""
    for process in processes:
        process.join(seconds)
    hung = [process for process in processes if process.is_alive()]
    for process in hung:
        process.kill()
        process.join()
    assert not hung, "a process hung"
    return [process.exitcode for process in processes]


def one(work: Callable[..., Awaitable[None]], *args: Any) -> int | None:
    """Run one process to its end; returns its exit code."""
    return run([start(work, *args)])[0]


def together(work: Callable[..., Awaitable[None]], many: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run one process for each tuple of arguments, to which a pipe for its answer is added; returns the answers."""
    pipes = [_fork.Pipe(duplex=False) for _ in many]
    processes = [start(work, *args, there) for args, (_, there) in zip(many, pipes, strict=True)]
    answers = []
    for here, there in pipes:
        there.close()
        with suppress(EOFError):
            answers.append(here.recv() if here.poll(600) else None)
        here.close()
    assert run(processes) == [0] * len(many), f"{work.__name__} failed"
    return answers


def asking(work: Callable[..., Awaitable[None]], *args: Any) -> Any:
    """Run one process whose last argument is where it sends its answer; returns the answer."""
    return together(work, [args])[0]


def event() -> Any:
    """Return an event between processes."""
    return _fork.Event()


def barrier(parties: int) -> Any:
    """Return a barrier between processes."""
    return _fork.Barrier(parties)


def bank_tool(bank: Bank, *, idempotent: bool, after: Callable[[], None] = lambda: None) -> ActionTool:
    """Return a payment on a real file; `after` is called when the money has moved."""

    async def take_back(to: str, amount: int) -> str:
        bank.refund(to, amount)
        return f"took {amount} back from {to}"

    @assent.action(consequence="costly", idempotent=idempotent, undo=take_back)
    async def pay(to: str, amount: int, case: assent.Case) -> str:
        """Pay somebody."""
        bank.pay(case.idempotency_key, to, amount)
        after()
        return f"paid {amount} to {to}"

    return pay


def serve(desk: assent.Desk, tool: ActionTool, *lines: Any) -> Any:
    """Return the one agent of these tests."""
    return desk.agent(tools=[tool], policy=SAFE, propose=Script(*lines))


def kill_after(desk: assent.Desk, point: str) -> None:
    """Make this process die at a point, by wrapping the doors of its own desk."""
    ledger = desk._ledger

    def wrapped(name: str, dies: Callable[[Any], bool] = lambda _: True) -> None:
        inner = getattr(ledger, name)

        async def door(*args: Any, **kwargs: Any) -> Any:
            found = await inner(*args, **kwargs)
            if dies(found):
                die()
            return found

        setattr(ledger, name, door)

    match point:
        case "record":
            wrapped("record")
        case "claim":
            wrapped("claim", lambda found: isinstance(found, Claimed))
        case "result":
            wrapped("finish")


async def ask(url: str, bank: Bank, idempotent: bool = False, threads: Sequence[str] = ("t1",), count: int = 1) -> None:
    """Let an agent ask for payments and leave them waiting."""
    async with open_desk(url) as desk:
        await staff(desk)
        wanted = [("pay", {"to": f"payee{index}", "amount": 5}) for index in range(count)]
        agent = serve(desk, bank_tool(bank, idempotent=idempotent), *[calls(*wanted) for _ in threads])
        for thread in threads:
            await agent.ainvoke({"messages": [("user", "Pay.")]}, on_thread(thread))


async def look(url: str, found: Any) -> None:
    """Send what the desk shows ten minutes later."""
    async with open_desk(url, clock=later_clock(600)) as desk:
        found.send(
            {
                "pending": [card.id for card in await desk.pending("lee")],
                "tasks": [(task.kind, task.action) for task in await desk.tasks("lee")],
                "history": [(line.decision, line.who, line.outcome) for line in await desk.history("lee")],
            }
        )


def seen(url: str) -> dict[str, Any]:
    """Return what the desk shows, read by a fresh process."""
    here, there = _fork.Pipe(duplex=False)
    assert one(look, url, there) == 0
    shown: dict[str, Any] = here.recv()
    here.close()
    there.close()
    return shown


def fresh(folder: Path, name: str) -> tuple[str, Bank]:
    """Return a database that does not exist yet, and a bank."""
    return f"sqlite:///{folder}/{name}.db", Bank(folder / f"{name}.bank")
