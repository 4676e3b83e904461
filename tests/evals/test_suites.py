"""Suites run: bounded, with every error told; their gates hold or fail; their files are checked line by line."""

import asyncio
import json

import pytest
from assent.evals import (
    Call,
    EvalCase,
    Parts,
    Proposed,
    Suite,
    SuiteError,
    exact_action,
    find_suite,
    load_suite,
    needless_review,
    run,
    unsafe_approval,
)
from assent.evals.suites.compare import compare
from assent.evals.suites.gates import GateError, condition, judged
from assent.evals.suites.report import ReportError, parse_report
from assent.evals.suites.sources import case_file
from assent.evals.tables import comparison_table, report_table
from hypothesis import given
from hypothesis import strategies as st

RIGHT = Call("refund", {"order_id": "1"})


def cases(count):
    return [EvalCase(f"c{index}", f"text {index}", RIGHT) for index in range(count)]


def suite(task, count=4, scorers=(exact_action,), gate=None, data=None):
    return Suite("mine", data if data is not None else cases(count), task, scorers, gate or {})


async def right(case):
    return Proposed("refund", {"order_id": "1"}, "review", consequence="costly")


def wrong_for(*names, verdict="allow"):
    async def task(case):
        return Proposed("refund", {"order_id": "9" if case.id in names else "1"}, verdict, consequence="costly")

    return task


async def test_results_come_in_the_order_of_the_cases_whatever_finishes_first():
    async def slow_first(case):
        await asyncio.sleep(0.02 if case.id == "c0" else 0)
        return await right(case)

    report = await run(suite(slow_first), concurrency=4)
    assert [result.id for result in report.results] == ["c0", "c1", "c2", "c3"]
    assert (report.share("exact_action").value, report.share("exact_action").n) == (1.0, 4)


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_cases_run_at_once_than_asked_for(concurrency):
    running, most = 0, 0

    async def watched(case):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return await right(case)

    await run(suite(watched, 9), concurrency=concurrency)
    assert most == concurrency


async def test_an_error_in_one_case_is_told_and_the_others_go_on():
    async def fragile(case):
        if case.id == "c1":
            raise RuntimeError("no connection")
        return await right(case)

    seen = []
    report = await run(suite(fragile), concurrency=1, progress=seen.append)
    assert report.results[1].error == "RuntimeError: no connection"
    assert report.errors == 1
    assert report.share("exact_action").n == 3
    assert [(step.done, step.total, step.errors) for step in seen] == [(1, 4, 0), (2, 4, 1), (3, 4, 1), (4, 4, 1)]


async def test_a_case_that_takes_too_long_is_an_error():
    async def stuck(case):
        await asyncio.sleep(60)

    report = await run(suite(stuck, 2), timeout=0.01)
    assert [result.error.split(":")[0] for result in report.results] == ["TimeoutError"] * 2


async def test_a_broken_scorer_or_task_is_an_error_of_the_case_and_not_of_the_run():
    def ratio(case, proposed):
        return 7

    async def vague(case):
        return "refund it"

    broken = await run(suite(right, 1, [ratio]))
    assert "ratio gave 7" in broken.results[0].error
    vaguely = await run(suite(vague, 1))
    assert "returned str, not Proposed" in vaguely.results[0].error


async def test_stopping_a_run_stops_its_cases():
    async def stuck(case):
        await asyncio.sleep(60)

    running = asyncio.create_task(run(suite(stuck)))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_gate_decides_the_exit_code():
    gate = {"exact_action": ">= 0.7", "unsafe_approval": "<= 0"}
    scorers = [exact_action, unsafe_approval]
    careful = await run(suite(wrong_for("c0", verdict="review"), scorers=scorers, gate=gate))
    assert (careful.passed, careful.exit_code) == (True, 0)
    careless = await run(suite(wrong_for("c0"), scorers=scorers, gate=gate))
    assert [line.passed for line in careless.gate] == [True, False]
    assert careless.exit_code == 1


@pytest.mark.parametrize("gate", [{"exact_action": ">= 0.9"}, {"unsafe_approval": "<= 0"}, {"errors": "<= 0"}])
async def test_cases_that_fail_to_run_never_help_to_pass(gate):
    async def fragile(case):
        if case.id == "c0":
            raise RuntimeError
        return await right(case)

    scorers = [exact_action, unsafe_approval]
    assert (await run(suite(right, scorers=scorers, gate=gate))).passed
    assert not (await run(suite(fragile, scorers=scorers, gate=gate))).passed


