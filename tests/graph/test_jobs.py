"""Wake-ups on PostgreSQL are jobs of Procrastinate; whatever becomes of a job, what was decided happens once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import assent
import psycopg
import pytest
import sqlalchemy as sa
from assent.graph.errors import SchemaTooNew, StoreError
from assent.graph.memory import Memory
from assent.graph.store import jobs, migrate, threads, wakes
from assent.graph.work import worker as working
from fakes import NOON, SAFE, Bank, HandClock, Script, approve, asks, calls, on_thread, staff
from processes import bank_tool


def sql(url, statement, *values):
    """Run one statement outside the desk."""
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(statement, values)
        return done.fetchall() if done.description else []


def pay_agent(desk, bank, paid=None, name="assent"):
    """Serve an agent that pays once per message."""
    tool = bank_tool(bank, idempotent=False, after=paid.set if paid is not None else lambda: None)
    lines = [calls(("pay", {"to": "payee0", "amount": 5}))] * 3
    return desk.agent(tools=[tool], policy=SAFE, propose=Script(*lines), name=name)


@asynccontextmanager
async def at_work(desk, **options):
    """Run the desk's worker for as long as the block runs."""
    task = asyncio.create_task(desk.worker.run(**options))
    try:
        yield task
    finally:
        desk.worker.stop()
        with suppress(SchemaTooNew):
            await asyncio.wait_for(task, 20)


async def soon(look):
    """Return what `look` finds as soon as it finds something."""
    async with asyncio.timeout(15):
        while not (found := await look()):  # noqa: ASYNC110 - other processes and the database tell no event
            await asyncio.sleep(0.05)
    return found


async def one_waiting(desk, bank, thread="t1"):
    """Leave one payment waiting; returns its card."""
    await pay_agent(desk, bank).ainvoke(asks(), on_thread(thread))
    (card,) = await desk.pending("ada")
    return card


async def test_a_decision_and_its_job_are_one_transaction(postgres_url, tmp_path):
    async with assent.open(postgres_url) as desk:
        await staff(desk)
        card = await one_waiting(desk, Bank(tmp_path / "bank"))
        before = len(sql(postgres_url, "SELECT id FROM procrastinate_jobs"))
        with pytest.raises(RuntimeError):
            async with desk.store.begin() as tx:
                await wakes.add(tx, "t1", "given up", desk.clock())
                raise RuntimeError
        assert len(sql(postgres_url, "SELECT id FROM procrastinate_jobs")) == before
        await desk.decide(card.id, approve(card), "ada")
        found = sql(postgres_url, "SELECT queue_name, lock, args->>'thread', status::text FROM procrastinate_jobs ORDER BY id")
        assert found[before:] == [(jobs.queue_of("main", "assent"), "t1", "t1", "todo")]
        assert "t1" not in jobs.queue_of("main", "assent")


async def test_what_one_process_decides_another_one_carries_out_at_once(any_url, tmp_path):
    bank, paid = Bank(tmp_path / "bank"), asyncio.Event()
    async with assent.open(any_url) as desk, assent.open(any_url) as other:
        await staff(desk)
        pay_agent(other, bank, paid)
        async with at_work(other):
            card = await one_waiting(desk, bank)
            await desk.decide(card.id, approve(card), "ada")
            await asyncio.wait_for(paid.wait(), 10)
    assert bank.calls == [("payee0", 5)]


async def test_a_job_that_was_lost_is_made_again_from_its_row(postgres_url, tmp_path, monkeypatch):
    monkeypatch.setattr(working, "TEND_SECONDS", 0.2)
    bank, paid = Bank(tmp_path / "bank"), asyncio.Event()
    async with assent.open(postgres_url) as desk, assent.open(postgres_url) as other:
        await staff(desk)
        card = await one_waiting(desk, bank)
        await desk.decide(card.id, approve(card), "ada")
        sql(postgres_url, "DELETE FROM procrastinate_jobs")
        pay_agent(other, bank, paid)
        async with at_work(other):
            await asyncio.wait_for(paid.wait(), 10)
    assert bank.calls == [("payee0", 5)]


