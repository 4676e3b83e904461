"""Contested known answers: the desk's own counting comes to the exact figures, and good people are not called unreliable for it."""

from __future__ import annotations

import random

import pytest
from assent.evals.reviewing.catching import alarm_by
from assent.evals.reviewing.contested import PATIENCE, items_of, seen_catch
from assent.evals.reviewing.reviewers import health
from fakes import NOON
from hypothesis import given, settings
from hypothesis import strategies as st


def answered(rng, catch, mistaken, count, *, settled):
    """Have a person who is like those before them answer known-answer items from past rejections, and a lead like them settle."""

    def rejects(wrong):
        return rng.random() < (catch if wrong else mistaken)

    rows = []
    while len(rows) < count:
        wrong = rng.random() < 0.05
        if not rejects(wrong):
            continue  # it was approved, and is no item
        made = "wrong" if rejects(wrong) else "correct"
        contested = settled and made == "correct"
        word = ("wrong" if rejects(wrong) else "correct") if contested else None
        rows.append(("ada", "wrong", made, NOON if contested else None, word))
    return rows


@pytest.mark.parametrize("mistaken", [0.01, 0.02, 0.03, 0.05])
def test_people_who_catch_95_in_100_are_seen_to_once_a_lead_settles_what_differs(mistaken):
    rng, seen = random.Random(1), {}
    for settled in (False, True):
        rows = answered(rng, 0.95, mistaken, 4_000, settled=settled)
        catch = health([], items_of(rows, NOON), [], 0.8).lines[0].catch
        assert catch.caught / catch.n == pytest.approx(seen_catch(0.95, mistaken, wrong=0.05, settled=settled), abs=0.03)
        seen[settled] = catch.caught / catch.n
    assert seen[False] < 0.8 < 0.9 < seen[True], "the bar is 80%"


def test_so_good_people_are_not_called_unreliable():
    within = {settled: alarm_by(seen_catch(0.95, 0.02, wrong=0.05, settled=settled), 20, 0.8)[-1] for settled in (False, True)}
    assert within[False] > 0.3 and within[True] < 0.001


@settings(deadline=None)
@given(st.sampled_from(["correct", "wrong"]), st.sampled_from(["correct", "wrong", "left out"]), st.booleans(), st.booleans())
def test_an_answer_counts_unless_it_is_open_or_a_lead_stands_behind_it(expected, outcome, asked, late):
    for word in (None, "", "correct", "wrong", "left out"):
        at = NOON if asked or word else None
        (one,) = items_of([("ada", expected, outcome, at, word)], NOON + PATIENCE if late else NOON)
        line = health([], [one], [], 0.8).lines[0]
        differs = {expected, outcome} == {"correct", "wrong"}
        waits = differs and at is not None and not word and not late
        assert line.catch.n + line.refused.n == (0 if waits or (differs and word == outcome) else 1)
