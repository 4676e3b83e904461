"""`assent autonomy` and `assent certify --agent`: looking, signing with the digest that was shown, taking down, and who may."""

from __future__ import annotations

import asyncio
import json

import assent
import pytest
from assent.evals.ladder.offering import looked_at
from assent.ui.cli import main
from earning import Past
from fakes import staff

CLASS = ("assent", "note")


@pytest.fixture
def command(url, monkeypatch, capsys):
    """Run a command as the terminal does; returns its exit code, standard output and standard error."""

    async def filled():
        async with assent.open(url) as desk:
            await staff(desk)
            await Past(desk.store).write(70)
            await looked_at(desk.store, desk.clock, "main", *CLASS)

    asyncio.run(filled())
    monkeypatch.setenv("ASSENT_DATABASE_URL", url)

    def run(*words, who="lee"):
        monkeypatch.setattr("sys.argv", ["assent", *words, "--as", who])
        code = main.run()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def test_a_class_is_signed_up_and_taken_down_from_a_terminal(command):
    (line,) = json.loads(command("autonomy", "list", "--json")[1])
    assert (line["level"], line["next"], line["missing"]) == ("supervised", "certified", [])
    code, shown, _ = command("autonomy", "show", *CLASS)
    assert code == 0 and line["digest"] in shown and "0 of 70 passing actions were wrong" in shown

    up = ("autonomy", "promote", *CLASS, "certified", "--reason", "It is right.", "--digest")
    code, _, err = command(*up, "0" * 64)
    assert code == 1 and "not what you were shown" in err
    code, _, err = command(*up, line["digest"], who="ada")
    assert code == 1 and "needs the role lead" in err
    code, out, _ = command(*up, line["digest"])
    assert code == 0 and "certified from the next action on, passes from 0.5000 on, 20% audited" in out

    code, _, err = command("autonomy", "demote", *CLASS, "monitored", "--reason", "x")
    assert code == 1 and "not above monitored" in err
    assert command("autonomy", "demote", *CLASS, "shadow", "--reason", "Too early.")[0] == 0
    steps = json.loads(command("autonomy", "history", *CLASS, "--json", who="vi")[1])
    assert [(step["before"], step["after"], step["by"]) for step in steps] == [
        ("certified", "shadow", "lee"),
        ("supervised", "certified", "lee"),
    ]
    assert steps[1]["evidence"]["certificate"]["n"] == 70


def test_mistakes_are_told_in_one_line(command):
    assert command("autonomy", "promote", *CLASS, "free", "--reason", "x")[0] == 2
    code, _, err = command("autonomy", "show", "assent", "wipe")
    assert code == 1 and "There are: assent note." in err
    assert command("certify", "--agent", "assent")[0] == 2


def test_certifying_a_class_of_the_desk_offers_nothing(command):
    code, out, _ = command("certify", "--agent", "assent", "--tool", "note", "--json")
    found = json.loads(out)
    assert code == 0 and (found["threshold"], found["n"], found["k"]) == (0.5, 70, 0)
    assert command("certify", "--agent", "assent", "--tool", "note", "--alpha", "0.01")[0] == 1
    (line,) = json.loads(command("autonomy", "list", "--json")[1])
    assert line["missing"] == [] and command("certify", "--agent", "assent", "--tool", "wipe")[0] == 1
