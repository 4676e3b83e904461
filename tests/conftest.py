"""What every test of the desk starts from: a real database file, a desk opened on it, and people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import assent
import pytest
from fakes import Till, staff


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database that does not exist yet."""
    return f"sqlite:///{tmp_path}/desk.db"


@pytest.fixture
def till() -> Till:
    """Tools that write down what they did."""
    return Till()


@pytest.fixture
async def opened(url: str) -> AsyncIterator[assent.Desk]:
    """A desk with people, on a real file."""
    async with assent.open(url) as desk:
        await staff(desk)
        yield desk
