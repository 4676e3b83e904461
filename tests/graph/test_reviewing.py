"""How much reviewers are given and what they are told: caps, reading time, who is handed what, blind reviews, and who sets it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import assent
import pytest
from assent.evals.reviewing.probing import mix_in
from assent.graph.audit.trail import trail
from assent.graph.authority import reviewing
from assent.graph.authority.reading_time import floor_ms, is_hasty, words_of
from assent.graph.authority.reviewing import Reviewing, reviewing_of
from assent.graph.errors import AssentError, EnoughToday, NotAllowed
from assent.graph.opening import open_desk
from assent.graph.store import reviews
from assent.graph.store.models import ActionRow
from fakes import SAFE, HandClock, Script, approve, asks, calls, on_thread, reject, staff
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st


@pytest.fixture
async def desk(any_url):
    async with open_desk(any_url, clock=HandClock()) as opened:  # without a learner, so that the test says when it is its turn
        await staff(opened)
        yield opened


async def proposed(desk, till, count, tool="pay", **args):
    """Have actions proposed; returns their cards in the order of the queue."""
    args = args or {"to": "ann", "amount": 5}
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(*[(tool, args)] * count)), name=f"a{len(desk.agents)}")
    await agent.ainvoke(asks(), on_thread(f"t{len(desk.agents)}"))
    return [card for card in await desk.pending("root") if card.agent == agent.name]


async def choose(desk, **values):
    return await reviewing.change(desk.store, desk.clock, "lee", values)


async def test_nobody_decides_more_than_the_cap_in_a_day_until_a_lead_raises_it(desk, till):
    cards = await proposed(desk, till, 5)
    await choose(desk, daily_cap=2)
    for card in cards[:2]:
        await desk.decide(card.id, reject(card), "ada")
    with pytest.raises(EnoughToday, match=r"2 cards today.* 00:00 UTC on 24 November 2026; a lead may raise the cap"):
        await desk.decide(cards[2].id, reject(cards[2]), "ada")
    assert await desk.pending("ada", mine=True) == [] and len(await desk.pending("bob", mine=True)) == 3
    assert "2 cards today" in (await desk.card(cards[2].id, "ada")).blocked
    assert (await desk.card(cards[2].id, "bob")).blocked == ""
    await choose(desk, daily_cap=3)
    await desk.decide(cards[2].id, reject(cards[2]), "ada")
    desk.clock.forward(timedelta(hours=12).total_seconds())
    await desk.decide(cards[3].id, reject(cards[3]), "ada")


async def test_a_hasty_decision_is_told_and_noted_and_counts_all_the_same(desk, till):
    (slow, quick), (cheap,) = await proposed(desk, till, 2), await proposed(desk, till, 1, "note", text="a b c d e f g")
    done = {
        card.id: await desk.decide(card.id, {**approve(card), "seen_ms": seen}, "ada")
        for card, seen in ((slow, 60_000), (quick, 10), (cheap, 10))
    }
    assert [bool(done[card.id].hasty) for card in (slow, quick, cheap)] == [False, True, False]
    assert "That was quick" in done[quick.id].hasty and done[quick.id].status == "approved"
    bodies = {card.id: (await trail(desk.store, "lee", card.id)).lines[1].body for card in (slow, quick, cheap)}
    assert [bodies[card.id].get("hasty") for card in (slow, quick, cheap)] == [None, True, None]
    await desk.drain()
    assert len(till.paid) == 2
    await choose(desk, floor=0)
    (card,) = await proposed(desk, till, 1)
    assert (await desk.decide(card.id, {**approve(card), "seen_ms": 0}, "ada")).hasty == ""


@run_with(deadline=None)
@given(st.integers(0, 100_000), st.floats(0, 1), st.floats(0, 1))
def test_more_words_and_a_larger_part_never_take_less_time(words, part, other):
    low, high = sorted((part, other))
    assert floor_ms(words, low) <= floor_ms(words, high) <= 60_000
    assert floor_ms(words, part) <= floor_ms(words + 1, part)
    assert (
        not is_hasty(None, floor_ms(words, part))
        and not is_hasty(0, None)
        and not is_hasty(floor_ms(words, part), floor_ms(words, part))
    )


def test_the_floor_is_a_quarter_of_the_time_that_silent_reading_takes():
    assert floor_ms(238, 1.0) == 60_000 and floor_ms(238, 0.25) == 15_000
    said = [
        {"role": "requester", "text": "not these words"},
        {"role": "agent", "text": "nor this"},
        {"role": "requester", "text": "four more words here"},
    ]
    row = ActionRow(
        title="Pay somebody", tool="pay", args={}, evidence=[{"text": "one two"}], reasons=[{"text": "three"}], conversation=said
    )
    assert words_of(row, {"to": "ann", "amount": 5}) == 2 + 2 + 2 + 2 + 1 + 4


async def test_two_people_who_ask_at_once_get_different_cards(desk, till):
    await proposed(desk, till, 3)
    ada, bob, lee = await asyncio.gather(*(desk.pending(name, mine=True) for name in ("ada", "bob", "lee")))
    assert len({ada[0].id, bob[0].id, lee[0].id}) == 3
    assert {card.id for card in ada} == {card.id for card in bob} == {card.id for card in lee}, "and everything stays within reach"
    assert (await desk.pending("ada", mine=True))[0].id == ada[0].id, "who asks again keeps their card"
    (one,) = await desk.pending("ada", mine=True, limit=1)
    assert one.id == ada[0].id
    desk.clock.forward(31)
    assert (await desk.pending("bob", mine=True))[0].id == (await desk.pending("root"))[0].id


async def test_ordinary_reviews_are_blind_at_the_share_that_was_set_once_there_is_something_to_measure(desk, till):
    await choose(desk, known=0, second=0, blind=1)
    for index, card in enumerate(await proposed(desk, till, 20)):
        assert card.reasons[0]["check"] != "blind", "nothing is drawn before"
        await desk.decide(card.id, reject(card), ("ada", "bob")[index % 2])
    assert await mix_in(desk.store, desk.clock, desk.tenant) == 0
    (card,) = await proposed(desk, till, 1)
    assert card.reasons[0]["check"] == "blind" and card.thread == "" and card.priority == 1.5
    assert (await trail(desk.store, "bob", card.id)).lines == ()
    async with desk.store.read() as tx:
        assert (await reviews.by_id(tx, card.id)).kind == "action"
    await desk.decide(card.id, approve(card), "bob")
    await desk.drain()
    assert len(till.paid) == 1 and (await trail(desk.store, "bob", card.id)).lines[0].kind == "verdict"
    await choose(desk, blind=0)
    assert (await proposed(desk, till, 1))[0].reasons[0]["check"] != "blind"


async def test_only_a_lead_sets_how_reviewers_are_measured(desk):
    for name in ("vi", "ada"):
        with pytest.raises(NotAllowed):
            await reviewing.change(desk.store, desk.clock, name, {"known": 0.1})
    for wrong in ({"known": 1.5}, {"known": float("nan")}, {"daily_cap": 0.5}, {"daily_cap": -1}, {"unheard": 1}, {"known": True}):
        with pytest.raises(AssentError):
            await choose(desk, **wrong)
    assert await choose(desk, known=0.1, daily_cap=200) == Reviewing(known=0.1, daily_cap=200)
    assert await choose(desk) == Reviewing(known=0.1, daily_cap=200)
    assert (await trail_of_settings(desk)) == [({"known": 0.05, "daily_cap": 0}, {"known": 0.1, "daily_cap": 200})]


async def trail_of_settings(desk):
    async with desk.store.read() as tx:
        rows = await assent.graph.store.events.of_subject(tx, desk.tenant, reviewing.SETTING, 10)
    two = ("known", "daily_cap")
    return [tuple({name: row.body[when][name] for name in two} for when in ("before", "after")) for row in rows]


def test_a_setting_that_cannot_be_read_is_the_default():
    assert reviewing_of({"known": "much"}) == Reviewing() == reviewing_of(None)
    assert reviewing_of({"known": 0.5, "of a later version": 1}) == Reviewing(known=0.5)
