"""Opening a desk: many at once, again and again, an old or a newer database, and every mistake said in one line."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys

import assent
import pytest
from assent.graph.errors import SchemaTooNew, StoreError
from assent.graph.store.migrate import versions
from fakes import SAFE, Script, asks, calls, on_thread, staff


async def test_opening_many_times_and_at_once_makes_the_tables_once(new_url):
    async def come_and_go():
        async with assent.open(new_url) as desk:
            return await desk.count_pending("ada") if await desk.users.get("ada") else 0

    assert await asyncio.gather(*(come_and_go() for _ in range(4))) == [0] * 4
    async with assent.open(new_url) as desk:
        await staff(desk)
    assert await come_and_go() == 0


def test_processes_that_open_a_new_desk_at_once_all_succeed(new_url):
    code = f"import asyncio, assent\nasync def main():\n    async with assent.open({new_url!r}): pass\nasyncio.run(main())"
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in running]
    assert [code for _, code in ended] == [0, 0, 0], ended


async def test_what_waits_is_there_after_closing(new_url, till):
    async with assent.open(new_url) as desk:
        await staff(desk)
        await desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5})))).ainvoke(
            asks(), on_thread()
        )
        (before,) = await desk.pending("ada")
    async with assent.open(new_url) as desk:
        (after,) = await desk.pending("ada")
        assert after == before
        conversation = await desk.conversation("t1")
        assert conversation.waiting[0]["review"] == after.id, "it can be read where no agent is known"


async def test_a_newer_database_is_refused_and_left_alone(new_url, tmp_path):
    async with assent.open(new_url):
        pass
    connection = sqlite3.connect(tmp_path / "desk.db", isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="9999"):
        async with assent.open(new_url):
            raise AssertionError("it opened")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.execute("UPDATE alembic_version SET version_num = ?", (versions()[-1],))
    connection.close()
    async with assent.open(new_url):
        pass


async def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / "desk.db").write_text("these are not the rows you are looking for" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        async with assent.open(f"sqlite:///{tmp_path}/desk.db"):
            raise AssertionError("it opened")


@pytest.mark.parametrize("wrong", ["postgresql://host/db", "sqlite://", "sqlite:///no/such/folder/desk.db"])
async def test_a_wrong_address_is_said(wrong):
    with pytest.raises(StoreError):
        async with assent.open(wrong):
            raise AssertionError("it opened")


async def test_an_error_inside_closes_the_desk_and_comes_out(new_url):
    with pytest.raises(ZeroDivisionError):
        async with assent.open(new_url):
            raise ZeroDivisionError
    async with assent.open(new_url):
        pass


async def test_the_migrated_tables_are_the_rows_tables(new_url, tmp_path):
    import sqlalchemy as sa
    from assent.graph.store import models

    async with assent.open(new_url):
        pass
    engine = sa.create_engine(new_url)
    found = {
        table: {column["name"] for column in sa.inspect(engine).get_columns(table)}
        for table in sa.inspect(engine).get_table_names()
    }
    engine.dispose()
    for table in models.SQLModel.metadata.sorted_tables:
        assert found[table.name] == {column.name for column in table.columns}, table.name
