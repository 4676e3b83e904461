"""Rows from anywhere: which fields become features, labels and groups, and what is drawn whatever the file's order."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from assent.evals.certify.certification import apply_to, certify_rows
from assent.evals.certify.rows import RowsError, in_order, read_rows
from assent.graph.autonomy.scoring import head_of
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn", reason="needs the extra calibrate")
stats = pytest.importorskip("scipy.stats", reason="needs the extra calibrate")

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def file(tmp_path):
    def write(*records):
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in records) + "\n", "utf-8")
        return path

    return write


def made(seed, groups=150, per_group=3, slope=0.25):
    """Return records of a class whose two signals say something about being right, some rows per group."""
    source = random.Random(seed)
    records = []
    for group in range(groups):
        for _ in range(source.randint(1, per_group)):
            agree, doubt = source.random(), source.random()
            right = source.random() > slope * (1.4 - agree - 0.6 * (1 - doubt))
            signals = {"agree": round(agree, 2), "doubt": round(doubt, 2) if source.random() > 0.1 else None}
            records.append({"qid": f"q{group}", "correct": right, "signals": signals, "tool": source.choice(["refund", "send"])})
    return records


def test_every_number_and_every_yes_or_no_is_a_feature_unless_some_are_named(file):
    path = file(
        {"ok": True, "qid": 7, "agree": {"gpt-4.1": 1, "qwen": 0.5}, "sure": False, "tool": "refund", "tags": [1], "p": None},
        {"ok": 0, "qid": "8", "agree": {"qwen": 0}, "tool": "send", "p": 0.5},
    )
    every = read_rows(path, "ok", "qid")
    assert every.features == ({"agree.gpt-4.1": 1.0, "agree.qwen": 0.5, "sure": 0.0}, {"agree.qwen": 0.0, "p": 0.5})
    assert every.correct == (True, False) and every.groups == ("7", "8") and every.scores is None
    named = read_rows(path, "ok", "qid", ["agree", "tool"])
    assert named.features == ({"agree.gpt-4.1": 1.0, "agree.qwen": 0.5, "tool:refund": 1.0}, {"agree.qwen": 0.0, "tool:send": 1.0})
    assert read_rows(path, "ok", "qid", ["agree.gpt-4.1"]).features == ({"agree.gpt-4.1": 1.0}, {})
    assert read_rows(path, "ok", "qid", ["mean(agree)", "mean(p)"]).features == (
        {"mean(agree)": 0.75, "mean(p)": None},
        {"mean(agree)": 0.0, "mean(p)": 0.5},
    )
    assert read_rows(path, "ok").groups == ("1", "2")
    assert read_rows(path, "tool=send", "qid").correct == (False, True)
    assert read_rows(path, "ok", "qid", score="p").scores == (None, 0.5)


def test_numbers_that_are_none_are_missing(file):
    rows = read_rows(file('{"ok": true, "a": NaN, "b": Infinity, "c": 1e999}', '{"ok": true, "a": 1, "b": 2, "c": 3}'), "ok")
    assert rows.features == ({"a": None, "b": None, "c": None}, {"a": 1.0, "b": 2.0, "c": 3.0})
    huge = '{"ok": true, "score": ' + "9" * 400 + "}"
    assert read_rows(file(huge, '{"ok": true, "score": true}'), "ok", score="score").scores == (None, 1.0)


@pytest.mark.parametrize(
    ("lines", "arguments", "said"),
    [
        (["{"], {}, r"line 1 of .* is not JSON"),
        (['{"ok": true}', "", "[1]"], {}, r"line 3 of .* is not a JSON object"),
        (["[" * 100_000], {}, "line 1"),
        ([""], {}, "has no rows"),
        (['{"okay": true}'], {}, r"has the field ok; did you mean okay\?"),
        (['{"ok": true}', '{"a": 1}'], {}, "row 2 has no label ok"),
        (['{"ok": "yes"}'], {}, 'row 1 is "yes", not true or false'),
        (['{"ok": 2}'], {}, "row 1 is 2, not true or false"),
        (['{"ok": true, "qid": "a"}', '{"ok": true}'], {"group": "qid"}, "group qid of row 2 is missing"),
        (['{"ok": true, "qid": {"a": 1}}'], {"group": "qid"}, "group qid of row 1 is missing"),
        (['{"ok": true, "qid": 1.5}'], {"group": "qid"}, r"group qid of row 1 is 1\.5"),
        (['{"ok": true, "agree": {"x": 1}}'], {"features": ["agreed"]}, r"has the field agreed; did you mean agree\?"),
        (['{"ok": true, "a": 1}'], {"features": ["ok"]}, "cannot be a feature"),
        (['{"ok": true, "a": 1}'], {"features": ["mean(ok)"]}, "cannot be a feature"),
        (['{"ok": true, "a": 1}'], {"features": ["mean(b)"]}, "has the field b"),
        (['{"ok": true, "a": 1}'], {"score": "b"}, "has the field b"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_row(file, lines, arguments, said):
    with pytest.raises(RowsError, match=said):
        read_rows(file(*lines), "ok", **arguments)


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path):
    (tmp_path / "image.jsonl").write_bytes(b"\xff\xfe\x00")
    for path, told in (("none.jsonl", "No such file"), (".", "Is a directory"), ("image.jsonl", "is not UTF-8 text")):
        with pytest.raises(RowsError, match=told):
            read_rows(tmp_path / path, "ok")


def test_a_text_asked_of_a_label_that_is_true_or_false_is_told(file):
    with pytest.raises(RowsError, match="row 1 is true, not a text; name it as ok alone"):
        read_rows(file({"ok": True}), "ok=yes")


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_neither_the_order_of_rows_nor_the_names_of_groups_change_a_certificate(tmp_path_factory, source, seed):
    records = made(1, groups=120)
    names = {f"q{place}": f"other {number}" for place, number in enumerate(source.sample(range(120), 120))}
    moved = [{**one, "qid": names[one["qid"]]} for one in source.sample(records, len(records))]
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    found = []
    for one in (records, moved):
        path.write_text("\n".join(map(json.dumps, one)), "utf-8")
        found.append(certify_rows(read_rows(path, "correct", "qid"), seed=seed, alpha=0.2).as_json())
    assert found[0] == found[1]


def test_another_seed_draws_other_rows(file):
    rows = read_rows(file(*made(2)), "correct", "qid")
    assert certify_rows(rows, seed=1, alpha=0.2).as_json() != certify_rows(rows, seed=2, alpha=0.2).as_json()


def test_one_row_of_each_group_is_certified_on_and_no_group_is_on_both_sides(file):
    records = made(3, groups=200)
    rows = read_rows(file(*records), "correct", "qid")
    found = certify_rows(rows, alpha=0.2, fit_share=0.4)
    assert found.groups == found.certified.rows == 120
    sizes = sorted(sum(one["qid"] == f"q{group}" for one in records) for group in range(200))
    assert sum(sizes[:80]) <= found.fit_rows <= sum(sizes[-80:])
    single = certify_rows(read_rows(file(*made(3, groups=200, per_group=1)), "correct", "qid"), alpha=0.2, fit_share=0.4)
    assert (single.fit_rows, single.groups) == (80, 120)
    with pytest.raises(RowsError, match="too few rows"):
        certify_rows(rows, rows)
    half = rows.take([place for place, group in enumerate(rows.groups) if int(group[1:]) < 100])
    apart = certify_rows(half, rows, alpha=0.2)
    assert apart.fit_rows == len(rows) - len(half) and apart.groups == 100 and "left out" in apart.notes[0]


def test_the_head_in_the_result_scores_as_the_certificate_did(file):
    rows = in_order(read_rows(file(*made(9, groups=400)), "correct", "qid", ["signals", "tool"]))
    found = certify_rows(rows, alpha=0.12)
    assert 0 < found.certified.coverage < 1
    told = json.loads(json.dumps(found.as_json(catch=0.8)))
    head = head_of(told["head"])
    applied = apply_to(found, rows)
    assert applied.confidences == tuple(head.score(features) for features in rows.features)
    assert applied.allowed == tuple(score >= told["threshold"] for score in applied.confidences)
    assert {term.name for term in head.terms} >= {"signals.agree", "signals.doubt"}
    risk = told["system_risk"]
    by_hand = told["coverage"] * told["bound"] + (1 - told["coverage"]) * risk["queue_errors"] * 0.2
    assert risk["risk"] == pytest.approx(by_hand)
    assert risk["risk_if_all_are_caught"] == pytest.approx(told["coverage"] * told["bound"])
    assert [(one["alpha"], one["from_nothing"]) for one in told["promises"]] == [(0.12, 19), (0.05, 45), (0.02, 114), (0.01, 230)]


def test_what_was_let_through_is_counted_where_its_label_is_known(file):
    rows = read_rows(file(*made(5, groups=400)), "correct", "qid")
    found = certify_rows(rows, alpha=0.2)
    applied = apply_to(found, rows)
    assert applied.labelled == sum(applied.allowed) > 0
    wrong = [right for right, passed in zip(rows.correct, applied.allowed, strict=True) if passed].count(False)
    assert applied.wrong == wrong and applied.risk == wrong / applied.labelled
    assert applied.p_value(0.2) == pytest.approx(1 - stats.binom.cdf(wrong - 1, applied.labelled, 0.2))
    unknown = apply_to(found, replace(rows, correct=(None,) * len(rows)))
    assert unknown.allowed == applied.allowed and unknown.risk is None and unknown.p_value(0.2) is None
    assert apply_to(found, replace(rows, features=({},) * len(rows))).allowed.count(True) in (0, len(rows))


def test_scores_of_the_rows_are_used_as_they_are_and_a_missing_one_never_passes(file):
    records = [{"ok": place % 20 != 0 or place > 2000, "s": place / 4000 if place % 7 else None} for place in range(4000)]
    rows = read_rows(file(*records), "ok", score="s")
    found = certify_rows(rows, alpha=0.05)
    assert found.head is None and found.certified.threshold is not None
    applied = apply_to(found, rows)
    assert [one["s"] for one, passed in zip(records, applied.allowed, strict=True) if passed and one["s"] is None] == []
    assert applied.confidences == tuple(one["s"] for one in records)


def test_what_goes_to_people_and_how_much_of_it_is_wrong_are_counted(file):
    records = [{"ok": place >= 1000 or place % 4 > 0, "s": place / 2000, "g": place} for place in range(2000)]
    apart = [{**one, "g": f"fit {one['g']}"} for one in records]
    found = certify_rows(read_rows(file(*records), "ok", "g", score="s"), read_rows(file(*apart), "ok", "g", score="s"), alpha=0.05)
    queue = [one["ok"] for one in records if one["s"] < found.certified.threshold]
    assert found.risk.queue_rows == len(queue) == 2000 - found.certified.n
    assert found.risk.queue_errors == queue.count(False) / len(queue) > 0.2
    assert found.risk.at(1.0) == pytest.approx(found.certified.coverage * found.certified.bound)
    assert found.risk.at(0.0) - found.risk.at(1.0) == pytest.approx(queue.count(False) / 2000)


def test_rows_without_an_error_certify_everything_and_few_labels_are_told(file):
    flawless = read_rows(file(*({"ok": True, "a": place % 5} for place in range(100))), "ok")
    found = certify_rows(flawless)
    assert found.certified.coverage == 1.0 and found.certified.n == 50 and "alike" in found.notes[0]
    few = certify_rows(read_rows(file(*made(6, groups=60)), "correct", "qid"), alpha=0.2)
    assert any("make a better head" in note for note in few.notes)
    agreeing = [{"ok": place % 3 > 0, "agreement": 0.2 if place % 3 == 0 else 1.0} for place in range(150)]
    found = certify_rows(read_rows(file(*agreeing), "ok"))
    assert found.head.raw == "agreement" and found.certified.threshold == 1.0
    with pytest.raises(RowsError, match="varies"):
        certify_rows(read_rows(file(*({"ok": place % 2 == 0, "a": 1} for place in range(100))), "ok"))
    with pytest.raises(RowsError, match="too few rows"):
        certify_rows(read_rows(file({"ok": True, "a": 1}), "ok"))