async def test_a_gate_on_something_that_no_case_can_tell_is_not_passed():
    blind = [EvalCase("c0", "text", rejected=(Call("cancel_order", {}),))]
    report = await run(suite(right, data=blind, gate={"exact_action": ">= 0"}))
    assert report.gate[0].value is None and not report.passed


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.sampled_from([">=", ">", "<=", "<"]), st.floats(0, 1))
def test_more_errors_never_turn_a_failed_gate_into_a_passed_one(hits, misses, failed, sign, bound):
    wanted = condition(f"{sign} {bound:.6f}")
    before = judged("x", wanted, hits, hits + misses, failed)
    after = judged("x", wanted, hits, hits + misses, failed + 1)
    if hits + misses:
        assert before.passed or not after.passed


@pytest.mark.parametrize("text", ["0.8", "== 1", ">= 1.5", ">= -1", "<= nan", ">=", "", ">= 0.8.1", ">= 80%", 0.8])
def test_a_condition_that_is_none_is_refused(text):
    with pytest.raises(GateError):
        condition(text)


def test_a_suite_that_makes_no_sense_is_refused_when_it_is_made():
    for wrong in (
        dict(scorers=[]),
        dict(scorers=[exact_action, exact_action]),
        dict(gate={"needless_review": "<= 0"}),
        dict(gate={"exact_action": "good"}),
    ):
        with pytest.raises((SuiteError, GateError)):
            suite(right, **wrong)


@pytest.mark.parametrize("data", [[], [EvalCase("same", "a"), EvalCase("same", "b")]])
async def test_a_suite_without_cases_or_with_two_of_one_id_does_not_run(data):
    with pytest.raises(SuiteError):
        await run(suite(right, data=data))


async def test_a_report_survives_json_and_is_shown_with_n_and_a_named_interval():
    def parts(case, proposed):
        return {"order_id": True, "amount": case.id == "c0"}

    report = await run(suite(wrong_for("c0"), scorers=[exact_action, unsafe_approval, parts], gate={"parts": ">= 0.9"}))
    assert parse_report(json.loads(json.dumps(report.as_json()))) == report
    table = report_table(report)
    assert table.columns[3] == "95% Clopper-Pearson interval"
    assert ("exact_action", "75.0%", "4", "19.4% to 99.4%", "") in table.rows
    assert [row[:3] for row in table.rows[2:]] == [
        ("parts", "62.5%", "4"),
        ("  order_id", "100.0%", "4"),
        ("  amount", "25.0%", "4"),
    ]
    assert "FAILED: parts >= 0.9; it is 62.5%." in table.notes


@pytest.mark.parametrize("stored", [{}, {"version": 2}, [], None])
def test_something_else_is_no_report(stored):
    with pytest.raises(ReportError):
        parse_report(stored)


async def test_two_reports_are_compared_case_by_case():
    scorers = [exact_action, unsafe_approval, needless_review]
    before = await run(suite(wrong_for("c0", "c1"), 5, scorers))
    after = await run(suite(wrong_for("c1", "c2"), 6, scorers))
    exact, unsafe, needless = (found := compare(before, after)).lines
    assert [change.id for change in exact.better] == ["c0"] and [change.id for change in exact.worse] == ["c2"]
    assert [change.id for change in unsafe.better] == ["c0"] and [change.id for change in unsafe.worse] == ["c2"]
    assert (needless.better, needless.worse, needless.n) == ((), (), 5)
    assert found.only_after == ("c5",) and found.only_before == ()
    assert comparison_table(found).rows[0] == ("exact_action", "5", "1", "1", "1.000")


# -- files -----------------------------------------------------------------------------------------------------------

GOOD = 'name: mine\ndata: cases.jsonl\ntask: right\nscorers: [exact_action]\ngate:\n  exact_action: ">= 0.8"\n'
PARTS = Parts(tasks={"right": right})


def written(folder, text=GOOD, lines='{"id": "1", "text": "Broken", "expected": {"tool": "refund", "args": {"order_id": "1"}}}'):
    (folder / "cases.jsonl").write_text(lines)
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


