from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assent.evals.certify.labels import Label, Labels
from assent.evals.insights import drifting, measured
from assent.graph.autonomy.classes import Key
from assent.graph.autonomy.scoring import AGREEMENT, Head, Term
from assent.graph.store.classes import Decided, Measured

START = datetime(2026, 3, 2, tzinfo=UTC)
KEY = Key("agent", "tool", "model", "prompt", "policy", "schema")
FITTED = Head((Term("agreement", 1.0, 0.6, 0.3),))


def rows(count: int, *, wrong_from: int | None = None, edited: float = 0.0, seed: int = 1) -> list[Label]:
    """Return decided actions that are right as often as their agreement says, and edited instead of rejected as often as said."""
    source, found = random.Random(seed), []
    for number in range(count):
        agreement = source.choice((0.2, 0.6, 1.0))
        correct = source.random() < agreement
        if wrong_from is not None:
            correct = number < wrong_from or source.random() < 0.5
        decision = "approve" if correct else "edit" if source.random() < edited else "reject"
        at, features = START + timedelta(hours=number), {"agreement": agreement}
        found.append(Label(f"act-{number}", f"case-{number}", features, correct, "review", decision, at, 1.0, 1.0, source.random()))
    return found


def labels(found: list[Label]) -> Labels:
    return Labels("agent", "tool", KEY, "reversible", rows=tuple(reversed(found)), share=min(row.share for row in found))


def test_every_decided_action_is_in_one_bin_and_the_bins_add_up() -> None:
    found = rows(200)
    diagram = measured.raw_diagram(found)
    assert diagram.n == sum(one.n for one in diagram.bins) == 200
    assert sum(one.correct for one in diagram.bins) == sum(one.correct for one in found)
    assert diagram.error is not None and diagram.error < 0.1


def test_too_few_rows_are_said_and_not_drawn() -> None:
    assert measured.raw_diagram(rows(7)).bins == ()
    assert measured.raw_diagram(rows(7)).note.startswith("3 more decided actions")
    assert measured.curve(rows(9), None, None).note.startswith("1 more decided action")


def test_a_fitted_diagram_needs_a_fitted_head_and_leaves_out_what_it_was_fitted_on() -> None:
    found = labels(rows(300))
    wrong = sum(not row.correct for row in found.rows)
    assert f"there are 300 and {wrong}" in measured.calibrated_diagram((), AGREEMENT, found).note
    held_out = measured.certifying(found, fitted=True)
    assert len(measured.certifying(found, fitted=False)) == 300 and 100 < len(held_out) < 200
    assert measured.calibrated_diagram(held_out, FITTED, found).n == len(held_out)


def test_a_week_counts_what_people_decided_and_leaves_out_what_measures_them() -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    said = [
        ("approve", 0, "action"),
        ("edit", 1, "audit"),
        ("reject", 6, "action"),
        ("respond", 7, "action"),
        ("reject", 1, "known"),
    ]
    found = measured.weeks([Decided(type, monday + timedelta(days=day), kind) for type, day, kind in said])
    assert [(week.monday, week.n, week.edited, week.rejected, week.answered) for week in found] == [
        ("2026-03-02", 3, 1, 1, 0),
        ("2026-03-09", 1, 0, 0, 1),
    ]


def test_more_rejections_than_before_are_an_early_warning_and_the_same_share_is_none() -> None:
    told, _ = drifting.warnings([], labels(rows(400, wrong_from=200)))
    assert [warning.text.partition(" went ")[0] for warning in told] == ["Rejections"]
    assert "0% before (n 200)" in told[0].text
    assert drifting.warnings([], labels(rows(400)))[0] == ()


def test_asking_about_less_is_no_drift() -> None:
    """Once things pass, people see the less sure rest: its higher error rate must not look like a change of the agent."""
    found = rows(1_200, seed=3)
    signed = found[600].at
    later = [
        replace(row, share=0.2, source="audit" if row.features["agreement"] != 0.2 else "review")
        for row in found
        if row.at >= signed and (row.features["agreement"] == 0.2 or row.draw < 0.2)
    ]
    assert sum(not row.correct for row in later) / len(later) > 1.4 * sum(not row.correct for row in found) / len(found)
    assert drifting.warnings([], labels([row for row in found if row.at < signed] + later))[0] == ()


def test_fewer_resamples_that_agree_are_an_early_warning() -> None:
    readings = [
        Measured(START + timedelta(hours=number), [{"signal": "agreement", "value": 1.0 if number < 200 else 0.4}])
        for number in range(400)
    ]
    told, note = drifting.warnings(readings, None)
    assert told[0].text.startswith("Agreement of resamples went down") and "rejections, edits" in note
