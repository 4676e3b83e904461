"""`assent audit` from keygen to verify, as a person types it: exit codes, one line for a mistake, no file overwritten."""

from __future__ import annotations

import asyncio
import json
import sqlite3

import assent
import pytest
from assent.ui.cli import main
from fakes import drop_guards, staff


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["assent", "audit", *map(str, arguments)])
        code = main.run()
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return run


@pytest.fixture
def home(tmp_path):
    async def made():
        async with assent.open(f"sqlite:///{tmp_path}/assent.db") as desk:
            await staff(desk)

    asyncio.run(made())
    return tmp_path


def test_a_log_is_signed_exported_and_verified(run, home):
    key, heads, log = home / "key.pem", home / "heads.jsonl", home / "log.jsonl"
    code, public, _ = run("keygen", "--out", key)
    assert code == 0 and public.startswith("ed25519:") and key.stat().st_mode & 0o777 == 0o600
    assert run("keygen", "--out", key)[0] == 1
    signing = ("sign", "--key", key, "--heads", heads, "--home", home)
    assert run(*signing)[1] == "signed record 5 of main" and "nothing was added" in run(*signing)[1]
    assert run("export", "--home", home, "--out", log)[0] == 0
    assert run("export", "--home", home, "--out", log)[0] == 1, "an export is not overwritten"
    code, told, _ = run("verify", log, "--public-key", public, "--heads", heads)
    assert code == 0 and told.startswith("ok  5 records of main") and "signed until record 5" in told
    report = json.loads(run("verify", log, "--public-key", public, "--json")[1])
    assert report["ok"] and report["records"] == 5 and report["heads"] == 1
    assert run("verify", "--database", f"sqlite:///{home}/assent.db", "--public-key", public, "--heads", heads)[0] == 0


def test_what_is_wrong_ends_with_one_and_names_the_record(run, home):
    log = home / "log.jsonl"
    run("export", "--home", home, "--out", log)
    log.write_bytes(log.read_bytes().replace(b'"actor":"ada"', b'"actor":"eve"'))
    code, told, _ = run("verify", log)
    assert code == 1 and "record 2 was changed" in told
    code, told, _ = run("verify", log, "--json")
    assert code == 1 and json.loads(told)["bad_seq"] == 2
    with sqlite3.connect(home / "assent.db") as connection:
        drop_guards(connection)
        connection.execute("DELETE FROM events WHERE seq = 3")
    connection.close()
    code, told, _ = run("verify", "--database", f"sqlite:///{home}/assent.db")
    assert code == 1 and "record 3 is missing" in told


def test_wrong_use_is_told_in_a_line(run, home):
    for arguments in (
        ("verify",),
        ("verify", home / "none.jsonl"),
        ("verify", home / "none.jsonl", "--database", "sqlite:///x.db"),
        ("verify", "--database", f"sqlite:///{home}/none.db"),
        ("export", "--home", home / "none", "--out", home / "log.jsonl"),
    ):
        code, out, err = run(*arguments)
        assert code == 2 and out == "" and err.startswith("assent: ") and len(err.splitlines()) == 1, arguments
    assert not (home / "none.db").exists()
    code, _, err = run("verify", home / "assent.db", "--public-key", "nonsense")
    assert code == 1 and "ed25519:" in err
