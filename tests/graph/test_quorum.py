"""Quorum, edits and terms at the door: an action runs if and only if enough people who may stand behind exactly that action."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import assent
import pytest
from assent.graph.audit.joining import Joins
from assent.graph.errors import (
    AlreadyApproved,
    AlreadyDecided,
    Expired,
    HeldByAnother,
    NotAllowed,
    StaleDigest,
    TooLate,
)
from assent.graph.rules.checks import always, max_amount
from assent.graph.rules.policy import Policy, on
from assent.graph.rules.terms import Terms
from assent.graph.store import events
from fakes import NOON, SAFE, Script, approve, asks, calls, edit, on_thread, reject, respond, staff


def under(*checks, **terms):
    """Return a policy that has people decide payments under these terms."""
    return Policy((on("pay", always("review", "People look.", Terms(**terms))), *checks))


@asynccontextmanager
async def at(url, clock):
    async with assent.open(url, clock=clock) as opened:
        await staff(opened)
        await opened.users.add("eve")
        yield opened


@pytest.fixture
async def desk(url, clock):
    async with at(url, clock) as opened:
        yield opened


@pytest.fixture
async def desk_on_any(any_url, clock):
    async with at(any_url, clock) as opened:
        yield opened


async def asked(desk, till, policy, *, amount=5, requester="carol"):
    agent = desk.agent(tools=till.tools, policy=policy, propose=Script(calls(("pay", {"to": "bob", "amount": amount}))))
    await agent.ainvoke(asks(), on_thread("t1", requester))
    (card,) = await desk.pending("lee")
    return card


async def kinds(desk):
    async with desk.store.read() as tx:
        return [row.kind for row in await events.page(tx, desk.tenant)]


async def test_two_distinct_people_have_to_approve_the_same(desk_on_any, till):
    desk = desk_on_any
    card = await asked(desk, till, under(quorum=2))
    first = await desk.decide(card.id, approve(card), "ada")
    assert (first.status, first.approvals, first.quorum) == ("pending", 1, 2)
    with pytest.raises(AlreadyApproved, match="1 of 2"):
        await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    assert till.ran == [] and await desk.examples("ada") == []

    seen, own = await desk.card(card.id, "bob"), await desk.card(card.id, "ada")
    assert seen.blocked == "" and [one["actor"] for one in seen.approvals] == ["ada"] and seen.quorum == 2
    assert "approved this already" in own.blocked
    assert await desk.pending("ada", mine=True) == [] and len(await desk.pending("bob", mine=True)) == 1
    assert len(await desk.pending("ada")) == 1

    second = await desk.decide(card.id, approve(card), "bob")
    assert (second.status, second.approvals) == ("approved", 2)
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]
    (example,) = await desk.examples("ada")
    assert example.label == "approve"


@pytest.mark.parametrize("make", [reject, lambda card: respond(card, "no")])
async def test_one_refusal_settles_it_whatever_the_quorum(desk, till, make):
    card = await asked(desk, till, under(quorum=3))
    await desk.decide(card.id, approve(card), "ada")
    done = await desk.decide(card.id, make(card), "bob")
    assert done.status != "pending"
    with pytest.raises(AlreadyDecided):
        await desk.decide(card.id, approve(card), "lee")
    await desk.drain()
    assert till.ran == []


async def test_an_approval_that_waits_for_others_can_be_taken_back(desk, till):
    card = await asked(desk, till, under(quorum=2))
    await desk.decide(card.id, approve(card), "ada")
    with pytest.raises(NotAllowed):
        await desk.withdraw(card.id, "bob")
    await desk.withdraw(card.id, "ada")
    with pytest.raises(TooLate):
        await desk.withdraw(card.id, "ada")
    assert (await desk.decide(card.id, approve(card), "bob")).status == "pending"
    assert (await desk.decide(card.id, approve(card), "ada")).status == "approved"
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_the_first_of_two_takes_back_what_the_second_completed(desk_on_any, till):
    desk = desk_on_any
    card = await asked(desk, till, under(quorum=2))
    await desk.decide(card.id, approve(card), "ada")
    await desk.decide(card.id, approve(card), "bob")
    await desk.withdraw(card.id, "ada")
    await desk.drain()
    (again,) = await desk.pending("lee")
    assert till.ran == [] and [one["actor"] for one in again.approvals] == ["bob"]
    assert [example.retired is not None for example in await desk.examples("ada")] == [True]
    await desk.decide(card.id, approve(again), "lee")
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_the_last_undo_window_counts(desk, till, clock):
    card = await asked(desk, till, under(quorum=2))
    await desk.decide(card.id, approve(card), "ada", undo_window=60)
    done = await desk.decide(card.id, approve(card), "bob")
    assert done.effective_at == NOON + timedelta(seconds=60)
    await desk.drain()
    assert till.ran == []
    clock.forward(61)
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_the_role_of_the_terms_is_needed_for_every_decision(desk, till):
    card = await asked(desk, till, under(role="lead"))
    for make in (approve, reject, edit):
        with pytest.raises(NotAllowed, match="role lead"):
            await desk.decide(card.id, make(card), "ada")
    assert "role lead" in (await desk.card(card.id, "ada")).blocked and await desk.pending("ada", mine=True) == []
    await desk.decide(card.id, approve(card), "lee")
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


@pytest.mark.parametrize("lost", ["role", "account"])
async def test_an_approver_lost_before_the_claim_leaves_too_few(desk, till, lost):
    card = await asked(desk, till, under(quorum=2))
    for who in ("ada", "bob"):
        await desk.decide(card.id, approve(card), who)
    await (desk.users.set_role("ada", "viewer", "root") if lost == "role" else desk.users.switch("ada", "root", active=False))
    await desk.drain()
    assert till.ran == []
    closed = await desk.card(card.id, "lee")
    assert closed.status == "superseded" and "may no longer" in closed.close_reason
    assert "review.superseded" in await kinds(desk)


async def test_an_approver_lost_before_the_second_leaves_room_for_another(desk_on_any, till):
    desk = desk_on_any
    card = await asked(desk, till, under(quorum=2))
    await desk.decide(card.id, approve(card), "ada")
    await desk.users.switch("ada", "root", active=False)
    assert (await desk.decide(card.id, approve(card), "bob")).approvals == 1
    assert (await desk.decide(card.id, approve(card), "eve")).status == "approved"
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_the_requester_is_never_one_of_them(desk, till):
    card = await asked(desk, till, under(quorum=2), requester="ada")
    with pytest.raises(NotAllowed, match="own behalf"):
        await desk.decide(card.id, approve(card), "ada")
    assert await desk.pending("ada", mine=True) == []
    await desk.decide(card.id, approve(card), "bob")
    with pytest.raises(AlreadyApproved):
        await desk.decide(card.id, approve(card), "bob")
    await desk.drain()
    assert till.ran == []


@pytest.mark.parametrize("terms", [{"quorum": 2}, {"second_for_edits": True}])
async def test_an_edit_that_needs_a_second_person_is_asked_about_anew(desk_on_any, till, terms):
    desk = desk_on_any
    card = await asked(desk, till, under(**terms))
    done = await desk.decide(card.id, edit(card, amount=3), "ada")
    assert (done.status, done.approvals, done.quorum) == ("pending", 1, 2)
    await desk.drain()
    assert till.ran == []
    new = await desk.card(card.id, "bob")
    assert (new.version, new.args["amount"], new.proposed["amount"], new.edited_by) == (card.version + 1, 3, 5, "ada")
    assert new.digest == done.action_digest != card.digest

    for make in (approve, reject, edit):
        with pytest.raises(StaleDigest, match="ada has changed") as stale:
            await desk.decide(card.id, make(card), "bob")
        assert (stale.value.shown["amount"], stale.value.asked["amount"], stale.value.edited_by) == (5, 3, "ada")
    with pytest.raises(AlreadyApproved):
        await desk.decide(card.id, approve(new), "ada")
    await desk.decide(card.id, approve(new), "bob")
    await desk.drain()
    assert till.paid == [("pay", "bob", 3)]
    (example,) = await desk.examples("ada")
    assert (example.label, example.args["amount"], example.accepted["amount"]) == ("edit", 5, 3)
    assert "review.replaced" in await kinds(desk)
    async with desk.store.read() as tx:
        records = [events.as_record(row) for row in await events.page(tx, desk.tenant)]
    joins = Joins()
    for record in records:
        joins.take(record)  # the audit log alone says that two people stood behind what ran
    joins.close()


async def test_approvals_of_what_was_replaced_count_no_more(desk, till):
    card = await asked(desk, till, under(quorum=2))
    await desk.decide(card.id, approve(card), "ada")
    await desk.decide(card.id, edit(card, amount=3), "bob")
    new = await desk.card(card.id, "ada")
    assert [one["actor"] for one in new.approvals] == ["bob"] and new.blocked == ""
    await desk.decide(card.id, approve(new), "ada")
    await desk.drain()
    assert till.paid == [("pay", "bob", 3)]


async def test_an_edit_taken_back_asks_about_what_was_proposed(desk_on_any, till):
    desk = desk_on_any
    card = await asked(desk, till, under(second_for_edits=True))
    await desk.decide(card.id, edit(card, amount=3), "ada")
    await desk.withdraw(card.id, "ada")
    again = await desk.card(card.id, "bob")
    assert (again.args, again.digest, again.quorum, again.proposed, again.version) == (card.args, card.digest, 1, None, 3)
    await desk.decide(card.id, approve(again), "bob")
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_an_edit_that_changes_nothing_is_an_approval(desk, till):
    card = await asked(desk, till, under(quorum=2))
    assert (await desk.decide(card.id, edit(card), "ada")).approvals == 1
    assert (await desk.card(card.id, "bob")).version == card.version
    await desk.decide(card.id, approve(card), "bob")
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


@pytest.mark.parametrize(
    ("stricter", "needed"),
    [
        (on("pay", max_amount("amount", 100)), 2),
        (on("pay", max_amount("amount", 100, Terms(quorum=3))), 3),
    ],
)
async def test_an_edit_that_the_policy_is_stricter_about_needs_somebody_else(desk, till, stricter, needed):
    card = await asked(desk, till, under(stricter))
    done = await desk.decide(card.id, edit(card, amount=500), "ada")
    assert (done.status, done.quorum) == ("pending", needed)
    await desk.drain()
    assert till.ran == []
    new = await desk.card(card.id, "bob")
    for who in ("bob", "eve", "lee")[: needed - 1]:
        await desk.decide(card.id, approve(new), who)
    await desk.drain()
    assert till.paid == [("pay", "bob", 500)]


async def test_an_edit_by_somebody_below_the_role_it_then_needs_waits_for_one_who_has_it(desk, till):
    card = await asked(desk, till, under(on("pay", max_amount("amount", 100, Terms(role="lead")))))
    done = await desk.decide(card.id, edit(card, amount=500), "ada")
    assert (done.status, done.approvals, done.quorum) == ("pending", 0, 1)
    new = await desk.card(card.id, "lee")
    with pytest.raises(NotAllowed, match="role lead"):
        await desk.decide(card.id, approve(new), "bob")
    await desk.decide(card.id, approve(new), "lee")
    await desk.drain()
    assert till.paid == [("pay", "bob", 500)]


async def test_an_edit_under_the_same_reasons_runs_at_once(desk, till):
    card = await asked(desk, till, under(on("pay", max_amount("amount", 100))), amount=500)
    assert (await desk.decide(card.id, edit(card, amount=400), "ada")).status == "approved"
    await desk.drain()
    assert till.paid == [("pay", "bob", 400)]


@pytest.mark.parametrize("make", [approve, reject, edit, lambda card: respond(card, "no")])
async def test_what_is_due_cannot_be_decided_even_before_a_sweep(desk, till, clock, make):
    card = await asked(desk, till, under(due=60))
    clock.forward(60)
    with pytest.raises(Expired, match="12:01:00"):
        await desk.decide(card.id, make(card), "ada")
    assert "expired" in (await desk.card(card.id, "ada")).blocked and till.ran == []


async def test_an_approval_not_used_in_time_lets_nothing_run(desk_on_any, till, clock):
    desk = desk_on_any
    card = await asked(desk, till, under(valid=60))
    await desk.decide(card.id, approve(card), "ada")
    clock.forward(60)
    await desk.drain()
    closed = await desk.card(card.id, "ada")
    assert till.ran == [] and closed.status == "superseded" and "not used in time" in closed.close_reason


async def test_an_approval_that_ran_out_while_it_waited_can_be_given_again(desk, till, clock):
    card = await asked(desk, till, under(quorum=2, valid=60))
    await desk.decide(card.id, approve(card), "ada")
    clock.forward(60)
    assert (await desk.decide(card.id, approve(card), "bob")).approvals == 1
    assert (await desk.decide(card.id, approve(card), "ada")).status == "approved"
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_the_interrupt_says_until_when(desk, till):
    agent = desk.agent(tools=till.tools, policy=under(due=60), propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    (waiting,) = (await agent.ainvoke(asks(), on_thread()))["__interrupt__"]
    assert waiting.value["expiresAt"] == (NOON + timedelta(seconds=60)).isoformat()


async def test_a_card_is_held_by_one_for_two_minutes(desk_on_any, till, clock):
    desk = desk_on_any
    card = await asked(desk, till, SAFE)
    lease = await desk.take(card.id, "ada")
    assert (lease.holder, lease.until) == ("ada", NOON + timedelta(minutes=2))
    with pytest.raises(HeldByAnother, match="ada works on this card until 12:02:00") as held:
        await desk.take(card.id, "bob")
    assert (held.value.holder, held.value.until) == ("ada", lease.until)
    with pytest.raises(HeldByAnother):
        await desk.decide(card.id, approve(card), "bob")
    assert await desk.pending("bob", mine=True) == [] and len(await desk.pending("ada", mine=True)) == 1
    (listed,) = await desk.pending("bob")
    assert listed.holder == "ada" and "ada works on this card" in listed.blocked

    clock.forward(60)
    await desk.take(card.id, "ada")
    clock.forward(119)
    with pytest.raises(HeldByAnother):
        await desk.take(card.id, "bob")
    clock.forward(1)
    assert (await desk.card(card.id, "bob")).holder is None and len(await desk.pending("bob", mine=True)) == 1
    await desk.take(card.id, "bob")
    await desk.release(card.id, "ada")
    assert (await desk.card(card.id, "lee")).holder == "bob"
    await desk.release(card.id, "bob")
    await desk.decide(card.id, approve(card), "eve")
    with pytest.raises(AlreadyDecided):
        await desk.take(card.id, "ada")


async def test_a_lead_takes_a_card_over_and_nobody_else_does(desk, till):
    card = await asked(desk, till, SAFE)
    await desk.take(card.id, "ada")
    with pytest.raises(NotAllowed):
        await desk.take(card.id, "bob", over=True)
    with pytest.raises(HeldByAnother):
        await desk.take(card.id, "lee")
    await desk.take(card.id, "lee", over=True)
    with pytest.raises(HeldByAnother):
        await desk.decide(card.id, approve(card), "ada")
    await desk.decide(card.id, approve(card), "lee")
    assert "review.taken_over" in await kinds(desk)


async def test_an_approval_that_waits_for_others_gives_the_card_back(desk, till):
    card = await asked(desk, till, under(quorum=2))
    await desk.take(card.id, "ada")
    await desk.decide(card.id, approve(card), "ada")
    assert (await desk.decide(card.id, approve(card), "bob")).status == "approved"


async def test_what_was_approved_in_time_runs_though_it_is_due_by_then(desk, till, clock):
    card = await asked(desk, till, under(due=60))
    await desk.decide(card.id, approve(card), "ada", undo_window=90)
    clock.forward(91)
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]
