"""`assent certify` and `assent monitor` as a person types them: what is printed, the exit codes, one line for a mistake."""

from __future__ import annotations

import json
import math
import random
import sys

import pytest
from assent.evals.watch.monitor import monitor_of, observe, start
from assent.graph.autonomy.scoring import head_of
from assent.ui.cli import main

pytest.importorskip("sklearn", reason="needs the extra calibrate")


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["assent", *map(str, arguments)])
        code = main.run()
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return run


@pytest.fixture
def write(tmp_path):
    def write(name, records):
        path = tmp_path / name
        path.write_text("\n".join(map(json.dumps, records)) + "\n", "utf-8")
        return path

    return write


def records(seed, n, worst=0.5):
    source = random.Random(seed)
    made = []
    for place in range(n):
        agree = {name: int(source.random() < 0.8) for name in ("one", "two", "three")}
        right = source.random() > worst * (3 - sum(agree.values())) / 3
        made.append({"qid": f"{seed} {place // 2}", "correct": right, "agree": agree, "category": source.choice("ab"), "noise": 1})
    return made


def test_a_certificate_is_printed_with_what_it_needs_to_be_used(run, write):
    rows, fit, apply = (write(f"{seed}.jsonl", records(seed, 600)) for seed in (1, 2, 3))
    command = ("certify", "--rows", rows, "--label", "correct", "--group", "qid", "--fit", fit, "--features", "agree,category")
    code, out, _ = run(*command, "--apply", apply, "--alpha", ".05", "--delta", ".10", "--seed", 4, "--json")
    told = json.loads(out)
    assert code == 0 and told["rows"] == told["groups"] == 300 and told["seed"] == 4
    assert 0 < told["coverage"] == told["n"] / 300 and told["bound"] <= 0.05 == told["alpha"] and told["delta"] == 0.1
    assert told["tested"][0]["threshold"] >= told["threshold"] and told["more"]["without_errors"] > 0
    assert [one["from_nothing"] for one in told["promises"]] == [45, 114, 230]
    head = head_of(told["head"])
    assert {term.name for term in head.terms} == {"agree.one", "agree.two", "agree.three", "category:a", "category:b"}
    first = records(3, 600)[0]
    features = {**{f"agree.{name}": value for name, value in first["agree"].items()}, f"category:{first['category']}": 1.0}
    assert told["rows_applied"][0]["confidence"] == head.score(features) and told["rows_applied"][0]["group"] == first["qid"]
    assert all(one["allowed"] is (one["confidence"] >= told["threshold"]) for one in told["rows_applied"])
    passed = [one["correct"] for one, row in zip(records(3, 600), told["rows_applied"], strict=True) if row["allowed"]]
    assert told["applied"]["allowed"] == len(passed) and told["applied"]["risk"] == passed.count(False) / len(passed)
    assert run(*command, "--seed", 4, "--json")[1] == run(*command, "--seed", 4, "--json")[1]
    code, out, _ = run(*command, "--seed", 4, "--catch", ".8")
    assert code == 0 and f"Certified from a confidence of {told['threshold']:.4f} on" in out and "more audits" in out
    assert "if reviewers catch 80%" in out and f"{told['n']} of 300 rows pass" in out


def test_without_a_certificate_the_exit_code_is_one_and_it_says_what_is_missing(run, write):
    rows = write("rows.jsonl", records(5, 120))
    code, out, _ = run("certify", "--rows", rows, "--group", "qid", "--alpha", ".01")
    assert code == 1 and "No certificate" in out and "more audits" in out
    code, out, _ = run("certify", "--rows", rows, "--group", "qid", "--alpha", ".01", "--apply", rows, "--json")
    told = json.loads(out)
    assert code == 1 and told["threshold"] is None and told["coverage"] == 0 and told["bound"] == 1
    assert told["applied"]["allowed"] == 0 and not any(row["allowed"] for row in told["rows_applied"])


def test_rows_to_pass_judgement_on_need_no_label_and_a_missing_score_never_passes(run, write):
    rows = write("rows.jsonl", [{"ok": True, "s": place / 100} for place in range(100)])
    apply = write("apply.jsonl", [{"s": 0.99}, {"s": None}, {"s": math.nan}, {}, {"s": "high"}])
    code, out, _ = run("certify", "--rows", rows, "--label", "ok", "--score", "s", "--apply", apply, "--json")
    told = json.loads(out)
    assert code == 0 and told["head"] is None and [row["allowed"] for row in told["rows_applied"]] == [True] + [False] * 4
    assert told["applied"]["risk"] is None and told["rows_applied"][1]["confidence"] is None
    assert "review" in run("certify", "--rows", rows, "--label", "ok", "--score", "s", "--apply", apply)[1]