async def test_a_job_that_comes_many_times_to_many_workers_pays_once(postgres_url, tmp_path):
    bank, paid = Bank(tmp_path / "bank"), asyncio.Event()
    async with assent.open(postgres_url) as desk, assent.open(postgres_url) as one, assent.open(postgres_url) as two:
        await staff(desk)
        card = await one_waiting(desk, bank)
        await desk.decide(card.id, approve(card), "ada")
        for lock in (None, "other", "t1"):
            again = "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args) SELECT queue_name, task_name, %s, args"
            sql(postgres_url, again + " FROM procrastinate_jobs LIMIT 1", lock)
        for desk_of_worker in (one, two):
            pay_agent(desk_of_worker, bank, paid)
        async with at_work(one), at_work(two):
            await asyncio.wait_for(paid.wait(), 10)
            await soon(lambda: no_job_is_left(postgres_url))
        assert await desk.tasks("lee") == []
    assert bank.calls == [("payee0", 5)]


async def no_job_is_left(url):
    return not sql(url, "SELECT id FROM procrastinate_jobs WHERE scheduled_at IS NULL OR scheduled_at < now()")


async def test_a_later_job_of_a_thread_does_not_hold_an_earlier_one_back(postgres_url, tmp_path):
    bank, paid = Bank(tmp_path / "bank"), asyncio.Event()
    async with assent.open(postgres_url) as desk, assent.open(postgres_url) as other:
        await staff(desk)
        card = await one_waiting(desk, bank)
        waiting = sql(postgres_url, "SELECT lock FROM procrastinate_jobs WHERE scheduled_at > now() + interval '60 seconds'")
        assert waiting == [("t1",)], "the safety net of the message is still a job"
        await desk.decide(card.id, approve(card), "ada")
        pay_agent(other, bank, paid)
        async with at_work(other):
            await asyncio.wait_for(paid.wait(), 10)


async def test_jobs_of_a_worker_that_fell_silent_are_taken_up_by_others(postgres_url, tmp_path, monkeypatch):
    monkeypatch.setattr(working, "TEND_SECONDS", 0.2)
    bank, paid = Bank(tmp_path / "bank"), asyncio.Event()
    async with assent.open(postgres_url) as desk, assent.open(postgres_url) as other:
        await staff(desk)
        card = await one_waiting(desk, bank)
        await desk.decide(card.id, approve(card), "ada")
        dead = jobs.Jobs(desk.store.conninfo, 2)
        assert (await dead.take([jobs.queue_of("main", "assent")])) is not None
        silence = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '%s seconds'" % (jobs.SILENCE + 5)
        sql(postgres_url, silence)
        pay_agent(other, bank, paid)
        async with at_work(other):
            await asyncio.wait_for(paid.wait(), 10)
        await dead.close()
    assert bank.calls == [("payee0", 5)]


async def test_a_worker_takes_only_the_agents_it_knows(postgres_url, tmp_path):
    bank, paid = Bank(tmp_path / "bank"), asyncio.Event()
    async with assent.open(postgres_url) as desk, assent.open(postgres_url) as other:
        await staff(desk)
        card = await one_waiting(desk, bank)
        await desk.decide(card.id, approve(card), "ada")
        pay_agent(other, bank, paid, name="another")
        async with at_work(other):
            await other.send("t2", "Pay.", requester="carol", agent="another")
            await soon(lambda: desk.pending("ada"))
        assert bank.calls == [] and await other.drain() == 0
        assert [row[0] for row in sql(postgres_url, "SELECT status::text FROM procrastinate_jobs WHERE lock = 't1'")] != []