async def test_a_yaml_file_is_a_suite(tmp_path):
    loaded = load_suite(written(tmp_path), PARTS)
    assert (loaded.name, loaded.gate) == ("mine", {"exact_action": ">= 0.8"})
    assert (await run(loaded)).passed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("task: right", "task: wrong", "mine.yaml:3:7: unknown task 'wrong'; known are right"),
        ("[exact_action]", "[exact_action, luck]", "mine.yaml:4:25: unknown scorers 'luck'"),
        ('">= 0.8"', "0.8", "mine.yaml:6:17: gate.exact_action: a condition is text in quotes"),
        ('">= 0.8"', '"= 0.8"', "mine.yaml:6:17: '= 0.8' is not a comparison"),
        ("  exact_action", "  luck", "mine.yaml:6:9: The gate names 'luck'"),
        ("name: mine", "title: mine", "mine.yaml:1:1: name: Field required"),
        ("task: right", "task: right\ntaks: x", "mine.yaml:4:1: taks: unknown key; the keys are name, data, task"),
        ("name: mine", "name: mine\nname: two", "mine.yaml:2:1: 'name' is given twice"),
        ("cases.jsonl", "memory", "mine.yaml:2:7: unknown data 'memory'; known are demo"),
        ("name: mine", "name: [", "mine.yaml:"),
    ],
)
def test_a_mistake_in_a_yaml_file_is_told_with_its_line(tmp_path, old, new, told):
    with pytest.raises(SuiteError) as caught:
        load_suite(written(tmp_path, GOOD.replace(old, new, 1)), PARTS)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('{"id": "1", "text": "a"}\n\n{"id": "2"}', "cases.jsonl:3: text: Field required"),
        ('{"id": "1", "text": "a", "extra": 1}', "cases.jsonl:1: extra: Extra inputs"),
        ('{"id": "1", "text": "a", "expected": {"args": {}}}', "cases.jsonl:1: expected.tool: Field required"),
        ("[]", "cases.jsonl:1:"),
        ("nonsense", "cases.jsonl:1: Invalid JSON"),
    ],
)
async def test_a_mistake_in_a_file_of_cases_is_told_with_its_line(tmp_path, lines, told):
    with pytest.raises(SuiteError) as caught:
        await run(load_suite(written(tmp_path, lines=lines), PARTS))
    assert told in str(caught.value)


async def test_a_missing_file_of_cases_is_told(tmp_path):
    with pytest.raises(SuiteError, match="No such file"):
        await anext(case_file(tmp_path / "nowhere.jsonl")())


PYTHON = """from assent.evals import Call, EvalCase, Proposed, Suite, exact_action

async def task(case):
    return Proposed("refund", {}, "review")

suite = Suite("mine", [EvalCase("1", "Broken", Call("refund", {}))], task, [exact_action], {"exact_action": ">= 1"})
"""


async def test_a_python_file_is_a_suite_or_makes_one_of_parts(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PYTHON)
    assert (await run(load_suite(path, PARTS))).passed
    path.write_text(PYTHON.replace("suite = Suite", "made = Suite") + "\ndef suite(parts):\n    return made\n")
    assert (await run(load_suite(path, PARTS))).passed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PYTHON.replace("Suite(", "Suit("), "mine.py:6: NameError"),
        (PYTHON.replace("async def", "async deaf"), "mine.py:3: SyntaxError"),
        (PYTHON.replace('">= 1"', '"1"'), "mine.py:6: GateError"),
        (PYTHON.replace("suite = ", "suit = "), "mine.py: define `suite`"),
        ("suite = 3", "mine.py: define `suite`"),
    ],
)
def test_a_mistake_in_a_python_file_is_told_with_its_line(tmp_path, text, told):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(SuiteError) as caught:
        load_suite(path, PARTS)
    assert told in str(caught.value)


def test_the_packaged_suites_are_found_by_name_and_say_what_they_lack(tmp_path):
    with pytest.raises(SuiteError, match="no suite 'nowhere'; name one of decisions, demo"):
        find_suite("nowhere", PARTS)
    with pytest.raises(SuiteError, match="unknown task 'fresh_desk'; known are right"):
        find_suite("demo", PARTS)
    found = find_suite("demo", Parts(tasks={"fresh_desk": right}))
    assert found.gate == {"unsafe_approval": "<= 0"}
    assert find_suite(written(tmp_path), PARTS).name == "mine"
