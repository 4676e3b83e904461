"""The monitor: false alarms where the promise just holds, delay where it is broken, and the same numbers whoever computes them."""

from __future__ import annotations

import json
import math
import random

import pytest
from assent.evals.watch.drift import drift_of, reference, watch
from assent.evals.watch.monitor import ALARM, STAKES, monitor_of, observe, start
from hypothesis import given, settings
from hypothesis import strategies as st

numpy = pytest.importorskip("numpy", reason="needs the extra calibrate")

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

STREAMS, AUDITS = 2000, 2000


def fed(alpha, errors, reserve=0.0, **how):
    monitor = start(alpha, reserve=reserve)
    for wrong in errors:
        monitor = observe(monitor, bool(wrong), **how)
    return monitor


def alarms(errors, alpha, reserve=0.0):
    """Return after how many observations each stream rings, 0 for never; `errors` is x, one row per stream."""
    lambdas = numpy.linspace(0.025, 0.475, 10) / alpha
    wealth = numpy.full((len(errors), 10), math.log(1 - reserve))
    rang = numpy.zeros(len(errors), dtype=int)
    for place, x in enumerate(errors.T, 1):
        block = (place - 1) // 100
        if reserve and block and (place - 1) % 100 == 0:
            wealth = numpy.logaddexp(wealth, math.log(reserve / (block * (block + 1))))
        wealth += numpy.log1p(lambdas * (x[:, None] - alpha))
        ringing = numpy.logaddexp.reduce(wealth, axis=1) - math.log(10) >= math.log(20)
        rang[ringing & (rang == 0)] = place
    return rang


def most(n, share):
    """Return three standard errors above a share of n."""
    return share + 3 * math.sqrt(share * (1 - share) / n)


@pytest.fixture(scope="module")
def luck():
    return numpy.random.default_rng(20).random((STREAMS, AUDITS))


@pytest.mark.parametrize(("alpha", "reserve"), [(0.05, 0.0), (0.02, 0.0), (0.05, 0.2)])
def test_at_most_one_in_twenty_rings_in_2000_audits_while_the_promise_just_holds(luck, alpha, reserve):
    rang = alarms((luck < alpha).astype(float), alpha, reserve)
    assert 0.005 < (rang > 0).mean() <= 0.05


@pytest.mark.parametrize("reserve", [0.0, 0.2])
def test_three_times_the_promised_errors_ring_within_a_median_of_50_audits(luck, reserve):
    rang = alarms((luck[:1000, :600] < 0.15).astype(float), 0.05, reserve)
    assert (rang > 0).mean() > 0.99 and numpy.median(rang[rang > 0]) <= 50


def test_a_reserve_notices_a_change_after_a_long_calm_far_sooner(luck):
    errors = (luck[:500, :1200] < numpy.where(numpy.arange(1200) < 500, 0.02, 0.15)).astype(float)
    plain, kept = (alarms(errors, 0.05, reserve) for reserve in (0.0, 0.2))
    assert (kept > 500).mean() > 0.95
    assert numpy.median(kept[kept > 500]) - 500 < 150 < 300 < numpy.median(plain[plain > 500]) - 500


def test_shares_that_differ_ring_no_more_often_when_every_action_is_fed(luck):
    source = numpy.random.default_rng(21)
    shares = numpy.where(source.random((1000, AUDITS)) < 0.5, 0.2, 0.6)
    wrong = luck[:1000] < numpy.where(shares == 0.2, 0.08, 0.02)  # what is audited less errs more: 5% on average
    drawn = source.random((1000, AUDITS)) < shares
    assert (alarms(drawn * wrong / shares, 0.05) > 0).mean() <= 0.05
    few = (source.random((1000, AUDITS)) < 0.2) * (luck[:1000] < 0.05) / 0.2
    assert (alarms(few, 0.05) > 0).mean() <= 0.05
    worse = (source.random((1000, AUDITS)) < 0.2) * (luck[:1000] < 0.15) / 0.2
    assert (alarms(worse, 0.05) > 0).mean() > 0.95


def test_the_monitor_rings_where_the_vectorised_one_does(luck):
    for index, rate in enumerate((0.05, 0.1, 0.15, 0.3)):
        wrong = luck[index] < rate
        monitor = fed(0.05, wrong)
        (rang,) = alarms(wrong[None].astype(float), 0.05)
        assert (monitor.alarmed_at or 0) == rang and monitor.alarmed == (rang > 0)
        (rang,) = alarms(wrong[None].astype(float), 0.05, 0.2)
        assert (fed(0.05, wrong, reserve=0.2).alarmed_at or 0) == rang
        drawn = luck[-1 - index] < 0.2
        monitor = start(0.05)
        for error, audited in zip(wrong, drawn, strict=True):
            monitor = observe(monitor, bool(error), share=0.2, drawn=bool(audited))
        (rang,) = alarms((wrong * drawn / 0.2)[None], 0.05)
        assert (monitor.alarmed_at or 0) == rang
        assert (monitor.seen, monitor.audits, monitor.errors) == (AUDITS, drawn.sum(), (wrong & drawn).sum())


