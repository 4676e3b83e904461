"""What tests of the gate start from besides a desk: a clock that is moved by hand, and a model server that says what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import assent
import pytest
from fakes import HandClock, staff
from scripted_model_server import ScriptedServer, scripted_server


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands still until the test moves it."""
    return HandClock()


@pytest.fixture
async def timed(url: str, clock: HandClock) -> AsyncIterator[assent.Desk]:
    """A desk with people and the clock, on a real file."""
    async with assent.open(url, clock=clock) as opened:
        await staff(opened)
        yield opened


@pytest.fixture
async def desk(any_url: str, clock: HandClock) -> AsyncIterator[assent.Desk]:
    """A desk with people and the clock, on each of the two databases in turn."""
    async with assent.open(any_url, clock=clock) as opened:
        await staff(opened)
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A real HTTP server that answers as a model would, with what the test tells it."""
    async with scripted_server() as scripted:
        yield scripted
