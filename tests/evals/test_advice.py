"""Which oversight mode is advised on what evidence: laws, worked numbers, and what is said to be missing."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from assent.evals.advising.action_types import MODES, ActionType, CertifiedShare, fewest_rows
from assent.evals.advising.advice import advise, advise_all, ceiling_of
from assent.evals.advising.obstacles import obstacles
from assent.evals.advising.oversight_costs import Costs, Rates, expected, expense
from assent.evals.certify.system_risk import system_risk
from assent.tools.declaration import CONSEQUENCES
from hypothesis import given, settings
from hypothesis import strategies as st

SHARE = st.floats(0, 1, allow_nan=False)
MONEY = st.floats(0, 5_000, allow_nan=False)


@st.composite
def kinds(draw: st.DrawFn) -> ActionType:
    labelled = draw(st.integers(0, 400))
    wrong = draw(st.integers(0, min(labelled, 20)))
    known = draw(st.integers(0, 40))
    accepted = draw(st.integers(1, 600))
    certificate = CertifiedShare(
        draw(st.floats(0.05, 1)), draw(st.floats(0, 0.1)), accepted, draw(st.integers(0, min(2, accepted)))
    )
    return ActionType(
        tool="refund",
        consequence=draw(st.sampled_from(CONSEQUENCES)),  # type: ignore[arg-type]
        volume=draw(st.sampled_from([0.0, 90.0])),
        labelled=labelled,
        wrong=wrong,
        edited=draw(st.none() | st.integers(0, wrong)),
        labels=draw(st.sampled_from(["decisions", "truth"])),  # type: ignore[arg-type]
        review_seconds=draw(st.none() | st.floats(0, 300)),
        wait_seconds=draw(st.none() | st.floats(0, 90_000)),
        undo=draw(st.booleans()),
        veto_seconds=draw(st.none() | st.floats(0, 3_600)),
        known=known,
        caught=draw(st.integers(min(known, known * 3 // 4), known)),
        certificate=draw(st.none() | st.just(certificate)),
        drift=draw(st.booleans()),
        ceiling=draw(st.sampled_from([None, *MODES])),
    )


@st.composite
def costs(draw: st.DrawFn) -> Costs:
    reject = draw(SHARE)
    return Costs(
        wrong={name: draw(MONEY) for name in CONSEQUENCES},
        reviewer_hour=draw(MONEY),
        waiting_hour=draw(st.floats(0, 50)),
        watched=draw(SHARE),
        reject_saves=reject,
        undo_saves=reject * draw(SHARE),
    )


def looseness(kind: ActionType, prices: Costs) -> int:
    return MODES.index(advise(kind, prices).mode)


@settings(deadline=None, max_examples=150)
@given(kinds(), costs(), st.integers(2, 20))
def test_more_evidence_of_the_same_share_never_makes_the_mode_stricter(kind: ActionType, prices: Costs, times: int) -> None:
    more = replace(
        kind,
        labelled=kind.labelled * times,
        wrong=kind.wrong * times,
        edited=kind.edited and kind.edited * times,
        known=kind.known * times,
    )
    more = replace(more, caught=kind.caught * times)
    assert looseness(more, prices) >= looseness(kind, prices)


@settings(deadline=None, max_examples=150)
@given(kinds(), costs(), st.floats(1, 50))
def test_dearer_errors_never_make_the_mode_looser(kind: ActionType, prices: Costs, times: float) -> None:
    dearer = replace(prices, wrong={name: value * times for name, value in prices.wrong.items()})
    assert looseness(kind, dearer) <= looseness(kind, prices)


@settings(deadline=None, max_examples=100)
@given(kinds(), costs())
def test_one_more_error_never_makes_the_mode_looser(kind: ActionType, prices: Costs) -> None:
    worse = replace(kind, labelled=kind.labelled + 1, wrong=kind.wrong + 1, edited=None)
    assert looseness(worse, prices) <= looseness(replace(kind, edited=None), prices)


@settings(deadline=None, max_examples=100)
@given(kinds(), costs())
def test_knowing_less_of_reviewers_never_makes_the_mode_looser(kind: ActionType, prices: Costs) -> None:
    known = replace(kind, labels="truth")
    assert looseness(replace(known, known=0, caught=0), prices) <= looseness(known, prices)


@settings(deadline=None, max_examples=150)
@given(kinds(), costs())
def test_nothing_is_advised_beyond_its_ceiling_or_without_what_it_needs(kind: ActionType, prices: Costs) -> None:
    advice = advise(kind, prices)
    assert MODES.index(advice.mode) <= MODES.index(ceiling_of(kind))
    if kind.consequence == "irreversible" and kind.ceiling is None:
        assert advice.mode == "in the loop"
    if advice.mode == "on the loop":
        assert kind.undo or kind.veto_seconds is not None
    if advice.mode == "automatic" and kind.consequence in ("costly", "irreversible"):
        assert kind.certificate is not None and kind.passed_share[1] <= 0.01
    if advice.mode != "in the loop" and kind.consequence != "read":
        assert not kind.drift and kind.passed_share[1] <= 0.10
        assert kind.labels == "truth" or kind.catch[0] >= 0.8


@settings(deadline=None, max_examples=150)
@given(kinds(), costs(), st.sampled_from(MODES), SHARE, SHARE, SHARE, SHARE)
def test_costs_rise_with_errors_prices_and_times_and_fall_with_better_reviewers(
    kind: ActionType, prices: Costs, mode: str, queue: float, passed: float, catch: float, edits: float
) -> None:
    here = Rates(queue, passed, catch, edits)

    def money(kind: ActionType = kind, prices: Costs = prices, rates: Rates = here) -> float:
        return expense(kind, prices, mode, rates).money * (1 + 1e-9) + 1e-6  # type: ignore[arg-type]

    now = expense(kind, prices, mode, here).money  # type: ignore[arg-type]
    assert money(rates=replace(here, queue=min(1, queue + 0.1))) >= now
    assert money(rates=replace(here, passed=min(1, passed + 0.1))) >= now
    assert money(rates=replace(here, catch=max(0, catch - 0.1))) >= now
    assert money(rates=replace(here, edits=max(0, edits - 0.1))) >= now
    assert money(prices=replace(prices, wrong={name: value + 1 for name, value in prices.wrong.items()})) >= now
    assert money(prices=replace(prices, reviewer_hour=prices.reviewer_hour + 1)) >= now
    assert money(prices=replace(prices, waiting_hour=prices.waiting_hour + 1)) >= now
    assert money(replace(kind, review_seconds=1e4)) >= now
    assert money(replace(kind, wait_seconds=1e6)) >= now
    found = expected(kind, prices, mode)  # type: ignore[arg-type]
    assert found.low.money <= found.high.money * (1 + 1e-9) + 1e-6 and found.risk[0] <= found.risk[1] + 1e-12


@settings(deadline=None, max_examples=40)
@given(kinds(), costs())
def test_as_much_more_evidence_as_is_asked_for_is_enough_and_one_less_is_not(kind: ActionType, prices: Costs) -> None:
    kind = replace(kind, labels="truth", drift=False, certificate=None, undo=True, consequence="reversible", ceiling=None)
    for one in advise(kind, prices).missing:
        if one.kind != "labels" or one.mode is None or one.count is None:
            continue

        def stands_in_the_way(more: int, mode: str = one.mode) -> bool:
            again = obstacles(replace(kind, labelled=kind.labelled + more), prices, mode)  # type: ignore[arg-type]
            return any(other.kind == "labels" for other in again)

        assert not stands_in_the_way(one.count) and stands_in_the_way(one.count - 1)


def test_nothing_measured_means_in_the_loop_and_says_what_would_change_that() -> None:
    advice = advise(ActionType("note", "reversible", volume=90, undo=True))
    told = {(one.mode, one.kind): one.count for one in advice.missing}
    assert advice.mode == "in the loop" and advice.reason == "nothing is measured yet"
    assert told[("automatic", "labels")] == 45 and 22 <= (told[("on the loop", "labels")] or 0) < 45
    assert told[("automatic", "catch")] == 14
    assert any("no measured catch rate of reviewers: 14 known-answer items more" in one.text for one in advice.missing)
    assert any("45 more audited actions without an error would allow automatic" in one.text for one in advice.missing)


def test_only_reading_needs_no_evidence() -> None:
    assert {name: advise(ActionType("x", name)).mode for name in CONSEQUENCES} == {  # type: ignore[arg-type]
        "read": "automatic",
        "reversible": "in the loop",
        "costly": "in the loop",
        "irreversible": "in the loop",
    }


def test_the_system_risk_is_what_passes_and_what_reviewers_miss() -> None:
    kind = ActionType("x", "costly", labelled=100, wrong=20, certificate=CertifiedShare(0.6, 0.04, 100, 0), known=10, caught=9)
    found = expense(kind, Costs(), "automatic", Rates(0.2, 0.04, 0.9, 0.5))
    assert found.errors / 1000 == pytest.approx(system_risk(0.6, 0.04, 0.2, 0.9)) == pytest.approx(0.6 * 0.04 + 0.4 * 0.2 * 0.1)


def test_review_does_not_make_errors_zero_and_editing_is_worth_twice_a_rejection() -> None:
    kind, prices = ActionType("x", "costly", review_seconds=0, wait_seconds=0), Costs()
    rates = Rates(0.1, 0.1, 0.9, 0.5)
    assert expense(kind, prices, "in the loop", rates).errors == pytest.approx(10)
    unseen = expense(kind, prices, "automatic", rates).error_money
    saved = [unseen - expense(kind, prices, "in the loop", replace(rates, edits=share)).error_money for share in (0.0, 1.0)]
    assert saved[1] == pytest.approx(2 * saved[0]) == pytest.approx(90 * 100)


def test_an_hour_of_review_and_of_waiting_are_counted_once() -> None:
    kind = ActionType("x", "reversible", review_seconds=36, wait_seconds=7200, undo=True)
    prices = Costs(wrong=dict.fromkeys(CONSEQUENCES, 0.0), reviewer_hour=50, waiting_hour=2)
    loop, on, auto = (expense(kind, prices, mode, Rates(0, 0, 1, 1)) for mode in MODES)
    assert (loop.review_minutes, loop.waiting_hours, loop.money) == pytest.approx((600, 2000, 500 + 4000))
    assert (on.review_minutes, on.waiting_hours) == pytest.approx((360, 0)) and auto.review_minutes == pytest.approx(12)
    held = replace(kind, undo=False, veto_seconds=360)
    assert expense(held, prices, "on the loop", Rates(0, 0, 1, 1)).waiting_hours == pytest.approx(100)


def test_dearer_errors_move_one_type_from_automatic_over_on_the_loop_to_a_person() -> None:
    kind = ActionType("note", "reversible", 900, 150, 0, undo=True, known=40, caught=39, wait_seconds=4 * 3600)
    modes = [advise(kind, Costs(wrong={**Costs().wrong, "reversible": price})).mode for price in (1, 10, 200, 2_000)]
    assert modes[0] == "automatic" and modes[-1] == "in the loop" and "on the loop" in modes
    assert all(MODES.index(one) >= MODES.index(other) for one, other in pairwise(modes))


def test_review_is_reckoned_at_its_best_where_nobody_measured_it() -> None:
    """Were it reckoned at its worst, reviews that catch nothing would be a cost without a use, and everything would run."""
    kind = ActionType("note", "reversible", 900, 45, 0, labels="truth")
    dear = Costs(wrong={**Costs().wrong, "reversible": 100.0})
    assert advise(kind, dear).mode == "in the loop"
    assert advise(replace(kind, known=200, caught=10), dear).mode == "automatic"


def test_on_the_loop_needs_something_a_watcher_can_do() -> None:
    kind = ActionType("note", "reversible", 900, 150, 0, known=40, caught=39, wait_seconds=4 * 3600)
    dear = Costs(wrong={**Costs().wrong, "reversible": 200.0})
    assert advise(replace(kind, undo=True), dear).mode == advise(replace(kind, veto_seconds=60), dear).mode == "on the loop"
    assert advise(kind, dear).mode != "on the loop"
    assert [one.kind for one in obstacles(kind, dear, "on the loop")] == ["window"]


def test_at_a_tie_a_person_is_asked() -> None:
    free = Costs(wrong=dict.fromkeys(CONSEQUENCES, 0.0), reviewer_hour=0, waiting_hour=0)
    assert advise(ActionType("look", "read"), free).mode == "in the loop"


def test_a_policy_may_raise_the_ceiling_of_an_irreversible_tool_and_lower_any() -> None:
    kind = ActionType("close", "irreversible", 900, 400, 0, labels="truth", veto_seconds=600)
    cheap = Costs(wrong={**Costs().wrong, "irreversible": 1.0})
    assert advise(kind, cheap).mode == "in the loop"
    assert advise(replace(kind, ceiling="on the loop"), cheap).mode == "on the loop"
    assert advise(replace(kind, ceiling="automatic"), cheap).mode == "on the loop", "automatic needs a certificate"
    assert advise(ActionType("look", "read", ceiling="in the loop")).mode == "in the loop"


def test_decisions_of_reviewers_nobody_tested_are_no_labels() -> None:
    stamped = ActionType("note", "reversible", 900, 5_000, 0, undo=True)
    assert advise(stamped).mode == "in the loop"
    assert advise(replace(stamped, labels="truth")).mode == "automatic"
    assert advise(replace(stamped, known=14, caught=14)).mode == "automatic"
    slipping = advise(replace(stamped, known=30, caught=24))
    assert slipping.mode == "in the loop" and any("caught 24 of 30" in one.text for one in slipping.missing)
    assert advise(replace(stamped, known=14, caught=14, drift=True)).mode == "in the loop"


def test_impossible_numbers_are_refused() -> None:
    for wrong in ({"labelled": 3, "wrong": 4}, {"known": 1, "caught": 2}, {"volume": -1}, {"labelled": 5, "wrong": 1, "edited": 2}):
        with pytest.raises(ValueError, match="x: "):
            ActionType("x", "costly", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="certified share"):
        CertifiedShare(0, 0.1)
    for changed in (
        {"reject_saves": 0.2, "undo_saves": 0.3},
        {"wrong": {"costly": 1.0}},
        {"reviewer_hour": float("nan")},
        {"watched": 2},
    ):
        with pytest.raises(ValueError):
            replace(Costs(), **changed)


def test_advice_is_plain_json_with_the_most_frequent_first() -> None:
    found = advise_all([ActionType("b", "costly", 5), ActionType("a", "read", 50)])
    assert [one["tool"] for one in json.loads(json.dumps([one.as_json() for one in found]))] == ["a", "b"]
    assert [one["mode"] for one in found[0].as_json()["expected"]] == list(MODES)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("wrong", [0, 1, 7])
def test_more_rows_are_counted_as_certificates_count_them(alpha: float, wrong: int) -> None:
    from assent.evals.certify.more_audits import audits_needed

    assert fewest_rows(alpha, wrong, 0.1) == audits_needed(alpha, 0.1, wrong)
    assert fewest_rows(0.0, wrong) is None and fewest_rows(1.0, wrong) == wrong
