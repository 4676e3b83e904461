"""Simulated years: the desk's own decisions, the same under a seed, and what they show of drift, late labels and reviewers."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

import assent
import pytest
from assent.evals.certify.diagnostics import auroc
from assent.evals.simulation.playing import at_rate, for_rows, play
from assent.evals.simulation.reactions import reactions
from assent.evals.simulation.recorded import Recorded, of_desk, replayed
from assent.evals.simulation.report import findings, simulation_table
from assent.evals.simulation.scenario_file import ScenarioError, checked, names, parsed, scenario_of
from assent.evals.simulation.settings import ActionClass, Change, Chosen, Person, Scenario
from assent.evals.simulation.standing import decided
from assent.evals.simulation.streams import Action, synthetic, volume
from assent.evals.simulation.world import simulated
from assent.graph.authority.earning import earned_of
from assent.graph.autonomy.drawing import draw
from assent.graph.autonomy.scoring import Head, Term, features_of
from assent.graph.signals import Reading
from assent.graph.store import autonomy, reviews
from assent.graph.store.autonomy_models import AutonomyRow
from assent.ui.cli.main import app
from earning import Past, as_signed
from fakes import Script, asks, calls, on_thread
from typer.testing import CliRunner

WORSE = Change(day=60, wrong=0.4, hidden=0.6)
CAREFUL = Chosen(highest="certified")
"""Nothing rises above certified, where a fifth is audited."""


def scenario(**how):
    """Return a scenario of a busy class that earns something within weeks."""
    what = {"tool": "refund", "per_day": 120.0, "wrong": 0.04} | how.pop("what", {})
    return checked(Scenario(**{"days": 90, "classes": (ActionClass(**what),)} | how))


@pytest.fixture(scope="module")
def steady():
    return play(scenario(), seed=1)


@pytest.fixture(scope="module")
def drifting():
    return play(scenario(what={"changes": (WORSE,)}, chosen=CAREFUL), seed=1, repeat=2)


def test_a_seed_tells_the_whole_year(steady):
    assert play(scenario(), seed=1).as_json() == steady.as_json()
    assert play(scenario(), seed=2).as_json()["years"] != steady.as_json()["years"]


async def test_the_simulation_decides_and_draws_as_the_desk_did(opened, till):
    """Every action of a real desk, decided again from what its row keeps."""
    desk, source = opened, random.Random(7)

    async def measured(tool, args, step, propose):
        return Reading("agreement", source.random(), {}, 0.0, 0, True)

    measured.name = "agreement"
    gated = assent.Policy((assent.on("note", lambda facts: assent.Ruling("gate", "If sure.")),))
    lines = [calls(("note", {"text": f"n{number}"})) for number in range(20)]
    how = {"propose": Script(*lines), "signals": [measured], "actions_per_turn": 1, "model_name": "scripted"}
    agent = desk.agent(tools=till.tools, policy=gated, **how)

    async def stored(thread):
        await agent.ainvoke(asks(), on_thread(thread))
        async with desk.store.read() as tx:
            return (await reviews.actions_of_thread(tx, thread))[0]

    first = await stored("t0")
    head = Head((Term("agreement", 2.0, 0.5, 0.3),), 0.5).as_json()
    async with desk.store.begin() as tx:
        row = AutonomyRow(tenant=first.tenant, agent=first.agent, tool="note", version=0, since=desk.clock())
        passing = {"key": first.provenance["earned"]["key"], "head": head, "threshold": 0.6}
        values = {"level": 2, "certificate": await as_signed(tx, first.agent, "note", **passing), **passing}
        values["watched_until"] = desk.clock() + timedelta(hours=1)
        assert await autonomy.change(tx, row, **values, share=0.5, seed="s")
        earned = earned_of(await autonomy.get(tx, first.tenant, first.agent, "note"))
    rows = [await stored(f"t{number}") for number in range(1, 20)]
    verdicts = []
    for kept in rows:
        known = kept.provenance["earned"]
        features = features_of(kept.tool, kept.readings, kept.reasons)
        found = decided(
            earned, Action(kept.id, 0, 0, kept.thread, known["key"], features, False, 0.0), kept.consequence, kept.created_at
        )
        assert (found.way, found.confidence, found.threshold) == (kept.verdict, kept.confidence, kept.threshold)
        assert (found.draw, found.audited, found.share) == (known["draw"], known["audited"], known["share"])
        assert found.reason in str(kept.reasons)
        verdicts.append((kept.verdict, known["audited"]))
    assert {("review", False), ("allow", False), ("allow", True)} <= set(verdicts)


def test_a_simulated_year_passes_audits_exactly_what_its_draws_say(monkeypatch):
    """Watch every decision of a year: what passed reached the threshold, and was audited iff its draw was below the share."""
    seen = []

    def watched(earned, action, *how):
        found = decided(earned, action, *how)
        seen.append((earned, action, found))
        return found

    monkeypatch.setattr("assent.evals.simulation.standing.decided", watched)
    year = simulated(scenario(), 1)
    passed = [(earned, action, found) for earned, action, found in seen if found.way == "allow"]
    assert len(seen) == year.total.proposed and len(passed) == year.total.passed > 1000
    for earned, action, found in passed:
        assert earned.head.score(action.features) >= earned.threshold
        assert found.audited == (draw(earned.seed, action.id) < earned.share)


def test_signals_are_worth_what_was_asked_for():
    what = ActionClass(tool="refund", per_day=20_000, wrong=0.3, auroc=0.9, second_auroc=0.75, hidden=0.0)
    (today,) = synthetic([what], 1, 3)
    wrong = [action.wrong for action in today]
    assert sum(wrong) / len(wrong) == pytest.approx(0.3, abs=0.02)
    assert auroc([action.risk for action in today], wrong) > 0.9
    assert 0.86 < auroc([1 - action.features["agreement"] for action in today], wrong) < 0.91
    assert auroc([1 - action.features["self_assessment"] for action in today], wrong) == pytest.approx(0.75, abs=0.02)
    assert sum(action.risk for action in today) / len(today) == pytest.approx(0.3, abs=0.02)
    sure = [action for action in today if action.risk < 0.05]
    assert sum(action.wrong for action in sure) / len(sure) == pytest.approx(sum(a.risk for a in sure) / len(sure), abs=0.01)


def test_volume_breathes_with_the_week_and_the_year():
    what = ActionClass(tool="refund", per_day=100, weekend=0.5, season=0.2)
    days = [volume(what, day) for day in range(364)]
    assert sum(days) / 364 == pytest.approx(100, rel=0.01)
    assert days[5] / days[4] == pytest.approx(0.5, rel=0.01) and max(days) > 1.3 * min(days[:5])


def test_a_stream_that_stays_as_it_is_keeps_the_promise(steady):
    (year,) = steady.years
    total = year.total
    assert total.passed > total.proposed / 3
    assert total.passed_wrong <= total.promised and total.risk <= total.promised
    assert not any(event.true for event in year.events)


def test_a_change_for_the_worse_is_noticed_takes_the_class_down_and_what_ran_is_bounded(drifting):
    for year in drifting.years:
        (found,) = reactions(drifting.scenario, year)
        assert found.passed_before and found.noticed is not None
        before = [event for event in year.events if event.day < found.noticed and event.what in ("signed", "demoted")][-1]
        after = next(event for event in year.events if event.what == "demoted" and event.day >= found.day)
        assert after.level == before.level - 1
        assert found.wrong < 0.45 * 150 * (found.noticed - found.day + 1) and found.noticed - found.day < 14
        first = found.passing_again or len(year.days[0])
        assert all(day.passed == 0 for day in year.days[0][found.noticed + 1 : first])
    assert any("change for the worse of refund on day 60 was noticed in 2 of 2" in told for told in findings(drifting))


def test_another_model_voids_the_certificate_with_its_first_action():
    report = play(scenario(what={"changes": (Change(day=60, model="model-2"),)}), seed=1)
    (year,) = report.years
    (found,) = reactions(report.scenario, year)
    assert found.passed_before and found.noticed == 60 and year.days[0][60].passed == 0
    assert year.days[0][59].passed > 0 and (found.passing_again is None or found.passing_again > 62)
    assert any("made its certificate void with the first action in 1 of 1" in told for told in findings(report))


def test_late_labels_delay_what_is_earned_and_break_nothing(steady):
    late = tuple(Person(name=name, delay=10.0) for name in ("ann", "ben", "cem"))
    report = play(scenario(people=late), seed=1)
    first = [min(signed.day for signed in one.years[0].signed) for one in (steady, report)]
    assert first[1] > first[0]
    total = report.years[0].total
    assert total.passed and total.risk <= total.promised and total.waited > 8 * total.reviews


def test_a_rubber_stamp_is_found_by_known_answers():
    people = (Person(name="ann"), Person(name="ben"), Person(name="rob", habit="rubber stamp", since=20, seconds=3.0))
    report = play(scenario(people=people, what={"wrong": 0.12}), seed=1)
    assert "rob" in report.years[0].suspects
    assert any("Known-answer items showed in 1 of 1" in told for told in findings(report))


def test_where_everybody_stamps_the_report_says_what_certificates_are_worth():
    report = play(scenario(people=(Person(name="rob", habit="rubber stamp"),), what={"wrong": 0.2}), seed=1)
    (year,) = report.years
    assert year.signed and year.total.risk > year.total.promised and not year.suspects
    assert any("no more than that these reviewers agreed with the agent" in told for told in findings(report))


def test_people_who_cannot_keep_up_leave_a_queue():
    report = play(scenario(days=30, people=(Person(name="ann", minutes=20),)), seed=1)
    assert report.years[0].total.waiting > 1000 and any("could not keep up" in told for told in findings(report))
    assert report.years[0].total.minutes < 30 * 22


def test_whoever_signs_nothing_has_everything_reviewed():
    chosen = replace(Scenario().chosen, highest="supervised")
    report = play(scenario(days=40, chosen=chosen), seed=1)
    assert report.years[0].total.passed == 0 and "In none of 1 simulated year" in findings(report)[0]


def test_recorded_rows_are_drawn_by_whole_conversations():
    features = [{"agreement": number / 10} for number in range(10)]
    rows = Recorded(features, [number % 5 != 0 for number in range(10)], [number // 2 for number in range(10)])
    what = ActionClass(tool="refund", per_day=300, wrong=rows.wrong, changes=(Change(day=20, wrong=0.5),))
    days = list(replayed([what], [rows], 40, 1))
    assert days == list(replayed([what], [rows], 40, 1))
    pairs = {}
    for action in days[0]:
        pairs.setdefault(action.group, []).append(action.features["agreement"])
    whole = [found for found in pairs.values() if len(found) == 2]
    assert len(whole) > 100 and all(round(10 * b) == round(10 * a) + 1 for a, b in whole)
    before, after = ([action.wrong for day in part for action in day] for part in (days[:20], days[20:]))
    assert sum(before) / len(before) == pytest.approx(0.2, abs=0.02) and sum(after) / len(after) > 0.3


async def test_a_desks_own_decided_actions_are_drawn_from(opened):
    with pytest.raises(ScenarioError, match="no decided actions"):
        await of_desk(opened.store, opened.clock, "ada")
    past = Past(opened.store)
    await past.write(30, consequence="costly")
    await past.write(10, "reject", sure=0.4, consequence="costly")
    ((name, rows),) = found = await of_desk(opened.store, opened.clock, "ada")
    assert (name, len(rows.correct), rows.wrong, rows.costly) == ("assent note", 40, 0.25, True)
    played = for_rows(scenario(days=10), found)
    assert played.classes[0].consequence == "costly"
    report = play(played, rows=[rows])
    assert report.years[0].total.caught > 150 and "drawn from 40 recorded rows" in findings(report)[0]


def test_every_packaged_scenario_can_be_played():
    assert set(names()) >= {"steady", "drift", "slow-drift", "rubber-stamp", "adversary", "rare-errors", "late-labels"}
    for name in names():
        short = replace(at_rate(scenario_of(name), 20.0), days=10)
        assert scenario_of(name).name == name and play(short).years[0].total.proposed > 100


@pytest.mark.parametrize(
    "text, told",
    [
        ("classes:\n  - tool: a\n    wrng: 1\n", r"s.yaml:3:5: classes.0.wrng: unknown key; the keys are tool, .*changes$"),
        ("classes:\n  - tool: a\n    wrong: 1.5\n", r"s.yaml:3:12: classes.0.wrong: .*less than or equal to 1"),
        ("classes:\n  - tool: a\n  - tool: a\n", r"s.yaml:3:5: classes: 'a' is there twice"),
        ("clases: []\n", r"s.yaml:1:1: clases: unknown key; the keys are name, about, days, .*costs$"),
        ("people: []\n", r"s.yaml:1:9: people: .*at least 1 item"),
        ("- tool: a\n", r"s.yaml:1:1: this is a mapping of name, .*costs$"),
        ("days: [1\n", r"s.yaml:\d+:\d+: "),
    ],
)
def test_a_mistake_in_a_scenario_file_is_told_in_one_line_with_its_place(text, told):
    with pytest.raises(ScenarioError, match=told) as found:
        parsed(text.encode(), "s.yaml")
    assert "\n" not in str(found.value)


def run(*arguments):
    return CliRunner().invoke(app, ["simulate", *arguments])


def test_the_command_prints_a_table_findings_and_a_picture(tmp_path):
    few = ("--days", "36", "--per-day", "100", "--seed", "3")
    done = run("--scenario", "drift", "--compare", "steady", *few, "--plot", str(tmp_path / "a.svg"))
    assert done.exit_code == 0 and "passed without a person" in done.stdout and "- " in done.stdout
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<?xml")
    told = json.loads(run("--json", "--alpha", "0.03", *few).stdout)
    assert told["scenario"]["chosen"]["alpha"] == 0.03 and len(told["years"][0]["weeks"]["refund"]) == 6
    assert told["findings"] and told["years"][0]["seed"] == 3


def test_rows_of_a_file_are_played_as_a_class(tmp_path):
    lines = [json.dumps({"correct": number % 8 > 0, "conversation": number // 2, "agreement": 0.5}) for number in range(80)]
    (tmp_path / "refunds.jsonl").write_text("\n".join(lines), "utf-8")
    done = run("--rows", str(tmp_path / "refunds.jsonl"), "--group", "conversation", "--days", "20", "--json")
    (year,) = json.loads(done.stdout)["years"]
    assert list(year["weeks"]) == ["refunds"] and year["total"]["proposed"] > 3000


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--scenario", "drfit"], "there is no scenario 'drfit'; name one of adversary, drift"),
        (["--scenario", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["--alpha", "2"], "chosen.alpha: Input should be less than 1"),
        (["--highest", "top"], "chosen.highest: Input should be"),
        (["--per-day", "1e12"], "classes.0.per_day: Input should be less than"),
        (["--days", "5", "--plot", "a.pdf"], "a.pdf: a plot is written as .png or .svg"),
        (["--rows", "a.jsonl", "--desk"], "Name --rows or --desk, not both."),
        (["--rows", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(arguments, told):
    done = run(*arguments)
    assert str(done.exception).startswith(told) and "\n" not in str(done.exception) and getattr(done.exception, "code", 0) == 2


def test_a_table_has_a_column_for_each_scenario(steady, drifting):
    table = simulation_table([steady, replace(drifting, scenario=replace(drifting.scenario, name="other"))])
    assert table.columns == ("", "scenario", "other") and all(len(row) == 3 for row in table.rows)