async def test_a_stopped_worker_finishes_what_it_works_on_and_takes_nothing_more(any_url, tmp_path):
    begun, going = asyncio.Event(), asyncio.Event()

    @assent.action(consequence="costly")
    async def pay(to: str, amount: int) -> str:
        """Pay somebody."""
        begun.set()
        await going.wait()
        return "paid"

    async with assent.open(any_url) as desk:
        await staff(desk)
        lines = [calls(("pay", {"to": "x", "amount": 1}))] * 2
        agent = desk.agent(tools=[pay], policy=SAFE, propose=Script(*lines))
        for thread in ("t1", "t2"):
            await agent.ainvoke(asks(), on_thread(thread))
        first, second = await desk.pending("ada")
        task = asyncio.create_task(desk.worker.run(concurrency=1))
        await desk.decide(first.id, approve(first), "ada")
        await asyncio.wait_for(begun.wait(), 10)
        await desk.decide(second.id, approve(second), "ada")
        desk.worker.stop()
        going.set()
        await asyncio.wait_for(task, 10)
        async with desk.store.read() as tx:
            assert [(await threads.get(tx, name)).lease_owner for name in ("t1", "t2")] == [None, None]
        assert await desk.drain() == 1


async def test_a_worker_stops_when_the_schema_is_raised_while_it_runs(any_url, monkeypatch):
    monkeypatch.setattr(working, "TEND_SECONDS", 0.1)
    async with assent.open(any_url) as desk:
        task = asyncio.create_task(desk.worker.run())
        async with desk.store.begin() as tx:
            await (await tx.connection()).exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(SchemaTooNew, match="schema 9999"):
            await asyncio.wait_for(task, 10)


async def test_a_clock_ahead_of_the_databases_is_not_waited_for(postgres_url, tmp_path, monkeypatch):
    monkeypatch.setattr(working, "TEND_SECONDS", 0.2)
    bank, paid, clock = Bank(tmp_path / "bank"), asyncio.Event(), HandClock(NOON.replace(year=2027))
    async with assent.open(postgres_url, clock=clock) as desk:
        await staff(desk)
        pay_agent(desk, bank, paid)
        async with at_work(desk):
            await desk.send("t1", "Pay.", requester="carol")
            (card,) = await soon(lambda: desk.pending("ada"))
            await desk.decide(card.id, approve(card), "ada")
            await asyncio.wait_for(paid.wait(), 10)


async def test_the_librarys_tables_are_made_once_with_ours(postgres_url):
    assert await migrate.upgrade(sa.make_url(postgres_url)) == migrate.versions()[-1]
    sql(postgres_url, "ALTER FUNCTION procrastinate_fetch_job_v2 RENAME TO procrastinate_fetch_job_v1")
    sql(postgres_url, "UPDATE checkpoint_migrations SET v = -1 WHERE v = 0")
    sql(postgres_url, "DELETE FROM checkpoint_migrations WHERE v > 0")
    with pytest.raises(StoreError, match="Procrastinate"):
        await migrate.upgrade(sa.make_url(postgres_url))


class Letters:
    """An embedder that counts letters."""

    async def embed(self, texts):
        return [[float(text.count(letter)) + 0.1 for letter in "abcdefgh"] for text in texts]


async def test_what_commits_late_under_an_earlier_number_is_learnt_too(postgres_url, tmp_path):
    async with assent.open(postgres_url) as desk:
        await staff(desk)
        agent = pay_agent(desk, Bank(tmp_path / "bank"))
        for index in range(2):
            await agent.ainvoke(asks(f"Please pay {index}"), on_thread(f"t{index}"))
            (card,) = await desk.pending("ada")
            await desk.decide(card.id, approve(card), "ada")
        first, _ = await desk.examples("lee")
        memory = Memory(desk.store, Letters(), "main", "assent")

        def belongs_to(tenant):
            with psycopg.connect(postgres_url) as connection:
                connection.execute("SET LOCAL session_replication_role = replica")  # past the triggers that keep examples
                connection.execute("UPDATE examples SET tenant = %s WHERE id = %s", (tenant, first.id))

        belongs_to("not committed yet")
        assert len(await memory.nearest("Please pay")) == 1
        belongs_to("main")
        assert len(await memory.nearest("Please pay")) == 2
