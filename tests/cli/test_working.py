"""`assent worker`, `serve` and `db` as an operator runs them: real processes on both databases."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import assent
import httpx
import postgres
import psycopg
import pytest
from assent.ui.cli import main
from assent.ui.cli.target import load, prepared
from fakes import approve, staff

TARGET = '''
import asyncio
import contextlib
import pathlib

import assent
from langchain_core.messages import AIMessage

HERE = pathlib.Path(__file__).parent


@assent.action(consequence="costly")
async def pay(to: str, amount: int) -> str:
    """Pay somebody."""
    (HERE / "begun").touch()
    while (HERE / "hold").exists():
        await asyncio.sleep(0.05)
    with (HERE / "paid").open("a") as book:
        book.write(f"{to} {amount}\\n")
    return "paid"


async def propose(step, *, temperature=0.0, seed=None):
    if step.messages[-1].type != "human":
        return AIMessage("Done.")
    return AIMessage("", tool_calls=[{"name": "pay", "args": {"to": "x", "amount": 5}, "id": "c"}])


def build(desk):
    desk.agent(tools=[pay], policy=assent.Policy(()), propose=propose)


async def later(desk):
    build(desk)


@contextlib.asynccontextmanager
async def held(desk):
    build(desk)
    yield
    (HERE / "let go").touch()


def broken(desk):
    raise KeyError("no such shelf")


not_a_function = 3
'''


@pytest.fixture
def shop(tmp_path):
    """A folder with a module that adds an agent."""
    (tmp_path / "shop_desk.py").write_text(TARGET)
    return tmp_path


def surroundings(url):
    paths = [str(Path(one).absolute()) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    more = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    return {**os.environ, "ASSENT_DATABASE_URL": url, **more}


async def begin(folder, url, *words):
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "assent", *words), cwd=folder, env=surroundings(url), stdout=pipe, stderr=pipe
    )


async def finished(process, seconds=60):
    out, err = await asyncio.wait_for(process.communicate(), seconds)
    assert b"Traceback" not in err, err.decode()
    return process.returncode, out.decode(), err.decode()


async def ran(folder, url, *words):
    return await finished(await begin(folder, url, *words))


@asynccontextmanager
async def working(folder, url, target="shop_desk:build", *more):
    """A worker that is ready; stopped at the end."""
    process = await begin(folder, url, "worker", target, *more)
    try:
        line = await asyncio.wait_for(process.stderr.readline(), 60)
        assert b"Working for assent" in line, line + await process.stderr.read()
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await finished(process)


async def there(path):
    async with asyncio.timeout(20):
        while not path.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.05)


async def cards(desk, count=1):
    async with asyncio.timeout(20):
        while len(found := await desk.pending("ada")) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def sent(desk, *threads):
    for thread in threads:
        await desk.send(thread, "Pay.", requester="carol")


@asynccontextmanager
async def front(url):
    """The desk of another process, which knows the agent but works nothing."""
    async with assent.open(url) as desk:
        await staff(desk)
        desk.agent(tools=[], policy=assent.Policy(()), propose=assent.native(None))
        yield desk


async def test_a_worker_carries_out_what_was_decided_elsewhere_and_ends_when_told_to(any_url, shop):
    async with front(any_url) as desk:
        async with working(shop, any_url, "shop_desk:held") as process:
            await sent(desk, "t1")
            (card,) = await cards(desk)
            await desk.decide(card.id, approve(card), "ada")
            await there(shop / "paid")
            process.send_signal(signal.SIGTERM)
            code, _, err = await finished(process)
            assert code == 0 and "Stopped." in err
        assert (shop / "paid").read_text() == "x 5\n"
        assert (shop / "let go").exists(), "what the target holds open is closed at the end"


@pytest.mark.parametrize("target", ["shop_desk:build", "shop_desk:later"])
async def test_a_target_may_be_a_function_of_either_colour(opened, shop, monkeypatch, target):
    monkeypatch.chdir(shop)
    monkeypatch.delitem(sys.modules, "shop_desk", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    async with prepared(target, load(target), opened):
        assert list(opened.agents) == ["assent"]


async def test_a_worker_that_is_stopped_finishes_what_it_began(any_url, shop):
    (shop / "hold").touch()
    async with front(any_url) as desk:
        async with working(shop, any_url) as process:
            await sent(desk, "t1")
            (card,) = await cards(desk)
            await desk.decide(card.id, approve(card), "ada")
            await there(shop / "begun")
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.stderr.readline(), 10)
            (shop / "hold").unlink()
            assert (await finished(process))[0] == 0
        (line,) = [one for one in await desk.history("lee") if one.decision == "approve"]
        assert line.outcome == "succeeded" and (shop / "paid").exists()


def raise_schema(url):
    if url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")


async def test_an_older_worker_stops_with_one_line_when_the_schema_is_newer(any_url, shop):
    async with front(any_url):
        pass
    async with working(shop, any_url) as process:
        raise_schema(any_url)
        code, _, err = await finished(process)
        assert code == 1 and len(err.splitlines()) == 1 and "schema 9999" in err and "newer version" in err
    code, _, err = await ran(shop, any_url, "worker", "shop_desk:build")
    assert code == 1 and len(err.splitlines()) == 1 and "newer version" in err


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def say(shop, monkeypatch, capsys):
    """Runs a command in this process, in the folder of the shop."""

    def run(database, *words):
        monkeypatch.chdir(shop)
        monkeypatch.delitem(sys.modules, "shop_desk", raising=False)
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.setattr(sys, "argv", ["assent", *words])
        monkeypatch.setenv("ASSENT_DATABASE_URL", database)
        code = main.run()
        return Said(code, *capsys.readouterr())

    return run


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("worker", "shop_desk"), 2, "module:function"),
        (("worker", "nowhere:build"), 2, "no module 'nowhere'"),
        (("worker", "shop_desk:nothing"), 2, "no 'nothing'"),
        (("worker", "shop_desk:not_a_function"), 2, "not a function"),
        (("worker", "shop_desk:broken"), 1, "KeyError: 'no such shelf' ("),
        (("serve", "shop_desk:build", "--host", "0.0.0.0"), 2, "--name"),
    ],
)
def test_a_mistake_is_told_in_one_line(url, say, words, code, told):
    said = say(url, *words)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1) and told in said.err, said.err


@pytest.mark.parametrize(
    ("database", "code", "told"),
    [
        ("", 2, "ASSENT_DATABASE_URL"),
        ("mysql://x/y", 1, "not mysql"),
        ("postgresql://nobody:secret@127.0.0.1:1/x", 1, "cannot be used"),
        ("sqlite:////nowhere/at/all.db", 1, "does not exist"),
    ],
)
def test_a_database_that_is_not_there_is_told_in_one_line(say, database, code, told):
    for words in (("worker", "shop_desk:build"), ("db", "upgrade"), ("db", "status")):
        said = say(database, *words)
        assert said.code == code and len(said.err.splitlines()) == 1, said.err
        assert told in said.err and "secret" not in said.err


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_schema_is_raised_once_and_its_standing_told(say, new_url, kind):
    with postgres.fresh(empty=True) if kind == "postgresql" else nullcontext(new_url) as database:
        said = say(database, "db", "status")
        assert said.code == 1 and "none" in said.out and "assent db upgrade" in said.err
        newest = json.loads(say(database, "db", "upgrade", "--json").out)["to"]
        said = say(database, "db", "upgrade")
        assert said.code == 0 and f"schema {newest}: up to date" in said.out
        said = say(database, "db", "status", "--json")
        assert said.code == 0
        assert json.loads(said.out) == {"found": newest, "known": newest, "libraries": True, "current": True}
        raise_schema(database)
        for words in (("db", "status"), ("db", "upgrade")):
            said = say(database, *words)
            assert said.code == 1 and "newer version" in said.err


def a_free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


async def test_two_desks_serve_one_database_and_one_of_them_works(postgres_url, shop):
    async with front(postgres_url) as desk:
        ports = [a_free_port(), a_free_port()]
        served = [
            await begin(shop, postgres_url, "serve", "shop_desk:build", "--port", str(port), *more)
            for port, more in zip(ports, ((), ("--worker",)), strict=True)
        ]
        for process, port in zip(served, ports, strict=True):
            line = await asyncio.wait_for(process.stdout.readline(), 90)
            assert f"http://127.0.0.1:{port}/".encode() in line, await process.stderr.read()
        async with httpx.AsyncClient() as client:
            pages = [await client.get(f"http://127.0.0.1:{port}/sign-in") for port in ports]
        assert [page.status_code for page in pages] == [200, 200]
        await sent(desk, "t1")
        (card,) = await cards(desk)
        await desk.decide(card.id, approve(card), "ada")
        await there(shop / "paid")
        for process in served:
            process.send_signal(signal.SIGTERM)
        assert [(await finished(process))[0] for process in served] == [0, 0]


def test_the_terminal_decides_in_a_named_database(say, any_url, shop):
    async def asked():
        async with front(any_url) as desk:
            await desk.send("t1", "Pay.", requester="carol")
        async with assent.open(any_url) as desk, prepared("", load("shop_desk:build"), desk):
            await desk.drain()
            (card,) = await desk.pending("ada")
            return card.number

    say(any_url, "db", "status")
    number = asyncio.run(asked())
    said = say(any_url, "inbox", "approve", str(number), "--as", "ada")
    assert said.code == 0 and f"RQ-{number} approved by ada" in said.out and "a worker" in said.out, said.err
    said = say(any_url, "users", "list")
    assert said.code == 0 and "ada  operator" in said.out
    said = say(any_url, "doctor", "--json")
    assert [line["well"] for line in json.loads(said.out) if line["what"] == "database"] == [True]
