"""Known-answer items and second looks in the queue: at the rate that was set, few at a time, for people who do not know."""

from __future__ import annotations

from datetime import timedelta

import assent
import pytest
from assent.evals.learner import Learner
from assent.evals.reviewing.probing import Drawn, following, mix_in, taken
from assent.graph.authority import reviewing
from assent.graph.authority.reviewing import Reviewing
from assent.graph.opening import open_desk
from assent.graph.store import probes, reviewed
from assent.graph.store import settings as stored_settings
from assent.graph.store.reviewed import Said
from fakes import NOON, SAFE, HandClock, Script, approve, asks, calls, on_thread, reject, staff
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
async def desk(any_url):
    async with open_desk(any_url, clock=HandClock()) as opened:  # without a learner, so that the test says when it is its turn
        await staff(opened)
        yield opened


async def decided(desk, till, count=20, people=("ada", "bob")):
    """Have payments proposed and decided, in turn by these people; what is odd is rejected."""
    wanted = [("pay", {"to": f"p{index}", "amount": index}) for index in range(count)]
    named = f"agent{len(desk.agents)}"
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(*wanted)), name=named)
    await agent.ainvoke(asks(), on_thread(named))
    for index, card in enumerate([one for one in await desk.pending("root") if one.agent == named]):
        await desk.decide(card.id, (reject if card.args["amount"] % 2 else approve)(card), people[index % len(people)])
    await desk.drain()


async def choose(desk, **values):
    await reviewing.change(desk.store, desk.clock, "lee", values)


async def mixed(desk):
    return await mix_in(desk.store, desk.clock, desk.tenant)


async def waiting(desk):
    async with desk.store.read() as tx:
        return [probe for probe, _ in await reviewed.open_probes(tx, desk.tenant, ("known", "second"))]


def said(number, at=NOON, status="approved"):
    return Said(number, f"dec_{number}", f"act_{number}", "ada", "approve", at, status, True)


def test_every_decision_is_drawn_once_and_the_rate_is_the_one_that_was_set():
    drawn, chosen, known, seconds = Drawn("a seed", {}, 0), Reviewing(known=0.05, second=0.05), 0, 0
    for start in range(1, 20_001, 50):
        drawn = taken(drawn, chosen, [said(number) for number in range(start, start + 50)], NOON)
        known, seconds = known + drawn.owed, seconds + len(drawn.seconds)
        drawn = Drawn("a seed", {}, drawn.cursor)  # all that was owed was asked
    # 1,000 expected of each; four standard deviations are 123
    assert drawn.cursor == 20_000 and abs(known - 1_000) < 123 and abs(seconds - 1_000) < 123


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.floats(0, 1), st.floats(0, 1))
def test_the_draws_do_not_depend_on_how_the_decisions_come_in(cuts, known, second):
    chosen, every = Reviewing(known=known, second=second), [said(number) for number in range(1, sum(cuts) + 1)]
    at_once, piecewise, start = taken(Drawn("s", {}, 0), chosen, every, NOON), Drawn("s", {}, 0), 0
    for cut in cuts:
        piecewise = taken(piecewise, chosen, every[start : start + cut], NOON)
        start += cut
    assert piecewise == at_once


def test_a_decision_that_can_still_be_taken_back_is_not_drawn_yet():
    later = NOON + timedelta(seconds=10)
    drawn = taken(Drawn("s", {}, 0), Reviewing(known=1, second=1), [said(1), said(2, later), said(3)], NOON)
    assert (drawn.cursor, drawn.owed, drawn.seconds) == (1, 1, ("act_1",))


def test_what_was_drawn_is_not_made_up_for_in_a_rush():
    drawn = taken(Drawn("s", {}, 0), Reviewing(known=1, second=1), [said(number) for number in range(1, 101)], NOON)
    assert drawn.cursor == 100 and drawn.owed == 5 and len(drawn.seconds) == 5


@given(st.integers(0, 5), st.integers(0, 5), st.lists(st.sampled_from(["known", "second"]), max_size=6))
def test_of_both_kinds_that_are_owed_the_scarcer_one_is_asked(owed, seconds, kinds):
    drawn = Drawn("s", {}, 0, owed, tuple(f"act_{number}" for number in range(seconds)))
    if not owed and not seconds:
        return
    found = following(drawn, kinds)
    assert owed if found == "known" else seconds, "it is owed"
    assert not (owed and seconds) or all(kinds.count(found) <= kinds.count(other) for other in ("known", "second"))


async def test_nothing_is_asked_before_there_are_decisions_and_two_people(desk, till):
    await choose(desk, known=1, second=1)
    await decided(desk, till, 18)
    assert await mixed(desk) == 0 and await waiting(desk) == []
    await decided(desk, till, 2)
    assert await mixed(desk) == 0, "what was decided before the first seed is not drawn"
    await decided(desk, till, 4)
    assert await mixed(desk) == 2


