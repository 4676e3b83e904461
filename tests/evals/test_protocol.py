"""The scoring protocol: repeatable, plain about what is missing, and able to catch thresholds tuned on their own labels."""

import json
import os
import random
from pathlib import Path

import pytest
from assent.evals.protocol import choices
from assent.evals.protocol.__main__ import main
from assent.evals.protocol.alarms import ring
from assent.evals.protocol.editing import read_editing
from assent.evals.protocol.guarantee import certified, measure, tuned
from assent.evals.protocol.known import known_truth
from assent.evals.protocol.questions import by_category, by_request, read_questions, scorable
from assent.evals.protocol.run import run_own, run_protocol
from assent.evals.protocol.scored import Scorable, as_agreed, halves, scored_across, scored_between
from assent.evals.protocol.shop import read_shop
from assent.evals.protocol.table import targets
from assent.evals.protocol.writes import HEADLINE, agent, find_across, find_between, read_writes, with_agents

pytest.importorskip("sklearn", reason="scikit-learn (extra `calibrate`) is not installed")

OUTSIDE = Path(os.environ.get("ASSENT_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
outside = pytest.mark.skipif(not (OUTSIDE / "dev").is_dir(), reason="the rows of real agents are not here; set ASSENT_DATA")


def questions(seed, n=400, models=("one", "two")):
    """Rows of the protocol's form: more agreement is more often right, and where no tool fits every call is wrong."""
    draw = random.Random(seed)
    rows = []
    for place in range(n):
        category = draw.choice(["simple", "parallel", "relevance"])
        for model in models:
            votes = {name: int(draw.random() < 0.7) for name in "abcd"}
            right = category != "relevance" and draw.random() < 0.75 + 0.25 * sum(votes.values()) / 4
            rows.append({"model": model, "qid": f"q{place}", "category": category, "correct": right, "agree": votes})
    return rows


def writes(seed, tasks=40):
    """Writes of four runs a task; what fewer runs agree on is more often wrong."""
    draw = random.Random(seed)
    rows = []
    for task in range(tasks):
        for run, source in enumerate(["m (TC)", "m (TC+rules)", "m (assertions agent)", "m (assertions, other)"]):
            agreed = draw.choice([0.0, 1 / 3, 2 / 3, 1.0])
            wrong = draw.random() < (0.7 if agreed < 0.5 else 0.1)
            rows.append(
                {
                    "domain": "retail" if task % 2 else "airline",
                    "task": task,
                    "run": f"{task}-{run}",
                    "source": source,
                    "tool": "cancel",
                    "args": {"order": draw.choice("ab")},
                    "label": "wrong" if wrong else "correct",
                    "dry_run_ok": draw.random() < 0.9,
                    "signals": {"agreement_other_runs": agreed, "prior_messages": run, "policy_violations": []},
                }
            )
    return rows


def write(folder, name, rows):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def test_the_same_seed_gives_the_same_numbers_whatever_the_order_of_the_rows(tmp_path):
    rows = write(tmp_path / "rows", "bfcl_agreement.jsonl", questions(1))
    first = run_protocol(rows, splits=10, streams=3, seed=4)
    assert run_protocol(rows, splits=10, streams=3, seed=4) == first
    assert run_protocol(rows, splits=10, streams=3, seed=5)["questions"] != first["questions"]
    a, b = halves(scorable(questions(1), by_category), 7), halves(scorable(questions(1)[::-1], by_category), 7)
    assert [{row.group for row in half} for half in a] == [{row.group for row in half} for half in b]
    assert not {row.group for row in a[0]} & {row.group for row in a[1]}


def test_a_threshold_tuned_on_its_own_labels_is_caught():
    certificate, careful, cheater = known_truth(draws=300)
    assert certificate.broken <= 0.10 + 0.04 < cheater.broken, "300 draws at delta 10% go astray by at most .04"
    assert careful.broken <= 0.14 and certificate.coverage < careful.coverage, "labels where they can matter are worth more"
    assert 0 < certificate.coverage < cheater.coverage


def test_a_certificate_lets_through_what_it_promised_and_the_cheater_more():
    rows = scorable(questions(2, n=700), by_request)
    scored = scored_across(rows, seed=0)
    kept = measure(scored, "certificate", splits=20, alpha=0.25, rule=certified(0.25))
    greedy = measure(scored, "tuned", splits=20, alpha=0.25, rule=tuned(0.25))
    assert kept.risk <= 0.25 and kept.rejected <= 0.15
    assert greedy.broken > kept.broken and greedy.coverage > kept.coverage > 0
    assert all(one.labels == 320 and one.rows == 700 for one in kept.classes)


def test_few_rows_are_never_all_labelled_and_a_question_is_labelled_once():
    rows = [Scorable("one", f"g{place // 2}", True, {"agreement": 1.0}) for place in range(100)]
    drawn = []

    def rule(scores, correct, fitted):
        drawn.append(len(scores))
        return 0.0

    (one,) = measure(scored_between(rows, rows), "few", splits=3, rule=rule).classes
    assert one.labels == 75 and drawn == [50, 50, 50], "at most three quarters of the rows, and 50 groups give no more than 50"
    assert one.coverage == 1.0 and one.risk == 0.0


def test_a_model_a_category_and_a_signal_that_the_fit_never_saw_are_scored():
    fit = scorable(questions(3), by_category)
    new = [
        {"model": "three", "qid": "x", "category": "irrelevance", "correct": True, "agree": {}},
        {"model": "three", "qid": "y", "category": None, "correct": True, "agree": {"e": 1}},
        {"model": "three", "qid": "z", "correct": False},
    ]
    (scored,) = scored_between(fit, scorable(new, by_category))
    assert scored.kind == "three" and len(scored.fit_scores) == len(fit), "candidates of the fitted classes stand in"
    (raw,) = scored_between(fit, scorable(new, by_category), fitter=as_agreed)
    assert raw.scores == (-1.0, 1.0, -1.0), "what cannot be told is below every threshold"


def test_a_request_without_a_fitting_tool_is_told_by_the_category_only():
    (row,) = [{"model": "m", "qid": "q", "category": "relevance", "correct": False, "agree": {"a": 1, "b": 0}}]
    assert by_request(row) == {"agreement": 0.5, "category:simple": 1.0}
    assert by_category(row) == {"agreement": 0.5, "category:relevance": 1.0}
    assert scorable([{**row, "no_call": True}], by_category) == []


def test_wrong_writes_are_found_by_agreement_and_only_those_that_could_run_count(tmp_path):
    rows = writes(1)
    folder = write(tmp_path / "rows", "tau_writes.jsonl", rows)
    held, proposed = read_writes(folder, with_agents)
    assert len(held) == sum(row["dry_run_ok"] for row in rows) and sum(proposed.values()) == len(rows)
    found = {one.domain: one for one in find_across(held, proposed, seed=0, halvings=4)}
    assert all(one.auroc > 0.6 and one.found > 0.25 and one.found_of_proposed >= one.found for one in found.values())
    unseen = {one.domain: one for one in find_between(held[:60], held[60:], {})}
    assert unseen["retail"].found == unseen["retail"].found_of_proposed, "what was proposed is not known: those that could run"


def test_agents_are_told_apart_and_vote_by_kind():
    rows = [{**row, "task": 1, "domain": "retail", "args": {"items": ["B", "a"]}} for row in writes(2, tasks=1)]
    rows[3]["args"] = {"items": ["a"]}
    assert [agent(row) for row in rows] == ["TC", "TC", "assertions", "assertions"]
    assert with_agents(rows[0], rows) | {"agreement": 0} == {
        "agreement": 0,
        "flag:policy": 0.0,
        "agent:TC": 1.0,
        "vote:TC": 1.0,
        "vote:assertions": 0.5,
    }


def test_editing_repairs_what_rejecting_leaves_missing(tmp_path):
    edit = {"tool": "cancel", "args": {"order": "a"}}
    oracle = {"w1": ("edit", edit), "w2": ("edit", edit), "w3": ("reject", None)}
    lines = [{"id": name, "oracle": {"decision": said, "edit": what}} for name, (said, what) in oracle.items()]
    write(tmp_path, "tau_writes.jsonl", lines)
    runs = [
        {"db_correct": True, "missing_gold": 0, "writes": []},
        {"db_correct": False, "missing_gold": 0, "writes": ["w3"]},
        {"db_correct": False, "missing_gold": 1, "writes": ["w1"]},
        {"db_correct": False, "missing_gold": 2, "writes": ["w1", "w2"]},
    ]
    write(tmp_path, "tau_runs.jsonl", [{"domain": "retail", **run} for run in runs])
    done, everything = read_editing(tmp_path)
    assert (done.unreviewed, done.rejecting, done.editing) == (0.25, 0.5, 0.75), "the same edit twice repairs once"
    assert everything.domain == "all" and everything.runs == 4


def test_the_monitor_rarely_rings_without_cause_and_soon_with_one():
    quiet, loud = (
        ring("betting monitor", alpha=0.05, factor=1, streams=40),
        ring("betting monitor", alpha=0.05, factor=3, streams=40),
    )
    assert quiet.rang <= 0.15 and quiet.delay is None and loud.rang == 1 and loud.delay < 80
    assert ring("repeated z-test", alpha=0.05, factor=1, streams=40).rang > quiet.rang


def test_the_repositorys_own_rows_are_read_and_keep_their_promises():
    rows = read_shop()
    assert len(rows) == 448 == len({row.group for row in rows}) and all("agreement" in row.features for row in rows)
    own = run_own(splits=8, draws=20)["shop"]
    assert own["rows"] == 448 and all(
        line["risk"] is None or line["risk"] <= line["alpha"] + 0.1 for line in own["lines"] if "tuned" not in line["name"]
    )


def test_the_command_says_what_is_skipped_what_is_wrong_and_ends_with_the_verdict(tmp_path, capsys):
    rows = write(tmp_path / "rows", "bfcl_agreement.jsonl", questions(5, n=120))
    arguments = ["--rows", str(rows), "--splits", "4", "--streams", "2"]
    assert main(arguments) in (0, 1)
    said = capsys.readouterr().out
    assert "writes: skipped, there is no tau_writes.jsonl" in said and "Guaranteed autonomy" in said
    assert main([*arguments, "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["editing"] == {"skipped": "there is no tau_runs.jsonl, no tau_writes.jsonl"}
    assert main(["--rows", str(tmp_path / "none")]) == 2
    (rows / "bfcl_agreement.jsonl").write_text('{"model": "m"}\n')
    assert main(arguments) == 2
    assert "line 1: the row has no qid, correct" in capsys.readouterr().err


@outside
def test_real_rows_reach_the_targets_that_do_not_hang_on_a_few_errors():
    result = run_protocol(OUTSIDE / "dev", splits=10, streams=20)
    by_name = {one["name"]: one for one in result["questions"]["heads"]}
    assert by_name["agreement and category"]["coverage"] > 0.7 > by_name["agreement alone"]["coverage"]
    assert all(one["risk"] <= 0.05 and one["rejected"] <= 0.15 for one in by_name.values())
    found = {one["domain"]: one for one in result["writes"]["heads"][HEADLINE]}
    assert found["retail"]["auroc"] > 0.88 and found["airline"]["auroc"] > 0.75
    assert any(one.what.startswith("guaranteed autonomy") and one.met for one in targets(result))
    assert len(read_questions(OUTSIDE / "dev", by_category)) == 3115


def test_the_figures_of_the_reserve_and_of_drift_can_be_made_again():
    kept = {row[0]: row for row in choices.reserves(3).rows}
    assert len(kept["0"]) == 2 + len(choices.CALMS) and int(kept["0.2"][-1]) < int(kept["0"][-1]) / 2
    assert choices.weighted(1).rows[0][2] == "0.0%" and len(choices.drifting(1).rows) == len(choices.DRAWN)
