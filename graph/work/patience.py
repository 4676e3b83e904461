"""Writing that must not be lost because the database was away for a moment: done again until it gets through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import SchemaTooNew, StoreError

T = TypeVar("T")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0


async def patiently(work: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Do `work`, and again after a StoreError, for `seconds`; then the error is raised.

    `work` may have got through although it failed, when the answer to its commit was lost: it has to bear being done twice.
    """
    loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
    end = loop.time() + seconds
    while True:
        try:
            return await work()
        except SchemaTooNew:
            raise
        except StoreError:
            if loop.time() + pause > end:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