def test_wrong_use_is_told_in_one_line(run, write, tmp_path):
    rows = write("rows.jsonl", records(6, 60))
    text = tmp_path / "text.jsonl"
    text.write_text("hello\n")
    good = ("certify", "--rows", rows, "--group", "qid")
    for arguments, said in (
        (("certify",), "--rows"),
        (("certify", "--rows", tmp_path / "none.jsonl"), "none.jsonl"),
        (("certify", "--rows", text), "not JSON"),
        ((*good, "--label", "right"), "right"),
        ((*good, "--label", "category"), "not true or false"),
        (("certify", "--rows", rows, "--group", "task"), "task"),
        ((*good, "--features", "agree,mood"), "mood"),
        ((*good, "--features", "correct"), "cannot be a feature"),
        ((*good, "--alpha", "0"), "--alpha"),
        ((*good, "--alpha", "nan"), "--alpha"),
        ((*good, "--delta", "1"), "--delta"),
        ((*good, "--catch", "1.2"), "--catch"),
        ((*good, "--fit", rows), "too few rows"),
        (("certify", "--rows", write("few.jsonl", records(7, 8)), "--group", "qid"), "too few rows"),
        (("monitor", "--rows", tmp_path / "none.jsonl"), "none.jsonl"),
        (("monitor", "--rows", rows, "--label", "right"), "right"),
        (("monitor", "--rows", rows, "--alpha", "2"), "--alpha"),
        (("monitor", "--rows", rows, "--share", "0"), "share"),
        (("monitor", "--rows", rows, "--reserve", "1"), "--reserve"),
        (("monitor", "--rows", rows, "--share", "category"), "share"),
    ):
        code, out, err = run(*arguments)
        assert (code, out, len(err.splitlines())) == (2, "", 1) and err.startswith("assent: ") and said in err, arguments


def test_a_missing_extra_is_told_by_name_and_the_monitor_does_without(run, write, monkeypatch):
    rows = write("rows.jsonl", records(9, 100))
    for library in ("scipy", "scipy.stats", "sklearn", "sklearn.linear_model"):
        monkeypatch.setitem(sys.modules, library, None)
    code, out, err = run("certify", "--rows", rows, "--group", "qid")
    assert (code, out) == (1, "") and err.endswith("pip install 'assent[calibrate]'")
    assert run("monitor", "--rows", rows)[0] in (0, 1) and "audits" in run("monitor", "--rows", rows)[1]


def test_the_monitor_rings_on_a_file_and_tells_where(run, write):
    source = random.Random(8)
    labels = [source.random() > (0.03 if place < 200 else 0.3) for place in range(400)]
    code, out, _ = run("monitor", "--rows", write("audits.jsonl", [{"correct": right} for right in labels]), "--json")
    told = json.loads(out)
    by_hand, place = start(0.05), 0
    while not by_hand.alarmed:
        by_hand, place = observe(by_hand, not labels[place]), place + 1
    assert code == 1 and told["alarmed"] and told["alarm_row"] == told["alarm_audits"] == place > 200
    assert told["alarm_at_evidence"] == 20 and told["highest_evidence"] >= 20 and told["errors"] == labels.count(False)
    assert monitor_of(told["monitor"]).audits == 400
    code, out, _ = run("monitor", "--rows", write("audits.jsonl", [{"correct": right} for right in labels[:200]]))
    assert code == 0 and "200 audits of 200 actions" in out and "ALARM" not in out


def test_the_monitor_weighs_audits_by_their_share(run, write):
    rows = [{"ok": None, "pi": 0.5}, {"ok": False, "pi": 0.25}, {"pi": 1.0}, {"ok": True, "pi": 0.5}]
    path = write("actions.jsonl", rows)
    expected = start(0.05)
    for row in rows:
        expected = observe(expected, row.get("ok") is False, share=row["pi"], drawn=row.get("ok") is not None)
    told = json.loads(run("monitor", "--rows", path, "--label", "ok", "--share", "pi", "--json")[1])
    assert told["monitor"] == expected.as_json() and (told["actions"], told["audits"], told["errors"]) == (4, 2, 1)
    told = json.loads(run("monitor", "--rows", path, "--label", "ok", "--json")[1])
    assert (told["actions"], told["audits"]) == (2, 2)
    told = json.loads(run("monitor", "--rows", path, "--label", "ok", "--share", ".5", "--json")[1])
    assert told["actions"] == 4 and told["monitor"]["reserve"] == 0
    told = json.loads(run("monitor", "--rows", path, "--label", "ok", "--reserve", ".2", "--json")[1])
    assert told["monitor"]["reserve"] == 0.2
