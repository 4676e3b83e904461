"""`assent users` on both databases: the first admin, resets, tokens, sessions; who may is asked here too."""

from __future__ import annotations

import asyncio
import json
import re

import assent
import pytest
from assent.ui.cli.main import run


@pytest.fixture
def say(any_url, monkeypatch, capsys):
    """Run a command; returns its exit code, what it printed and what it told."""
    monkeypatch.setenv("ASSENT_DATABASE_URL", any_url)

    def command(*words):
        monkeypatch.setattr("sys.argv", ["assent", "users", *words])
        code = run()
        printed = capsys.readouterr()
        return code, printed.out.strip(), printed.err

    return command


def on_desk(url, work):
    async def opened():
        async with assent.open(url) as desk:
            return await work(desk)

    return asyncio.run(opened())


def test_from_an_empty_desk_to_a_token(say, any_url):
    code, out, _ = say("create-admin", "root", "--link", "--address", "https://desk.example/")
    link = re.search(r"https://desk\.example/sign-in/reset\?token=(\S+)", out)
    assert code == 0 and link
    assert on_desk(any_url, lambda desk: desk.users.redeem_reset(link[1], "a long password", "here")).name == "root"
    assert say("create-admin", "eve", "--link")[0] == 1
    assert say("add", "ann", "--link")[0] == 2, "without an admin"
    assert say("add", "ann", "--link", "--as", "ann")[0] == 1, "with somebody who is none"
    assert say("add", "ann", "--link", "--as", "root")[0] == 0
    code, out, _ = say("token", "ann", "--scope", "decide", "--days", "3", "--label", "nightly", "--json")
    made = json.loads(out)
    assert code == 0 and on_desk(any_url, lambda desk: desk.users.tokens.find(made["secret"])).user.name == "ann"
    assert say("token", "ann", "--scope", "admin")[0] == 1
    code, out, _ = say("tokens", "ann")
    assert made["id"] in out and "nightly" in out and made["secret"] not in out
    assert say("revoke", "ann", made["id"])[0] == 0 and say("revoke", "ann", made["id"])[0] == 1
    assert say("tokens", "ann")[1] == ""


def test_roles_accounts_sessions_and_resets(say, any_url):
    async def staffed(desk):
        await desk.users.first_admin("root", "a long password")
        await desk.users.add("ann", "a long password", by="root")
        return await desk.users.open_session("ann")

    on_desk(any_url, staffed)
    code, out, _ = say("sessions", "ann", "--json")
    assert len(json.loads(out)["sessions"]) == 1
    assert say("sessions", "ann", "--end")[1] == "1 sessions of ann ended"
    assert say("role", "ann", "lead", "--as", "ann")[0] == 1
    assert say("role", "root", "viewer", "--as", "root")[0] == 1
    assert say("role", "ann", "lead", "--as", "root")[1] == "ann is lead"
    assert say("off", "root", "--as", "root")[0] == 1
    assert say("off", "ann", "--as", "root")[0] == 0 and "switched off" in say("list")[1]
    assert say("on", "ann", "--as", "root")[0] == 0
    code, out, _ = say("reset", "ann", "--as", "root")
    assert code == 0 and "token=" in out
    assert on_desk(any_url, lambda desk: desk.users.verify("ann", "a long password")) is None
    assert say("unlock", "ann", "--as", "root")[1] == "ann was not locked"
