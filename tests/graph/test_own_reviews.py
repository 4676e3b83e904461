"""Whoever an action was asked for has no say in its review: they decide nothing of it, and steer neither its card nor its time."""

from __future__ import annotations

from datetime import timedelta

import assent
import pytest
from assent.graph.errors import NotAllowed
from assent.graph.rules.checks import always
from assent.graph.rules.terms import Terms
from fakes import Script, approve, asks, calls, on_thread, reject

HOUR = timedelta(hours=1)
UNDER = assent.Policy((assent.on("pay", always("review", "People look.", Terms(due=3 * HOUR.total_seconds()))),))
STEERING = {
    "take": lambda desk, card, who: desk.take(card.id, who),
    "extend": lambda desk, card, who: desk.extend(card.id, desk.clock() + 24 * HOUR, who, "later"),
    "snooze": lambda desk, card, who: desk.snooze(card.id, desk.clock() + HOUR, who),
    "escalate": lambda desk, card, who: desk.escalate(card.id, "role:lead", who, "soon, please"),
}


async def asked(desk, till, requester):
    agent = desk.agent(tools=till.tools, policy=UNDER, propose=Script(calls(("pay", {"to": "ann", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread(requester=requester))
    (card,) = await desk.pending("bob")
    return card


@pytest.mark.parametrize("requester", ["ada", "lee"])
@pytest.mark.parametrize("door", STEERING)
async def test_a_requester_steers_no_review_of_their_own_and_others_do(desk, till, door, requester):
    card = await asked(desk, till, requester)
    with pytest.raises(NotAllowed, match="on your own behalf"):
        await STEERING[door](desk, card, requester)
    assert await desk.card(card.id, "bob") == card
    await STEERING[door](desk, card, "bob")
    assert await desk.card(card.id, "bob") != card


async def test_a_requester_does_not_put_back_what_others_have_snoozed(desk, till):
    card = await asked(desk, till, "lee")
    await desk.snooze(card.id, desk.clock() + HOUR, "bob")
    with pytest.raises(NotAllowed, match="on your own behalf"):
        await desk.unsnooze(card.id, "lee")
    assert (await desk.card(card.id, "bob")).snoozed_until is not None


@pytest.mark.parametrize("answer", [reject, approve])
async def test_a_lead_takes_no_decision_on_their_own_request_back(desk, till, answer):
    card = await asked(desk, till, "lee")
    decided = await desk.decide(card.id, answer(card), "bob", undo_window=600)
    with pytest.raises(NotAllowed, match="on your own behalf"):
        await desk.withdraw(card.id, "lee")
    assert (await desk.card(card.id, "bob")).status == decided.status != "pending"
    await desk.withdraw(card.id, "bob")
    assert (await desk.card(card.id, "bob")).status == "pending"
