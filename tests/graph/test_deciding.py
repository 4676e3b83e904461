"""Deciding: one compare-and-set, by somebody who may, of exactly what was shown; late answers are told who was first."""

from __future__ import annotations

import asyncio
import sqlite3

import assent
import pytest
from assent.graph.errors import AlreadyDecided, InvalidEdit, NotAllowed, StaleDigest, TooLate, UnknownReview
from fakes import NOON, SAFE, Script, approve, asks, calls, edit, on_thread, reject, respond, staff
from pydantic import ValidationError


async def asked(desk, till, *, amount=5, thread="t1", requester="carol", name="assent", policy=SAFE):
    """Have an agent ask for a payment; returns the card."""
    agent = desk.agent(tools=till.tools, policy=policy, name=name, propose=Script(calls(("pay", {"to": "bob", "amount": amount}))))
    await agent.ainvoke(asks(), on_thread(thread, requester))
    return next(card for card in await desk.pending("ada") if card.thread == thread)


async def test_the_second_is_told_who_decided_when_and_what(timed, till):
    card = await asked(timed, till)
    await timed.decide(card.id, reject(card), "ada")
    with pytest.raises(AlreadyDecided) as late:
        await timed.decide(card.id, approve(card), "bob")
    assert (late.value.by, late.value.decision, late.value.at, late.value.status) == ("ada", "reject", NOON, "rejected")
    assert "reject by ada" in str(late.value) and "12:00:00" in str(late.value)
    await timed.drain()
    assert till.ran == []


async def test_of_many_at_once_one_decides(opened_on_any, till):
    desk = opened_on_any
    card = await asked(desk, till)
    answers = [
        desk.decide(card.id, approve(card) if index % 2 else reject(card), name)
        for index, name in enumerate(["ada", "bob", "lee"] * 4)
    ]
    results = await asyncio.gather(*answers, return_exceptions=True)
    won = [one for one in results if not isinstance(one, Exception)]
    assert len(won) == 1 and all(isinstance(one, AlreadyDecided) for one in results if one is not won[0])
    await desk.drain()
    assert bool(till.paid) == (won[0].status == "approved")
    assert len([line for line in await desk.history("ada") if line.decision != "automatic"]) == 1


@pytest.mark.parametrize("make", [approve, reject, edit, lambda card: respond(card, "no")])
async def test_what_was_not_shown_cannot_be_decided(opened, till, make):
    card = await asked(opened, till)
    with pytest.raises(StaleDigest):
        await opened.decide(card.id, {**make(card), "digest": "0" * 64}, "ada")
    assert len(await opened.pending("ada")) == 1


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("vi", "role operator"),
        ("nobody", "does not know you"),
        ("", "does not know you"),
        ("gone", "switched off"),
        ("odd", "role"),
    ],
)
@pytest.mark.parametrize("make", [approve, edit])
async def test_only_who_may_decides(opened, till, tmp_path, who, why, make):
    card = await asked(opened, till)
    await opened.users.add("gone")
    await opened.users.switch("gone", "root", active=False)
    await opened.users.add("odd")
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        connection.execute("UPDATE users SET role = 'superhero' WHERE name = 'odd'")
    connection.close()
    with pytest.raises(NotAllowed, match=why):
        await opened.decide(card.id, make(card), who)
    assert len(await opened.pending("ada")) == 1


@pytest.mark.parametrize("make", [approve, edit, reject])
async def test_the_requester_never_decides_for_himself(opened_on_any, till, make):
    desk = opened_on_any
    card = await asked(desk, till, requester="ada")
    with pytest.raises(NotAllowed, match="somebody else"):
        await desk.decide(card.id, make(card), "ada")
    await desk.decide(card.id, approve(card), "bob")
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


@pytest.mark.parametrize("make", [approve, edit, lambda card: edit(card, amount="lots")])
async def test_another_tenants_review_is_unknown(opened_on_any, till, make):
    desk = opened_on_any
    card = await asked(desk, till)
    await desk.users.add("eve", role="admin", tenant="rival")
    for door in (
        desk.decide(card.id, make(card), "eve"),
        desk.card(card.id, "eve"),
        desk.withdraw(card.id, "eve"),
    ):
        with pytest.raises(UnknownReview):
            await door
    assert await desk.pending("eve") == [] and await desk.count_pending("eve") == 0 and await desk.history("eve") == []


