"""`assent advise`: on files, on a desk before and after decisions, and what it says of mistakes."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import assent
import pytest
from assent.evals.advising.kept_costs import keep
from assent.evals.advising.oversight_costs import Costs
from assent.ui.cli.main import run
from fakes import Script, Till, approve, calls, staff

PAGE = Path(__file__).parent.parent.parent / "docs" / "advice.md"


@pytest.fixture
def say(monkeypatch, capsys, tmp_path):
    """Run `assent advise`; returns its exit code, what it printed and what it told."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        monkeypatch.setattr("sys.argv", ["assent", "advise", *map(str, words)])
        code = run()
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def block(name: str) -> str:
    return PAGE.read_text("utf-8").split(f"<!-- example:{name} -->", 1)[1].split("\n", 2)[2].split("```", 1)[0]


def trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def test_the_worked_example_of_the_page_is_what_the_command_says(say, tmp_path):
    (tmp_path / "types.yaml").write_text(block("types"), "utf-8")
    code, out, err = say("--types", "types.yaml")
    assert (code, err) == (0, "")
    assert trimmed(out) == trimmed(block("advice"))
    told = PAGE.read_text("utf-8").split("<!-- example:told -->", 1)[1].split("<!-- /example", 1)[0]
    numbers = set(re.findall(r"\d[\d,.]*\d|\d", told))
    assert len(numbers) > 8 and {one for one in numbers if not re.search(rf"(?<![\d,.]){re.escape(one)}(?![\d,])", out)} == set()


def test_json_and_costs_of_a_file(say, tmp_path):
    (tmp_path / "types.yaml").write_text(block("types"), "utf-8")
    (tmp_path / "costs.yaml").write_text("wrong: {reversible: 5000}\nreviewer_hour: 10\n", "utf-8")
    found = json.loads(say("--types", "types.yaml", "--json")[1])
    dearer = json.loads(say("--types", "types.yaml", "--costs", "costs.yaml", "--json")[1])
    assert [one["mode"] for one in found["advice"]] == ["automatic", "in the loop", "in the loop"]
    assert dearer["advice"][0]["mode"] == "in the loop"
    assert (dearer["costs"]["wrong"]["reversible"], dearer["costs"]["wrong"]["costly"], dearer["costs"]["reviewer_hour"]) == (
        5000,
        100,
        10,
    )


def test_rows_are_counted_one_of_each_conversation_and_an_unknown_tool_is_irreversible(say, tmp_path):
    rows = [{"tool": "note", "correct": number != 7, "group": number // 2, "noise": 1} for number in range(120)]
    rows += [{"tool": "wipe", "correct": True} for _ in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "types.yaml").write_text("types: [{tool: note, consequence: reversible, volume: 90, undo: true}]\n", "utf-8")
    named = "".join(json.dumps({"tool": row["tool"], "ok": row["correct"], "qid": row.get("group")}) + "\n" for row in rows)
    (tmp_path / "named.jsonl").write_text(named, "utf-8")
    found = {one["tool"]: one for one in json.loads(say("--rows", "rows.jsonl", "--types", "types.yaml", "--json")[1])["advice"]}
    renamed = say("--rows", "named.jsonl", "--types", "types.yaml", "--label", "ok", "--group", "qid", "--json")
    assert json.loads(renamed[1])["advice"][0] == found["note"]
    assert (found["note"]["labelled"], found["note"]["volume"], found["note"]["undo"]) == (60, 90, True)
    assert found["note"]["wrong"] <= 1 and (found["wipe"]["labelled"], found["wipe"]["consequence"]) == (3, "irreversible")


@pytest.mark.parametrize(
    ("option", "text", "told"),
    [
        ("--types", None, "cannot be read"),
        ("--types", "types: [{tool: a, consequence: mild}]", ":1:32: types.0.consequence"),
        ("--types", "types: [{tool: a, consequence: costly, n: 3, wrong: 4}]", "a: of 3 labelled actions 4 cannot be wrong"),
        ("--types", "types: [{tool: a, consequence: costly, accuracy: 1}]", "there is no such key"),
        ("--types", "types: []", "at least 1 item"),
        ("--types", "- a: [", ":1:"),
        ("--costs", "undo_saves: 0.9", "an undo saves at most what a rejection saves"),
        ("--costs", "wrong: {costly: -1}", "greater than or equal to 0"),
        ("--rows", '{"tool": "a"}\n', ":1: this line has no 'correct'"),
        ("--rows", '{"tool": "a", "correct": true}\nno\n', ":2: this line is not JSON"),
        ("--rows", '{"tool": "a", "correct": "perhaps"}', ":1: correct: "),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_its_place(say, tmp_path, option, text, told):
    (tmp_path / "types.yaml").write_text(block("types"), "utf-8")
    if text is not None:
        (tmp_path / "wrong").write_text(text, "utf-8")
    more = ["--types", "types.yaml"] if option == "--costs" else []
    code, out, err = say(option, "wrong", *more)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("assent: ") and told in err and "wrong" in err


def test_without_a_desk_and_without_a_user_it_says_so(say, monkeypatch, tmp_path):
    monkeypatch.delenv("ASSENT_DATABASE_URL", raising=False)
    code, _, err = say("--home", "nowhere")
    assert (code, "There is no desk in nowhere" in err) == (2, True)


def test_a_desk_before_and_after_its_first_decision(say, any_url, monkeypatch):
    monkeypatch.setenv("ASSENT_DATABASE_URL", any_url)
    till = Till()

    async def begin():
        async with assent.open(any_url) as desk:
            await staff(desk)

    async def decide():
        async with assent.open(any_url) as desk:
            script = Script(calls(("pay", {"to": "ann", "amount": 1})))
            desk.agent(tools=till.tools, policy=assent.Policy(()), propose=script)
            await desk.send("t1", "Please see to it.", requester="carol")
            await desk.drain()
            (card,) = await desk.pending("ada")
            await desk.decide(card.id, approve(card), "ada")
            await keep(desk.store, desk.clock, "lee", Costs(reviewer_hour=7.0))

    asyncio.run(begin())
    code, out, _ = say("--as", "vi")
    assert code == 0 and "Nothing measured yet: everything that changes something stays in the loop." in out
    assert "any reversible tool (reversible): in the loop" in out and "45 more audited actions without an error" in out
    assert "no measured catch rate of reviewers: 14 known-answer items more" in out
    assert json.loads(say("--as", "vi", "--json")[1])["advice"] == []
    asyncio.run(decide())
    code, out, _ = say("--as", "vi")
    assert code == 0 and "pay of assent (costly, 30 a month): in the loop" in out and "0 of 1 labelled actions were wrong" in out
    assert json.loads(say("--as", "vi", "--json")[1])["costs"]["reviewer_hour"] == 7
    code, out, err = say("--as", "nobody")
    assert (code, out) == (1, "") and "does not know you" in err
