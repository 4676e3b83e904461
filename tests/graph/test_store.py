"""The store: a transaction is whole or not at all, readers see one moment, and a busy database is said, not guessed at."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from datetime import datetime, timedelta

import pytest
from assent.graph.clock import utc_now
from assent.graph.errors import StoreError
from assent.graph.store import migrate, session, threads, users, wakes
from assent.graph.store.columns import Moment
from assent.graph.store.models import ThreadRow
from assent.graph.store.people_models import UserRow
from assent.graph.store.session import Store
from fakes import NOON


@pytest.fixture
async def store(url):
    opened = Store(url)
    await migrate.upgrade(opened.url)
    yield opened
    await opened.close()


def person(name):
    return UserRow(name=name, tenant="main", role="viewer", created_at=NOON)


def case(name="t1", **fields):
    return ThreadRow(id=name, tenant="main", agent="assent", requester="carol", created_at=NOON, **fields)


async def test_what_fails_halfway_never_was(store):
    with pytest.raises(RuntimeError):
        async with store.begin() as tx:
            await users.put(tx, person("a"))
            raise RuntimeError
    async with store.read() as tx:
        assert await users.get(tx, "a") is None


async def test_a_reader_sees_one_moment_and_writes_nothing(store):
    async with store.read() as seen:
        assert await users.get(seen, "a") is None
        async with store.begin() as tx:
            await users.put(tx, person("a"))
        assert list(await users.every(seen)) == []
        seen.add(person("b"))
    async with store.read() as tx:
        assert [row.name for row in await users.every(tx)] == ["a"]


async def test_what_was_read_stays_readable(store):
    async with store.begin() as tx:
        await users.put(tx, person("a"))
    async with store.read() as tx:
        row = await users.get(tx, "a")
    assert row.role == "viewer" and row.created_at == NOON


async def test_many_writers_of_two_stores_take_turns(store, url):
    other = Store(url)

    async def write(which, index):
        async with which.begin() as tx:
            assert await users.get(tx, f"u{index}") is None
            await asyncio.sleep(0)
            await users.put(tx, person(f"u{index}"))

    await asyncio.gather(*(write(which, f"{name}{index}") for name, which in (("a", store), ("b", other)) for index in range(20)))
    async with store.read() as tx:
        assert len(await users.every(tx)) == 40
    await other.close()


async def test_closing_lets_what_runs_end_and_what_comes_late_is_written_and_no_connection_stays_open(any_url):
    before = set(threading.enumerate())
    opened = Store(any_url)
    await migrate.upgrade(opened.url)
    inside, go = asyncio.Event(), asyncio.Event()

    async def slow():
        async with opened.begin() as tx:
            await users.put(tx, person("a"))
            inside.set()
            await go.wait()

    task = asyncio.create_task(slow())
    await inside.wait()
    closing = asyncio.create_task(opened.close())
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(closing, task)
    async with opened.begin() as tx:
        await users.put(tx, person("late"))
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive() or not thread.daemon, "a connection was left open"
    again = Store(any_url)
    async with again.read() as tx:
        assert [row.name for row in await users.every(tx)] == ["a", "late"]
    await again.close()


async def test_a_writer_that_is_cancelled_leaves_nothing_locked(store):
    async def stuck():
        async with store.begin() as tx:
            await users.put(tx, person("a"))
            await asyncio.sleep(60)

    task = asyncio.create_task(stuck())
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with store.begin() as tx:
        assert await users.get(tx, "a") is None


async def test_a_database_that_stays_busy_is_said_and_nothing_is_lost(url, monkeypatch):
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 200)
    store = Store(url)
    await migrate.upgrade(store.url)
    blocker = sqlite3.connect(store.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy"):
        async with store.begin() as tx:
            await users.put(tx, person("a"))
    async with store.read() as tx:
        assert await users.get(tx, "a") is None
    blocker.execute("ROLLBACK")
    blocker.close()
    async with store.begin() as tx:
        await users.put(tx, person("a"))
    await store.close()


async def test_a_writer_waits_for_a_slow_one(store):
    released = threading.Event()

    def hold():
        blocker = sqlite3.connect(store.path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        released.set()
        time.sleep(1.5)
        blocker.execute("ROLLBACK")
        blocker.close()

    holder = threading.Thread(target=hold)
    holder.start()
    await asyncio.to_thread(released.wait)
    async with store.begin() as tx:
        await users.put(tx, person("a"))
    holder.join()
    async with store.read() as tx:
        assert await users.get(tx, "a") is not None


async def test_the_database_is_safe_against_a_power_cut(store):
    async with store.begin() as tx:
        connection = await tx.connection()
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


async def test_a_lease_is_held_by_one_and_runs_out(store):
    soon, later = NOON + timedelta(seconds=30), NOON + threads.LEASE + timedelta(seconds=1)
    async with store.begin() as tx:
        await threads.ensure(tx, case())
        assert await threads.acquire(tx, "t1", "a", NOON)
        assert not await threads.acquire(tx, "t1", "b", soon)
        assert await threads.renew(tx, "t1", "a", soon) and not await threads.renew(tx, "t1", "b", soon)
        assert not await threads.acquire(tx, "t1", "b", later), "it was renewed"
    async with store.begin() as tx:
        assert await threads.acquire(tx, "t1", "b", later + threads.LEASE)
        assert not await threads.renew(tx, "t1", "a", later) and not await threads.held(tx, "t1", "a", later)
        await threads.release(tx, "t1", "a")
    async with store.begin() as tx:
        assert await threads.held(tx, "t1", "b", later + threads.LEASE)


async def test_a_lease_that_ran_out_but_nobody_took_is_renewed(store):
    async with store.begin() as tx:
        await threads.ensure(tx, case())
        assert await threads.acquire(tx, "t1", "a", NOON)
    late = NOON + 3 * threads.LEASE
    async with store.begin() as tx:
        assert await threads.renew(tx, "t1", "a", late)
    async with store.begin() as tx:
        assert await threads.held(tx, "t1", "a", late)


async def test_a_wake_up_is_worked_by_one_until_its_lease_runs_out(store):
    async with store.begin() as tx:
        await threads.ensure(tx, case())
        wake = await wakes.add(tx, "t1", "message", NOON)
        await wakes.add(tx, "t1", "message", NOON + timedelta(seconds=5))

    async def take(owner, at, tenant="main", agents=("assent",)):
        async with store.begin() as tx:
            row = await wakes.take(tx, owner, at, tenant, agents)
            return row.id if row else None

    before = NOON - timedelta(seconds=1)
    assert await take("a", before) is None
    assert await take("a", NOON, tenant="rival") is None and await take("a", NOON, agents=("other",)) is None
    assert await take("a", NOON) == wake and await take("b", NOON) is None
    after = NOON + wakes.LEASE + timedelta(seconds=10)
    assert await take("b", after) == wake
    async with store.begin() as tx:
        await wakes.done(tx, wake, "a", after)
    assert await take("c", after + wakes.LEASE * 2) == wake, "only its holder closes it"


def test_a_moment_has_a_zone_and_keeps_its_order():
    column = Moment()
    with pytest.raises(ValueError, match="time zone"):
        column.process_bind_param(datetime(2026, 1, 1), None)
    moments = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(hours=11), utc_now()]
    stored = [column.process_bind_param(moment, None) for moment in moments]
    assert sorted(stored) == [column.process_bind_param(moment, None) for moment in sorted(moments)]
    assert [column.process_result_value(text, None) for text in stored] == moments


async def test_the_queue_is_found_by_its_index(opened, tmp_path):
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        query = (
            "SELECT id FROM reviews WHERE tenant = 'main' AND reviews.status = 'pending' AND reviews.snoozed_until IS NULL "
            "ORDER BY priority DESC, number LIMIT 50"
        )
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    connection.close()
    assert "reviews_queue" in plan and "TEMP B-TREE" not in plan


def test_the_store_is_not_reached_around(tmp_path):
    for url in ("sqlite://", "sqlite:///:memory:", f"sqlite:///{tmp_path}/no/such/folder/desk.db", "mysql://x/y"):
        with pytest.raises(StoreError):
            Store(url)