def test_wealth_by_hand():
    assert pytest.approx((0.025, 0.075, 0.125, 0.175, 0.225, 0.275, 0.325, 0.375, 0.425, 0.475)) == STAKES and ALARM == 1 / 0.05
    after = fed(0.05, [False, True])
    lambdas = [stake / 0.05 for stake in STAKES]
    assert after.evidence == pytest.approx(sum((1 - 0.05 * one) * (1 + 0.95 * one) for one in lambdas) / 10)
    weighted = observe(start(0.05), True, share=0.2)
    assert weighted.evidence == pytest.approx(sum(1 + 4.95 * one for one in lambdas) / 10)
    assert observe(start(0.05), True, share=0.2, drawn=False).evidence == pytest.approx(sum(1 - s for s in STAKES) / 10)


def test_what_is_staked_and_what_is_kept_back_are_one_in_all():
    blocks = range(1, 20_000)
    assert start(0.05, reserve=0.2).evidence + sum(0.2 / (b * (b + 1)) for b in blocks) == pytest.approx(1, abs=1e-4)
    calm = fed(0.05, [False] * 100, reserve=0.2)
    with_more = observe(calm, False)
    assert with_more.log_wealth[0] == pytest.approx(math.log((math.exp(calm.log_wealth[0]) + 0.1) * (1 - STAKES[0])))


def test_the_bets_are_fair_while_the_promise_just_holds():
    for alpha, share in ((0.05, 1.0), (0.01, 1.0), (0.05, 0.2)):
        wrong, right = (math.exp(observe(start(alpha), error, share=share).log_evidence) for error in (True, False))
        assert alpha * share * wrong + (1 - alpha * share) * right == pytest.approx(1)


@given(st.sampled_from([0.01, 0.05, 0.5, 0.99]), st.lists(st.tuples(st.booleans(), st.booleans()), max_size=80))
def test_a_monitor_goes_on_from_its_json_as_if_it_had_never_stopped(alpha, actions):
    whole = stored = start(alpha, reserve=0.2)
    for wrong, drawn in actions:
        whole = observe(whole, wrong, share=0.3, drawn=drawn)
        stored = observe(monitor_of(json.loads(json.dumps(stored.as_json()))), wrong, share=0.3, drawn=drawn)
    assert stored == whole and math.isfinite(whole.evidence)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 60))
def test_a_wrong_action_in_place_of_a_right_one_never_calms(errors, place):
    worse = [wrong or index == place for index, wrong in enumerate(errors)]
    assert fed(0.05, worse).log_evidence >= fed(0.05, errors).log_evidence


def test_ten_thousand_of_a_kind_stay_numbers_and_an_alarm_is_not_taken_back():
    for wrong in (True, False):
        monitor = fed(0.01, [wrong] * 10_000)
        assert math.isfinite(monitor.evidence) and monitor_of(json.loads(json.dumps(monitor.as_json()))) == monitor
    monitor = fed(0.05, [True] * 3 + [False] * 500)
    assert monitor.evidence < 1 and monitor.alarmed and monitor.alarmed_at <= 3


def test_what_is_no_monitor_is_refused():
    good = start(0.05).as_json()
    for damaged in (
        {**good, "version": 2},
        {**good, "log_wealth": [0.0] * 9},
        {**good, "log_wealth": [math.nan] * 10},
        {**good, "errors": 1},
        {**good, "alpha": 0.0},
        {**good, "reserve": 1.0},
    ):
        with pytest.raises(ValueError, match=r"version|damaged|alpha|reserve"):
            monitor_of(damaged)
    for share in (0.0, -1.0, 1.1, math.nan):
        with pytest.raises(ValueError, match="share"):
            observe(start(0.05), True, share=share)


def stream(seed, n, rate):
    source = random.Random(seed)
    return [float(source.random() < rate) for _ in range(n)]


def watched(drift, values):
    for value in values:
        drift = watch(drift, value)
    return drift


def test_a_stream_that_stays_rarely_warns_and_one_that_moves_warns_soon_and_says_whereto():
    runs = range(60)
    calm = [watched(reference(stream(seed, 200, 0.2)), stream(seed + 100, 1000, 0.2)) for seed in runs]
    assert sum(one.warned for one in calm) <= 12
    up = [watched(reference(stream(seed, 200, 0.2)), stream(seed + 100, 400, 0.5)) for seed in runs]
    assert all(one.warned for one in up) and sorted(one.warned_at for one in up)[30] < 80
    assert {one.direction for one in up} == {"up"}
    down = watched(reference([0.8, 0.9, 0.7, 0.85] * 50), [0.6, 0.5] * 20)
    assert down.direction == "down" and down.warned_at < 20


def test_a_watch_goes_on_from_its_json_and_needs_something_to_compare_with():
    assert reference([0.5] * 99) is None and reference([0.5] * 99 + [math.nan]) is None
    half = watched(reference(stream(1, 100, 0.3)), stream(2, 20, 0.9))
    again = drift_of(json.loads(json.dumps(half.as_json())))
    assert again == half and watched(again, stream(3, 50, 0.9)) == watched(half, stream(3, 50, 0.9))
    assert watch(half, math.nan) == half
    assert not watched(reference([0.0] * 200), [1.0, *[0.0] * 50] * 3).warned
    with pytest.raises(ValueError, match="version"):
        drift_of({**half.as_json(), "version": 0})
