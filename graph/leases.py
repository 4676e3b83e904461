"""The lease on a thread: one process at a time drives it; whoever lost it can no longer change what it claimed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar

from .clock import Clock, fresh_id
from .errors import StoreError, ThreadBusy
from .store import threads
from .store.session import Store

RENEW_SECONDS = threads.LEASE.total_seconds() / 3

_held: ContextVar[tuple[str, str] | None] = ContextVar("assent_lease", default=None)


@asynccontextmanager
async def lease(store: Store, thread: str, clock: Clock, patience: float = 0.0) -> AsyncIterator[str]:
    """Hold the lease of a thread, renewed while held; reuse the one this task holds already.

    Waits up to `patience` seconds for another holder; raises ThreadBusy after that.
    """
    mine = _held.get()
    if mine is not None and mine[0] == thread:
        yield mine[1]
        return
    owner = fresh_id("lease")
    await _acquire(store, thread, owner, clock, patience)
    token = _held.set((thread, owner))
    renewal = asyncio.create_task(_renew(store, thread, owner, clock))
    try:
        yield owner
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        _held.reset(token)
        async with store.begin() as tx:
            await threads.release(tx, thread, owner)


async def _acquire(store: Store, thread: str, owner: str, clock: Clock, patience: float) -> None:
    waited = 0.0
    while True:
        async with store.begin() as tx:
            if await threads.acquire(tx, thread, owner, clock()):
                return
        if waited >= patience:
            raise ThreadBusy
        await asyncio.sleep(0.05)
        waited += 0.05


async def _renew(store: Store, thread: str, owner: str, clock: Clock) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(StoreError):  # tried again at the next beat; a lost lease is caught by the fence
            async with store.begin() as tx:
                if not await threads.held(tx, thread, owner, clock()):
                    return
                await threads.acquire(tx, thread, owner, clock())
