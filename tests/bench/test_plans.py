"""What the desk asks all the time is answered from indexes on both databases; how long it takes is for the benchmark to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import assent
import pytest
import sqlalchemy as sa
from assent.bench.loading import load
from assent.bench.plans import offences, watched
from assent.graph.store import migrate, reviews

PENDING = 30_000


@pytest.fixture(params=["sqlite", "postgresql"])
def long_queue(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """The address of a database in which much waits."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/desk.db"
        asyncio.run(migrate.upgrade(sa.make_url(url)))
    else:
        url = request.getfixturevalue("postgres_url")
    load(url, PENDING, operators=2)
    return url


@pytest.fixture
async def opened(long_queue: str) -> AsyncIterator[assent.Desk]:
    """A desk with a long queue."""
    async with assent.open(long_queue) as desk:
        yield desk


async def test_no_door_that_is_used_all_the_time_reads_or_sorts_the_whole_queue(opened: assent.Desk) -> None:
    page = await opened.pending("op0", limit=50)
    card, shown = page[0], tuple(one.id for one in page)
    assert len(page) == 50
    doors: dict[str, Callable[[], Awaitable[Any]]] = {
        "a page": lambda: opened.pending("op0", limit=50),
        "a page of one's own": lambda: opened.pending("op0", limit=50, mine=True),
        "taking a card": lambda: opened.take(page[1].id, "op0"),
        "giving it back": lambda: opened.release(page[1].id, "op0"),
        "the next page": lambda: opened.pending("op0", limit=50, exclude=shown),
        "the count": lambda: opened.count_pending("op0"),
        "a card": lambda: opened.card(card.id, "op0"),
        "a card by its number": lambda: opened.card_by_number(7, "op0"),
        "a decision": lambda: opened.decide(card.id, assent.Approve(digest=card.digest), "op0"),
        "taking it back": lambda: opened.withdraw(card.id, "op0"),
        "history": lambda: opened.history("op0"),
        "tasks": lambda: opened.tasks("op0"),
        "the worker": opened.drain,
        "room in the queue": lambda: _room(opened),
    }
    for name, door in doors.items():
        with watched() as asked:
            await door()
        assert asked or name == "the worker"
        assert (name, offences(opened.store.url.render_as_string(hide_password=False), asked)) == (name, [])


async def _room(desk: assent.Desk) -> None:
    async with desk.store.read() as tx:
        await reviews.crowd(tx, "main", "t1", "c0", (50, 200))


async def test_a_search_reads_its_part_of_the_queue_and_no_more(opened: assent.Desk) -> None:
    async with opened.store.read() as tx:
        with watched() as seen:
            await reviews.pending(tx, "main", 50, search="nowhere")
        asked = [one.sql for one in seen]
        assert [sql.count("LIMIT") for sql in asked] == [2]  # of the part, and of the page
        assert await reviews.pending(tx, "rival", 50, search="refund") == []
        assert len(await reviews.pending(tx, "main", 50, search="refund")) == 50
        if opened.store.is_sqlite:
            async with opened.store.read() as plans:
                found = await plans.connection()
                steps = (await found.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", seen[0].parameters)).all()
            assert str(steps[0][3]) == "SEARCH reviews USING INTEGER PRIMARY KEY (rowid=?)"


async def test_a_plan_that_reads_everything_is_named(opened: assent.Desk) -> None:
    with watched() as asked:
        async with opened.store.read() as tx:
            await tx.scalar(sa.text("SELECT id FROM actions WHERE title <> 'a' ORDER BY description LIMIT 1"))
    found = offences(opened.store.url.render_as_string(hide_password=False), asked)
    assert len(found) == 2 and all("actions" in one for one in found)