async def test_one_who_may_not_decide_starts_no_dry_run(opened):
    tried = []

    async def look_first(to: str) -> str:
        tried.append(to)
        return "fine"

    @assent.action(consequence="costly", dry_run=look_first)
    async def pay(to: str) -> str:
        """Pay."""
        return "paid"

    agent = opened.agent(tools=[pay], policy=SAFE, propose=Script(calls(("pay", {"to": "bob"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.users.add("eve", tenant="rival")
    for who in ("vi", "nobody", "eve"):
        with pytest.raises(assent.AssentError):
            await opened.decide(card.id, edit(card, to="mallory"), who)
    assert tried == ["bob"]


@pytest.mark.parametrize("make", [approve, reject, edit])
async def test_a_key_decides_once_and_answers_alike(opened, till, make):
    card = await asked(opened, till)
    first = await opened.decide(card.id, make(card), "ada", key="click-1")
    assert await opened.decide(card.id, make(card), "ada", key="click-1") == first
    await opened.drain()
    assert await opened.decide(card.id, make(card), "ada", key="click-1") == first
    with pytest.raises(AlreadyDecided):
        await opened.decide(card.id, make(card), "bob", key="click-1")
    assert len([line for line in await opened.history("ada") if line.decision != "automatic"]) == 1


async def test_an_edit_sent_twice_is_answered_though_it_could_no_longer_be_made(opened):
    left = [100]

    async def enough(amount: int) -> str:
        if amount > left[0]:
            raise assent.ActionRefused("not enough left")
        return "enough"

    @assent.action(consequence="costly", dry_run=enough)
    async def spend(amount: int) -> str:
        """Spend."""
        left[0] -= amount
        return "spent"

    agent = opened.agent(tools=[spend], policy=SAFE, propose=Script(calls(("spend", {"amount": 70}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    first = await opened.decide(card.id, edit(card, amount=80), "ada", key="k")
    await opened.drain()
    assert left == [20]
    assert await opened.decide(card.id, edit(card, amount=80), "ada", key="k") == first


async def test_a_key_does_not_turn_one_answer_into_another(opened, till):
    card = await asked(opened, till)
    await opened.decide(card.id, approve(card), "ada", key="k", undo_window=60)
    with pytest.raises(NotAllowed, match="key"):
        await opened.decide(card.id, reject(card), "ada", key="k")


async def test_a_key_of_a_decision_taken_back_decides_nothing(opened, till):
    card = await asked(opened, till)
    await opened.decide(card.id, approve(card), "ada", key="k", undo_window=60)
    await opened.withdraw(card.id, "ada")
    with pytest.raises(NotAllowed):
        await opened.decide(card.id, approve(card), "ada", key="k")
    assert len(await opened.pending("ada")) == 1


async def test_inside_the_undo_window_nothing_runs_and_afterwards_it_does(timed, till, clock):
    card = await asked(timed, till)
    done = await timed.decide(card.id, approve(card), "ada", undo_window=30)
    assert (done.effective_at - NOON).total_seconds() == 30
    await timed.drain()
    assert till.ran == []
    clock.forward(31)
    await timed.drain()
    assert till.paid == [("pay", "bob", 5)]


@pytest.mark.parametrize("make", [approve, reject, edit, lambda card: respond(card, "no")])
async def test_a_decision_taken_back_asks_again_and_teaches_nothing(timed, till, clock, make):
    card = await asked(timed, till)
    await timed.decide(card.id, make(card), "ada", undo_window=30)
    (example,) = await timed.examples("ada")
    assert example.retired is None
    await timed.withdraw(card.id, "ada")
    clock.forward(60)
    await timed.drain()
    (again,) = await timed.pending("ada")
    assert till.ran == [] and again.version == card.version + 1
    (example,) = await timed.examples("ada")
    assert example.retired and example.retired_by == "ada"
    assert [line.decision for line in await timed.history("ada") if line.decision != "automatic"] == [
        "withdrawn",
        make(card)["type"],
    ]
    await timed.decide(again.id, approve(again), "bob")
    await timed.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_an_approval_in_effect_can_be_taken_back_until_it_is_started(opened_on_any, till):
    desk = opened_on_any
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    await desk.withdraw(card.id, "ada")
    await desk.drain()
    assert till.ran == [] and len(await desk.pending("ada")) == 1


@pytest.mark.parametrize("make", [approve, reject, lambda card: respond(card, "no")])
async def test_too_late_is_said(timed, till, make):
    card = await asked(timed, till)
    with pytest.raises(TooLate):
        await timed.withdraw(card.id, "ada")
    await timed.decide(card.id, make(card), "ada")
    await timed.drain()
    with pytest.raises(TooLate):
        await timed.withdraw(card.id, "ada")


async def test_another_operators_decision_is_taken_back_by_a_lead_only(opened_on_any, till):
    desk = opened_on_any
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    for who in ("bob", "vi", "nobody"):
        with pytest.raises(NotAllowed):
            await desk.withdraw(card.id, who)
    await desk.withdraw(card.id, "lee")
    assert len(await desk.pending("ada")) == 1


async def test_withdrawing_and_claiming_at_once_ends_one_way(any_url, till):
    for round in range(4):
        async with assent.open(any_url) as desk:
            await staff(desk)
            card = await asked(desk, till, thread=f"t{round}", amount=round)
            await desk.decide(card.id, approve(card), "ada")
            _, withdrawn = await asyncio.gather(desk.drain(), desk.withdraw(card.id, "ada"), return_exceptions=True)
            await desk.drain()
            ran = ("pay", "bob", round) in till.ran
            assert ran == isinstance(withdrawn, TooLate)
            assert ran != bool(await desk.pending("ada"))
            await desk.cancel(card.thread, "lee")


async def test_an_example_is_made_with_the_decision(opened_on_any, till):
    desk = opened_on_any
    card = await asked(desk, till)
    await desk.decide(card.id, edit(card, amount=3), "ada")
    (example,) = await desk.examples("ada")
    assert (example.label, example.tool, example.args, example.accepted) == (
        "edit",
        "pay",
        {"to": "bob", "amount": 5},
        {"to": "bob", "amount": 3},
    )


async def test_a_decision_that_cannot_be_written_whole_is_not_written(opened, till, tmp_path):
    card = await asked(opened, till)
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON examples BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(Exception, match="no"):
        await opened.decide(card.id, approve(card), "ada")
    assert len(await opened.pending("ada")) == 1 and [line for line in await opened.history("ada") if line.who == "ada"] == []
    await opened.drain()
    assert till.ran == []
    connection.execute("DROP TRIGGER full")
    connection.close()
    await opened.decide(card.id, approve(card), "ada")


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"to": "bob"}, "amount"),
        ({"to": "bob", "amount": "lots"}, "amount"),
        ({"to": "bob", "amount": 1, "tool": "look"}, "tool"),
        ({"to": 5, "amount": 1}, "to"),
    ],
)
async def test_an_edit_fits_the_same_tool(opened, till, args, field):
    card = await asked(opened, till)
    with pytest.raises(InvalidEdit) as wrong:
        await opened.decide(card.id, {"type": "edit", "digest": card.digest, "args": args}, "ada")
    assert field in wrong.value.problems and len(await opened.pending("ada")) == 1


async def test_an_edit_passes_policy_and_dry_run_again(opened):
    async def route(to: str) -> str:
        if to == "nowhere":
            raise assent.ActionRefused("there is no such place")
        if to == "offline":
            raise ConnectionError("no route")
        return "fine"

    @assent.action(consequence="costly", dry_run=route)
    async def ship(to: str) -> str:
        """Ship."""
        return "shipped"

    policy = assent.Policy(
        (assent.on("ship", lambda facts: assent.Ruling("refuse", "Embargo.") if facts.args["to"] == "eve" else None),)
    )
    agent = opened.agent(tools=[ship], policy=policy, propose=Script(calls(("ship", {"to": "bob"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    for to, why in (("eve", "Embargo"), ("nowhere", "no such place"), ("offline", "no route")):
        with pytest.raises(InvalidEdit, match=why):
            await opened.decide(card.id, edit(card, to=to), "ada")
    await opened.decide(card.id, edit(card, to="carol"), "ada")


@pytest.mark.parametrize("junk", [True, None, "approve", {"type": "approve"}, {"type": "approve", "digest": "x"}])
async def test_junk_decides_nothing(opened, till, junk):
    card = await asked(opened, till)
    with pytest.raises(ValidationError):
        await opened.decide(card.id, junk, "ada")
    assert len(await opened.pending("ada")) == 1


async def test_an_unknown_review_is_unknown(opened):
    with pytest.raises(UnknownReview):
        await opened.decide("rev_none", {"type": "approve", "digest": "0" * 64}, "ada")


@pytest.mark.parametrize("demote", [False, True])
async def test_an_approver_who_may_no_longer_decide_lets_nothing_run(opened_on_any, till, demote):
    desk = opened_on_any
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    await (desk.users.set_role("ada", "viewer", "root") if demote else desk.users.switch("ada", "root", active=False))
    await desk.drain()
    assert till.ran == []
