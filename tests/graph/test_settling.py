"""A known answer that a reviewer contradicts: a lead who is neither of the two is asked, and until then it counts for neither."""

from __future__ import annotations

from datetime import timedelta

import pytest
from assent.evals.reviewing.reviewer_health import seen
from assent.graph.audit.trail import trail
from assent.graph.authority import probing
from assent.graph.authority.reviewing import SECOND
from assent.graph.errors import NotAllowed, UnknownReview
from assent.graph.opening import open_desk
from assent.graph.store import probes, reviews
from fakes import SAFE, HandClock, Script, approve, asks, calls, edit, on_thread, reject, respond, staff

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
async def desk(url):
    async with open_desk(url, clock=HandClock()) as opened:
        await staff(opened)
        yield opened


async def differing(desk, till, *, first="ada", second="bob", before=reject, answer=approve):
    """Have an action decided, and the known answer contradicted; returns what the second person was told."""
    name = f"a{len(desk.agents)}"
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "ann", "amount": 5}))), name=name)
    await agent.ainvoke(asks(), on_thread(name))
    (card,) = [one for one in await desk.pending("root") if one.agent == name]
    await desk.decide(card.id, before(card), first)
    await desk.drain()
    async with desk.store.begin() as tx:
        source = await reviews.action(tx, (await reviews.by_id(tx, card.id)).action)
        expected = "wrong" if before is reject else "correct"
        review = await probing.ask(tx, source, "known", desk.clock(), expected=expected, not_for=first)
    return await desk.decide(review.id, answer(await desk.card(review.id, second)), second)


async def line(desk, name="bob"):
    async with desk.store.read() as tx:
        found = await seen(tx, desk.tenant, desk.clock())
    return next(one for one in found.lines if one.name == name)


async def test_a_lead_is_asked_blind_and_until_then_it_counts_for_neither(desk, till):
    done = await differing(desk, till)
    assert "lead is asked" in done.revealed and "got past" not in done.revealed
    bob = await line(desk)
    assert (bob.catch.n, bob.contested, bob.unsettled) == (0, 1, 0)
    (card,) = await desk.pending("lee")
    assert card.confidence is None and card.thread == "" and card.role == "lead" and card.quorum == 1
    assert "Two people judged this action differently" in str(card.reasons)
    told = str(card.as_json())
    assert "ada" not in told and "bob" not in told and "reject" not in told, "nobody is told who said what"
    assert SECOND not in card.reasons


@pytest.mark.parametrize(
    ("word", "counted", "retired"),
    [(approve, 0, 1), (reject, 1, 0), (lambda card: edit(card, amount=4), 1, 0), (lambda card: respond(card, "?"), 1, 0)],
)
async def test_a_lead_retires_the_item_or_lets_the_known_answer_stand(desk, till, word, counted, retired):
    await differing(desk, till)
    (card,) = await desk.pending("lee")
    assert (await desk.decide(card.id, word(card), "lee")).probe == "settling"
    bob = await line(desk)
    assert (bob.catch.n, bob.catch.caught, bob.retired, bob.contested) == (counted, 0, retired, 0)
    assert till.paid == [] and await desk.drain() == 0, "nothing runs by it"


async def test_whoever_refuses_what_was_right_is_settled_the_same_way(desk, till):
    await differing(desk, till, before=approve, answer=reject)
    assert (await line(desk)).refused.n == 0
    (card,) = await desk.pending("lee")
    await desk.decide(card.id, approve(card), "lee")
    assert ((await line(desk)).refused.n, (await line(desk)).refused.caught) == (1, 1)


async def test_who_agrees_is_not_contested(desk, till):
    done = await differing(desk, till, answer=reject)
    assert "You saw that it was wrong" in done.revealed and await desk.pending("lee") == []
    assert (await line(desk)).catch.caught == 1


@pytest.mark.parametrize(("first", "second"), [("lee", "bob"), ("ada", "lee")])
async def test_a_lead_does_not_settle_what_they_are_one_of_the_two_of(any_url, till, first, second):
    async with open_desk(any_url, clock=HandClock()) as desk:
        await staff(desk)
        await kept_apart(desk, till, first, second)


async def kept_apart(desk, till, first, second):
    await differing(desk, till, first=first, second=second)
    (card,) = await desk.pending("root")
    for mine in (True, False):
        assert await desk.pending("lee", mine=mine) == []
    for door in (lambda: desk.card(card.id, "lee"), lambda: desk.take(card.id, "lee"), lambda: trail(desk.store, "lee", card.id)):
        with pytest.raises(UnknownReview):
            await door()
    with pytest.raises(UnknownReview):
        await desk.decide(card.id, approve(card), "lee")
    assert await desk.pending("bob" if first == "ada" else "ada", mine=True) == [], "an operator settles nothing"
    await desk.decide(card.id, approve(card), "root")
    assert (await line(desk, second)).retired == 1


async def test_an_operator_who_is_neither_of_them_settles_nothing(desk, till):
    await desk.users.add("cy", role="operator", tenant="main")
    await differing(desk, till)
    (card,) = await desk.pending("lee")
    with pytest.raises(NotAllowed):
        await desk.decide(card.id, approve(card), "cy")


async def test_where_nobody_can_settle_it_is_a_miss_and_unsettled(desk, till):
    await desk.users.switch("lee", "root", active=False)
    done = await differing(desk, till, first="root")
    assert "got past you" in done.revealed
    async with desk.store.read() as tx:
        assert await probes.answered(tx, desk.tenant, "settling", desk.clock()) == []
    bob = await line(desk)
    assert (bob.catch.n, bob.catch.caught, bob.unsettled, bob.contested) == (1, 0, 1, 0)


async def test_what_no_lead_settles_in_three_days_is_a_miss_until_one_does(desk, till):
    await differing(desk, till)
    desk.clock.forward(3 * DAY - 1)
    assert (await line(desk)).contested == 1
    desk.clock.forward(1)
    bob = await line(desk)
    assert (bob.catch.n, bob.catch.caught, bob.unsettled) == (1, 0, 1)
    (card,) = await desk.pending("lee")
    await desk.decide(card.id, approve(card), "lee")
    assert (await line(desk)).catch.n == 0 and (await line(desk)).retired == 1