async def test_one_person_alone_is_never_asked_what_only_they_could_answer(desk, till):
    await choose(desk, known=1, second=1)
    await decided(desk, till, 20, ("ada",))
    await mixed(desk)
    await decided(desk, till, 10, ("ada",))
    assert await mixed(desk) == 0 and await waiting(desk) == []


async def test_few_wait_at_once_and_the_answers_are_known(desk, till):
    await choose(desk, known=1, second=1)
    await decided(desk, till)
    await mixed(desk)
    await decided(desk, till, 8)
    asked = {}
    for _ in range(8):
        await mixed(desk)
        found = await waiting(desk)
        assert len(found) <= 2
        asked |= {probe.review: probe for probe in found}
        for probe in found:
            who = "ada" if any(card.id == probe.review for card in await desk.pending("ada")) else "bob"
            card = await desk.card(probe.review, who)
            # odd payments were rejected, even ones approved and paid
            assert probe.expected == ("wrong" if card.args["amount"] % 2 else "correct")
            assert (await desk.decide(card.id, approve(card), who)).probe == probe.kind
    assert {probe.kind for probe in asked.values()} == {"known", "second"}
    assert len({probe.source for probe in asked.values()}) == len(asked), "an action is asked about once"
    assert len(till.paid) == 14, "fourteen were approved before, and nothing was paid for a probe"


async def test_second_looks_go_to_somebody_else_and_expect_what_was_said(desk, till):
    await choose(desk, second=1, known=0, pending=5)
    await decided(desk, till)
    await mixed(desk)
    await decided(desk, till, 3)
    assert await mixed(desk) == 3
    async with desk.store.read() as tx:
        for probe in await waiting(desk):
            review = await tx.get_one(assent.graph.store.models.ReviewRow, (await desk.card(probe.review, "lee")).number)
            first = [line for line in await desk.history("lee", automatic=False) if line.action == probe.source]
            assert review.not_for == first[0].who and probe.expected == ("wrong" if first[0].decision == "reject" else "correct")
            assert await probes.of_source(tx, probe.source, "known") is None


async def test_what_nobody_answers_makes_some_room_and_goes_on_waiting(desk, till):
    await choose(desk, known=1, second=0)
    await decided(desk, till)
    await mixed(desk)
    await decided(desk, till, 4)
    assert await mixed(desk) == 2 and await mixed(desk) == 0
    desk.clock.forward(timedelta(days=4).total_seconds())
    assert await mixed(desk) == 2 and len(await waiting(desk)) == 4
    await choose(desk, known=1, second=0, pending=1)
    desk.clock.forward(timedelta(days=4).total_seconds())
    assert await mixed(desk) == 0, "three times as many as may wait freshly are the most"


async def test_the_seed_is_told_when_it_is_given_up(desk, till):
    await decided(desk, till)
    await mixed(desk)
    await choose(desk, known=0.5)
    await mixed(desk)
    async with desk.store.read() as tx:
        rows = (await tx.exec(assent.graph.store.events.select(assent.graph.store.chain_models.EventRow))).all()
    first, second = [row.body for row in sorted(rows, key=lambda row: row.seq) if row.kind == "reviewing.seeded"]
    assert "given_up" not in first and second["given_up"]
    assert first["seed"] == assent.graph.canonical.digest_of("reviewing seed", second["given_up"])
    for days, told in ((29, 2), (2, 3)):
        desk.clock.forward(timedelta(days=days).total_seconds())
        await mixed(desk)
        async with desk.store.read() as tx:
            rows = (await tx.exec(assent.graph.store.events.select(assent.graph.store.chain_models.EventRow))).all()
        assert len([row for row in rows if row.kind == "reviewing.seeded"]) == told, "a seed lasts for thirty days"
    assert any(row.kind == "reviewing.changed" and row.actor == "lee" for row in rows)


async def test_the_learner_of_a_desk_mixes_in_and_looks_at_the_reviewers(url, till, monkeypatch):
    monkeypatch.setattr("assent.evals.reviewing.probing.WRONG", 1.0)  # what is correct says nothing of the catch rate
    async with assent.open(url, clock=HandClock(), learning=Learner) as desk:
        await staff(desk)
        await choose(desk, known=1, second=0)
        await decided(desk, till)
        await desk.learner.learn()
        await decided(desk, till, 4)
        await desk.learner.learn()
        for probe in await waiting(desk):
            who = "ada" if any(card.id == probe.review for card in await desk.pending("ada")) else "bob"
            await desk.decide(probe.review, reject(await desk.card(probe.review, who)), who)
        desk.clock.forward(301)
        await desk.learner.learn()
        async with desk.store.read() as tx:
            found = await stored_settings.get(tx, desk.tenant, reviewing.HEALTH)
        assert found is not None and found["caught"]["n"] >= 1 and found["healthy"] is None
