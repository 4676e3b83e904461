"""Deadlines: an answer is waited for no longer than was said, and never for the clean-up of what is late; it retries nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

CLEAN_UP_SECONDS = 1.0
"""How long what was stopped at its deadline may still say how it ended."""

T = TypeVar("T")


class TooSlow(Exception):
    """No answer came in time; `running` tells whether what was asked ignored that it was stopped."""

    def __init__(self, seconds: float, *, running: bool) -> None:
        self.seconds, self.running = seconds, running
        super().__init__(f"no answer within {seconds:g} s")


class StoppedItself(Exception):
    """It cancelled itself instead of answering."""


async def within(seconds: float | None, answer: Awaitable[T], *, clean_up: float = CLEAN_UP_SECONDS) -> T:
    """Return the answer, or raise TooSlow after `seconds` (None: no deadline); a cancelled answer raises StoppedItself.

    What is late is cancelled and has `clean_up` seconds to end; an answer it gives meanwhile counts, because it is what happened.
    """
    task = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        late = not done
        if late:
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=clean_up)
    finally:
        task.cancel()
    if not done:
        task.add_done_callback(_forget)
        raise TooSlow(seconds or 0.0, running=True)
    if not task.cancelled():
        return task.result()
    if late:
        raise TooSlow(seconds or 0.0, running=False)
    raise StoppedItself("it cancelled itself")


def _forget(task: asyncio.Future[Any]) -> None:
    """Take note of how a task ended that nobody waits for any more, so that the event loop does not report it."""
    if not task.cancelled():
        task.exception()
