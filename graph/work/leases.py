"""The lease on a thread: one process at a time drives it; whoever lost it can no longer change what it claimed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..clock import Clock, fresh_id
from ..errors import StoreError, ThreadBusy
from ..store import threads
from ..store.session import Store
from .patience import patiently

RENEW_SECONDS = threads.LEASE.total_seconds() / 3

RETRY_SECONDS = 2.0
"""How long taking a lease is tried again when the database is away."""

AWAY_SECONDS = 10.0
"""How long a lease is given back again when the database is away."""

GRACE_SECONDS = 40.0
"""How long a lease that is given up waits for what was started under it."""

T = TypeVar("T")


@dataclass(slots=True)
class Held:
    """A lease that this task and the tasks it started hold; over once it was given back."""

    thread: str
    owner: str
    over: bool = False
    started: set[asyncio.Future[Any]] = field(default_factory=set)


_held: ContextVar[Held | None] = ContextVar("assent_lease", default=None)


@asynccontextmanager
async def lease(store: Store, thread: str, clock: Clock, patience: float = 0.0) -> AsyncIterator[str]:
    """Hold the lease of a thread, renewed while held; reuse the one this task holds already.

    Waits up to `patience` seconds for another holder; raises ThreadBusy after that.
    """
    mine = _held.get()
    if mine is not None and mine.thread == thread and not mine.over:
        yield mine.owner
        return
    held = Held(thread, fresh_id("lease"))
    await _acquire(store, thread, held.owner, clock, patience)
    token = _held.set(held)
    renewal = asyncio.create_task(_renew(store, thread, held.owner, clock))
    try:
        yield held.owner
    finally:
        try:
            await _finished(held)
        finally:
            held.over = True
            renewal.cancel()
            _held.reset(token)
            await _give_back(store, thread, held.owner)


async def _give_back(store: Store, thread: str, owner: str) -> None:
    async def write() -> None:
        async with store.begin() as tx:
            await threads.release(tx, thread, owner)

    with suppress(StoreError):  # it then runs out by itself
        await patiently(write, AWAY_SECONDS)


async def let_finish(work: Coroutine[Any, Any, T]) -> T:
    """Do work that must not be cut off: cancelling the caller does not cancel it, and the lease in hand waits for it."""
    task, held = asyncio.ensure_future(work), _held.get()
    if held is not None:
        held.started.add(task)
        task.add_done_callback(held.started.discard)
    return await asyncio.shield(task)


async def _finished(held: Held) -> None:
    if held.started:
        await asyncio.wait(set(held.started), timeout=GRACE_SECONDS)


async def _acquire(store: Store, thread: str, owner: str, clock: Clock, patience: float) -> None:
    async def write() -> bool:
        async with store.begin() as tx:
            return await threads.acquire(tx, thread, owner, clock())

    waited = 0.0
    while True:
        if await patiently(write, RETRY_SECONDS):  # or a lease whose commit was not answered would be nobody's until it ran out
            return
        if waited >= patience:
            raise ThreadBusy
        await asyncio.sleep(0.05)
        waited += 0.05


async def _renew(store: Store, thread: str, owner: str, clock: Clock) -> None:
    async def write() -> bool:
        async with store.begin() as tx:
            return await threads.renew(tx, thread, owner, clock())

    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(StoreError):  # tried again at the next beat; a lost lease is caught by the fence
            if not await patiently(write, RENEW_SECONDS):
                return
