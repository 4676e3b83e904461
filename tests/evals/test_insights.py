from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from assent.evals.insights import measured
from assent.evals.insights.measured import Labelled
from assent.graph.autonomy.scoring import Head, Term

START = datetime(2026, 3, 2, tzinfo=UTC)


def rows(count: int, seed: int = 1) -> list[Labelled]:
    """Return decided actions that are right as often as their agreement says."""
    source = random.Random(seed)
    found = []
    for number in range(count):
        agreement = source.choice((0.2, 0.6, 1.0))
        found.append(Labelled({"agreement": agreement}, source.random() < agreement, START + timedelta(hours=number)))
    return found


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


def test_a_fitted_diagram_needs_a_fitted_head() -> None:
    assert "that needs 200 decided actions, 30 of them wrong; there are 50" in measured.calibrated_diagram(rows(50), None).note
    head = Head((Term("agreement", 1.0, 0.6, 0.3),))
    assert measured.calibrated_diagram(rows(50), head).n == 50
