"""The command line as a person or a script uses it: real processes, a real model server over HTTP, real files."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from scripted_model_server import ScriptedServer, scripted_server

MESSAGES = [
    {"text": "My kettle from order 1001 came with a crack, please give me the money back.", "customer": "C100", "id": "kettle"},
    {"text": "Somebody opened my account, please help!", "customer": "C101", "id": "account"},
]


def hand_over(team: str) -> str:
    return json.dumps({"name": "hand_over", "arguments": {"team": team}})


FINISH = json.dumps({"name": "finish", "arguments": {"message": "That is settled."}})


@dataclass
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Terminal:
    """A folder with a demo, and a model server that says what the test writes."""

    home: Path
    server: ScriptedServer
    messages: Path

    async def __call__(self, *words: str, **more: str) -> Ran:
        env = {**os.environ, "OPENAI_BASE_URL": self.server.url, "OPENAI_API_KEY": "none", "ASSENT_HOME": str(self.home), **more}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "assent", *words), env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 150)
        assert b"Traceback" not in err, err.decode()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def feed(self, count: int = 1, code: int = 0) -> dict[str, Any]:
        ran = await self(
            "demo", "--headless", "--json", "--proposals", "structured", "--count", str(count), "--messages", str(self.messages)
        )
        assert ran.code == code, ran.err
        found: dict[str, Any] = ran.json()
        return found

    def teams(self) -> list[str]:
        with sqlite3.connect(self.home / "shop.db") as shop:
            return [team for (team,) in shop.execute("SELECT team FROM hand_overs")]


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    messages = tmp_path / "letters.jsonl"
    messages.write_text("".join(json.dumps(one) + "\n" for one in MESSAGES))
    async with scripted_server() as server:
        server.will_say(hand_over("returns"))
        yield Terminal(tmp_path / "desk", server, messages)


async def test_what_is_fed_waits_and_an_approval_runs_exactly_what_was_shown_once(terminal: Terminal) -> None:
    found = await terminal.feed()
    [card] = found["pending"]
    assert (card["tool"], card["args"]["team"], card["requester"]) == ("hand_over", "returns", "C100")
    assert terminal.teams() == []

    terminal.server.will_say(FINISH)
    approved = (await terminal("inbox", "approve", str(card["number"]), "--json")).json()
    assert (approved["status"], approved["outcome"], approved["accepted"]) == ("approved", "succeeded", card["args"])
    assert terminal.teams() == ["returns"]

    again = await terminal("inbox", "approve", str(card["number"]))
    assert again.code == 1
    assert "no longer pending: approve by operator" in again.err
    assert terminal.teams() == ["returns"]

    [example] = [json.loads(line) for line in (await terminal("examples", "export", "--format", "jsonl")).out.splitlines()]
    assert example["label"] == "approve"
    assert MESSAGES[0]["text"] in json.dumps(example)


async def test_edit_reject_and_respond_from_a_terminal(terminal: Terminal) -> None:
    await terminal.feed(2)
    terminal.server.will_say(FINISH)
    edited = (await terminal("inbox", "edit", "1", "team=billing", "--json")).json()
    assert (edited["decision"], edited["accepted"]["team"], edited["outcome"]) == ("edit", "billing", "succeeded")
    assert terminal.teams() == ["billing"]

    wrong = await terminal("inbox", "edit", "2", "team=kitchen")
    assert wrong.code == 1
    assert "team" in wrong.err

    terminal.server.will_say(hand_over("security"))
    assert (await terminal("inbox", "reject", "2", "--reason", "wrong team")).code == 0
    listed = (await terminal("inbox", "list", "--json")).json()
    [card] = listed["pending"]
    assert card["args"]["team"] == "security", "the agent heard of the rejection and proposed something else"
    terminal.server.will_say(FINISH)
    answered = (await terminal("inbox", "respond", str(card["number"]), "--message", "Done by phone.", "--json")).json()
    assert (answered["status"], answered["outcome"]) == ("answered", "")
    assert terminal.teams() == ["billing"]


async def test_a_model_that_is_down_or_talks_nonsense_leaves_a_task_and_nothing_is_lost(terminal: Terminal) -> None:
    terminal.server.will_say("I am a teapot")
    found = await terminal.feed(code=1)
    [task] = found["tasks"]
    assert task["kind"] == "stalled"
    assert "\n" not in task["text"]

    terminal.server.will_say(hand_over("returns"))
    assert (await terminal("inbox", "retry", task["thread"])).code == 0
    listed = (await terminal("inbox", "list", "--json")).json()
    assert ([card["tool"] for card in listed["pending"]], listed["tasks"]) == (["hand_over"], [])

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    terminal.messages.write_text(json.dumps({"text": "Anybody there?", "customer": "C100", "id": "later"}) + "\n")
    ran = await terminal(
        *("demo", "--headless", "--json", "--count", "1", "--messages", str(terminal.messages)), OPENAI_BASE_URL=closed
    )
    assert [task["kind"] for task in ran.json()["tasks"]] == ["stalled"]
    assert (ran.code, "no message could be worked" in ran.err) == (1, True)


async def test_bad_lines_are_told_and_the_others_go_on(terminal: Terminal) -> None:
    long = {"text": "x" * 1_000_000, "customer": "C100", "id": "long"}
    emoji = {"text": "🫖", "customer": "C100", "id": "emoji"}
    terminal.messages.write_text(json.dumps(long) + "\n" + json.dumps(emoji) + "\n")
    ran = await terminal("demo", "--headless", "--json", "--proposals", "structured", "--messages", str(terminal.messages))
    assert ran.code == 0
    assert "line 1: the text has 1,000,000 characters" in ran.err
    assert [card["text"] for card in ran.json()["pending"]] == ["🫖"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("inbox", "approve", "1"), 2, "There is no desk in"),
        (("demo", "--headless", "--messages", "nowhere.jsonl"), 2, "nowhere.jsonl"),
        (("demo", "--headless", "--proposals", "loud"), 2, "--proposals is auto, native or structured"),
        (("examples", "export", "--format", "csv"), 2, "--format is one of"),
        (("eval", "run", "nothing"), 2, "There is no desk in"),
        (("eval", "run", "learning"), 2, "learning needs --data"),
        (("nope",), 2, "nope"),
    ],
)
async def test_wrong_use_is_told_in_words(terminal: Terminal, words: tuple[str, ...], code: int, told: str) -> None:
    ran = await terminal(*words)
    assert (ran.code, told in ran.err) == (code, True), ran.err


async def test_a_port_in_use_and_a_policy_with_a_typo_are_told_before_anything_starts(terminal: Terminal, tmp_path: Path) -> None:
    taken = await terminal("demo", "--port", str(terminal.server.port))
    assert (taken.code, "is in use; give another one with --port" in taken.err) == (1, True)

    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nrules:\n  - name: reads\n    rulling: allow\n    reason: fine\n")
    wrong = await terminal("demo", "--headless", "--policy", str(policy))
    assert wrong.code == 1
    assert "policy.yaml" in wrong.err
    assert "rulling" in wrong.err


async def test_a_database_of_a_newer_version_is_refused_untouched(terminal: Terminal) -> None:
    await terminal.feed()
    with sqlite3.connect(terminal.home / "assent.db") as desk:
        desk.execute("UPDATE alembic_version SET version_num = '9999'")
    ran = await terminal("inbox", "list")
    assert (ran.code, "newer version of Assent" in ran.err) == (1, True)
    found = {one["what"]: one["well"] for one in (await terminal("doctor", "--json")).json()}
    assert found["desk"] is False


async def test_a_stranger_and_a_viewer_decide_nothing(terminal: Terminal) -> None:
    await terminal.feed()
    ran = await terminal("inbox", "approve", "1", "--as", "nobody")
    assert (ran.code, "does not know you" in ran.err) == (1, True)
    assert terminal.teams() == []


@pytest.mark.model
async def test_the_embedded_model_reads_a_message_and_its_proposal_is_legal(terminal: Terminal) -> None:
    ran = await terminal(
        *("demo", "--headless", "--json", "--count", "1", "--messages", str(terminal.messages)), OPENAI_BASE_URL=""
    )
    assert ran.code == 0, ran.err
    found = ran.json()
    assert found["model"] == "SmolLM2-135M-Instruct"
    assert len(found["pending"]) + len(found["automatic"]) == 1
    assert found["refused"] == found["tasks"] == []
