"""How reliable reviewers are: the numbers are those of the books, the alarm rings for who approves everything, and once."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache

import pytest
from assent.evals.reviewing.catching import FEWEST, LEVEL, Catch, alarm_by, needed
from assent.evals.reviewing.reviewer_health import look, seen
from assent.evals.reviewing.reviewers import (
    Given,
    Item,
    Pair,
    health,
    kappa,
    new_alarms,
    sitting,
)
from assent.graph.authority import probing
from assent.graph.authority.reviewing import HEALTH, SECOND
from assent.graph.opening import open_desk
from assent.graph.store import reviews, settings
from assent.graph.store.chain_models import EventRow
from assent.graph.store.control_models import NoticeRow
from fakes import NOON, SAFE, HandClock, Script, approve, asks, calls, on_thread, reject, staff
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from sqlmodel import select

WORDS = st.sampled_from(["correct", "wrong", "left out"])


@run_with(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=40))
def test_kappa_is_the_one_of_scikit_learn(pairs):
    metrics = pytest.importorskip("sklearn.metrics")
    found = kappa(pairs)
    if found is None:
        assert len({word for pair in pairs for word in pair}) == 1, "only where both say one and the same word all the time"
    else:
        assert found == pytest.approx(metrics.cohen_kappa_score(*zip(*pairs, strict=True)))


@run_with(deadline=None)
@given(st.integers(1, 300), st.data())
def test_the_bounds_of_a_catch_rate_are_the_exact_ones_of_scipy(n, data):
    stats = pytest.importorskip("scipy.stats")
    caught = data.draw(st.integers(0, n))
    exact = stats.binomtest(caught, n).proportion_ci(LEVEL, method="exact")
    assert Catch(n, caught).bounds == pytest.approx((exact.low, exact.high), abs=1e-9)


@run_with(deadline=None)
@given(st.integers(0, 120), st.integers(0, 120), st.floats(0.5, 0.95))
def test_one_more_catch_never_makes_a_reviewer_look_worse_and_one_more_miss_never_better(n, caught, bar):
    order = {"unreliable": 0, "not shown": 1, "being measured": 1, "reliable": 2}
    catch = Catch(n + 1, min(caught, n))
    assert order[Catch(n + 1, min(caught, n) + 1).state(bar)] >= order[catch.state(bar)]


def test_so_many_items_as_are_needed_all_caught_show_the_bar_and_one_fewer_does_not():
    for bar in (0.5, 0.8, 0.9, 0.95):
        n = needed(bar)
        assert Catch(n, n).state(bar) == "reliable" and Catch(n - 1, n - 1).state(bar) != "reliable"
    assert needed(0.8) == 14


def test_who_approves_everything_is_found_at_the_fifth_item_and_the_careful_are_left_alone():
    assert alarm_by(0.0, FEWEST, 0.8)[-2:] == [0.0, 1.0], "five that are let through are enough, and no fewer"
    assert alarm_by(0.3, 10, 0.8)[-1] > 0.95
    careful = alarm_by(0.95, 60, 0.8)
    assert careful[-1] < 0.001 and careful == sorted(careful), "looked at after every item"
    assert alarm_by(0.85, 60, 0.8)[-1] < 0.05


def test_the_chance_of_an_alarm_is_the_share_of_those_who_are_alarmed():
    rng, runs, rung = random.Random(1), 2_000, 0
    for _ in range(runs):
        caught = 0
        for n in range(1, 13):
            caught += rng.random() < 0.5
            if state(n, caught) == "unreliable":
                rung += 1
                break
    assert rung / runs == pytest.approx(alarm_by(0.5, 12, 0.8)[-1], abs=0.05)  # more than four standard errors


@cache
def state(n, caught):
    return Catch(n, caught).state(0.8)


def test_a_line_counts_what_is_one_persons_own():
    minute = timedelta(minutes=1)
    decisions = [Given("ada", "approve", NOON + 2 * index * minute, 1_000, 2_000 if index % 2 else None) for index in range(50)]
    decisions += [Given("bob", "reject", NOON, None, 2_000)]
    items = [Item("ada", "wrong", "wrong"), Item("ada", "wrong", "left out"), Item("ada", "wrong", "correct")]
    items += [Item("ada", "correct", "wrong"), Item("ada", "correct", "left out"), Item("bob", "wrong", "wrong")]
    found = health(decisions, items, [Pair("ada", "bob", ("wrong", "wrong")), Pair("bob", "ada", ("wrong", "correct"))], 0.8)
    ada, bob = found.lines
    assert (ada.decisions, ada.consequential, ada.timed, ada.hasty, ada.median_seconds) == (50, 25, 25, 25, 1.0)
    assert (ada.catch, ada.refused, ada.approved) == (Catch(3, 2), Catch(2, 1), 1.0)
    assert (ada.pairs, ada.same, bob.pairs, bob.timed, bob.median_seconds) == (2, 1, 2, 0, None)
    assert ada.sitting_minutes == 98 and ada.alarms == ("hasty",) and bob.alarms == ()
    assert found.catch == Catch(4, 3) and found.healthy is None and "14" in found.why


def test_a_pause_ends_a_sitting():
    minutes = [0, 5, 9, 30, 35, 40, 50, 61]
    assert sitting(NOON + timedelta(minutes=one) for one in minutes) == timedelta(minutes=20)
    assert sitting([]) == timedelta(0)


def test_one_unreliable_person_is_enough_and_an_alarm_is_told_once():
    items = [Item("ada", "wrong", "wrong")] * 60 + [Item("bob", "wrong", "correct")] * 5
    found = health([], items, [], 0.8)
    assert (
        found.healthy is False
        and found.why.startswith("One reviewer lets too much through")
        and found.catch.state(0.8) == "reliable"
    )
    assert [(line.name, word) for line, word in new_alarms({}, found.lines)] == [("bob", "catch")]
    assert new_alarms({"bob": ["catch"]}, found.lines) == []
    assert health([], items[:60], [], 0.8).healthy is True
    assert health([], [], [], 0.8).healthy is None


@pytest.fixture
async def desk(any_url):
    async with open_desk(any_url, clock=HandClock()) as opened:  # without a learner, so that the test says when it is its turn
        await staff(opened)
        yield opened


async def proposed(desk, till, tool, args, count):
    """Have actions proposed; returns their cards."""
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(*[(tool, args)] * count)), name=f"a{len(desk.agents)}")
    await agent.ainvoke(asks(), on_thread(f"t{len(desk.agents)}"))
    return [card for card in await desk.pending("root") if card.agent == agent.name]


async def measured(desk, till, answers):
    """Have ada reject payments, and bob asked about them again; he answers as told."""
    for card in await proposed(desk, till, "pay", {"to": "ann", "amount": 5}, len(answers)):
        async with desk.store.read() as tx:
            action = (await reviews.by_id(tx, card.id)).action
        await desk.decide(card.id, reject(card), "ada")
        async with desk.store.begin() as tx:
            await probing.ask(tx, await reviews.action(tx, action), "known", desk.clock(), expected="wrong", not_for="ada")
    for answer, card in zip(answers, await desk.pending("bob"), strict=True):
        await desk.decide(card.id, answer(card), "bob")
    for card in [one for one in await desk.pending("lee") if one.reasons[1]["check"] == "settling"]:
        await desk.decide(card.id, reject(card), "lee")


async def notices_and_judgements(desk):
    async with desk.store.read() as tx:
        told = [row.body for row in (await tx.exec(select(NoticeRow))).all() if row.kind == "reviewers"]
        noted = [row.body for row in (await tx.exec(select(EventRow))).all() if row.kind == "reviewers.judged"]
        return told, noted, await settings.get(tx, desk.tenant, HEALTH)


async def test_who_lets_everything_through_brings_in_a_second_person_and_a_lead_hears_of_it_once(desk, till):
    assert await look(desk.store, desk.clock, desk.tenant) == 0, "nothing was measured, so nothing is in doubt"
    await measured(desk, till, [approve] * 5)
    assert await look(desk.store, desk.clock, desk.tenant) == 1
    told, noted, stored = await notices_and_judgements(desk)
    (notice,) = told
    assert notice["reviewer"] == "bob" and notice["to"] == "role:lead" and "5 of 5" in notice["text"]
    assert (stored["healthy"], stored["second"], stored["alarms"]) == (False, True, {"bob": ["catch"]}) and len(noted) == 1
    (costly,) = await proposed(desk, till, "pay", {"to": "ann", "amount": 6}, 1)
    (cheap,) = await proposed(desk, till, "note", {"text": "hello"}, 1)
    assert costly.quorum == 2 and SECOND in costly.reasons and cheap.quorum == 1 and SECOND not in cheap.reasons
    await desk.decide(costly.id, approve(costly), "bob")
    await desk.drain()
    assert till.paid == [], "one of two"
    assert (await desk.decide(costly.id, approve(costly), "ada")).status == "approved"
    await desk.drain()
    assert len(till.paid) == 1
    desk.clock.forward(600)
    assert await look(desk.store, desk.clock, desk.tenant) == 0
    assert [len(one) for one in (await notices_and_judgements(desk))[:2]] == [1, 1]


async def test_who_catches_what_is_wrong_is_relied_on(desk, till):
    await measured(desk, till, [reject] * 14)
    assert await look(desk.store, desk.clock, desk.tenant) == 1
    told, _, stored = await notices_and_judgements(desk)
    assert told == [] and (stored["healthy"], stored["second"]) == (True, False) and stored["catch"] >= 0.8
    (card,) = await proposed(desk, till, "pay", {"to": "ann", "amount": 6}, 1)
    assert card.quorum == 1
    desk.clock.forward(timedelta(days=91).total_seconds())
    async with desk.store.read() as tx:
        assert (await seen(tx, desk.tenant, desk.clock())).catch.n == 0, "what is older says nothing of today"
