"""What every test of the desk starts from: a real database, a desk opened on it, and people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import assent
import pytest
import sqlite_file
from fakes import Till, staff


@pytest.fixture
def new_url(tmp_path: Path) -> str:
    """A SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path}/desk.db"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A SQLite database with this version's tables, of this test's own."""
    return sqlite_file.fresh(tmp_path)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database with this version's tables, of this test's own."""
    import postgres

    with postgres.fresh() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest) -> str:
    """Each of the two databases in turn: what is asserted with it holds on both."""
    found: str = request.getfixturevalue("url" if request.param == "sqlite" else "postgres_url")
    return found


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


@pytest.fixture
async def opened_on_any(any_url: str) -> AsyncIterator[assent.Desk]:
    """A desk with people, on each of the two databases in turn."""
    async with assent.open(any_url) as desk:
        await staff(desk)
        yield desk
