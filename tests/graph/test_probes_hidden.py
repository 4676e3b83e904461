"""Probes and people: nothing runs by an answer, one settles it, and whoever knows the answer hears nothing of it."""

from __future__ import annotations

from datetime import timedelta

import assent
import pytest
from assent.graph.audit.trail import trail
from assent.graph.authority import probing
from assent.graph.errors import TooLate, Unauthorised, UnknownReview
from assent.graph.rules.checks import always
from assent.graph.rules.terms import Terms
from assent.graph.store import executions, probes, reviews
from assent.tools.declaration import schema_digest
from fakes import SAFE, Script, approve, asks, calls, edit, on_thread, reject, respond

HOUR = timedelta(hours=1)
STRICT = assent.Policy(
    (assent.on("pay", always("review", "Two look.", Terms(quorum=2, second_for_edits=True, due=HOUR.total_seconds()))),)
)


@pytest.fixture
async def probe(desk, till):
    """What asks about a payment that ada rejected: a known-answer item unless another kind is wanted."""
    agent = desk.agent(tools=till.tools, policy=STRICT, propose=Script(calls(("pay", {"to": "ann", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, reject(card), "ada")
    await desk.drain()

    async def ask(kind="known", expected="wrong"):
        async with desk.store.begin() as tx:
            source = await reviews.action(tx, (await reviews.by_id(tx, card.id)).action)
            return await probing.ask(tx, source, kind, desk.clock(), expected=expected, not_for="ada")

    return ask


@pytest.mark.parametrize("answer", [approve, reject, lambda card: edit(card, amount=7), lambda card: respond(card, "no")])
async def test_nothing_runs_by_the_answer_to_a_probe_and_one_answer_settles_it(desk, till, probe, answer):
    review = await probe()
    card = await desk.card(review.id, "bob")
    done = await desk.decide(card.id, answer(card), "bob", undo_window=600)
    assert done.status != "pending" and done.probe == "known" and "nothing runs by it" in done.revealed
    assert await desk.drain() == 0 and till.ran == []
    with pytest.raises(TooLate):
        await desk.withdraw(card.id, "bob")
    async with desk.store.read() as tx:
        assert await executions.get(tx, review.action) is None
        assert (await probes.of_review(tx, review.id)).answered_by == "bob"
    with pytest.raises(Unauthorised):
        await desk._ledger.claim(review.action, "worker", schema_digest(till.pay), idempotent=False)
    assert await desk.pending("bob", mine=True) == [] and await desk.tasks("lee") == []


async def test_what_it_was_is_told_again_under_the_same_key(desk, probe):
    card = await desk.card((await probe()).id, "bob")
    first = await desk.decide(card.id, approve(card), "bob", key="k" * 12)
    again = await desk.decide(card.id, approve(card), "bob", key="k" * 12)
    assert "A lead is asked which is right" in first.revealed
    assert (again.probe, again.revealed) == (first.probe, first.revealed)


async def test_one_probe_of_a_kind_asks_about_an_action(desk, probe):
    assert await probe() is not None and await probe() is None
    assert await probe("second") is not None


async def test_whoever_knows_the_answer_hears_nothing_of_it(desk, probe):
    review = await probe()
    for mine in (True, False):
        assert await desk.pending("ada", mine=mine) == []
        assert [card.id for card in await desk.pending("bob", mine=mine)] == [review.id]
    card = await desk.card(review.id, "bob")
    doors = {
        "card": lambda: desk.card(review.id, "ada"),
        "by number": lambda: desk.card_by_number(review.number, "ada"),
        "take": lambda: desk.take(review.id, "ada"),
        "snooze": lambda: desk.snooze(review.id, desk.clock() + HOUR / 2, "ada"),
        "decide": lambda: desk.decide(review.id, approve(card), "ada"),
        "trail": lambda: trail(desk.store, "ada", review.id),
        "trail of the copy": lambda: trail(desk.store, "ada", review.action),
    }
    for name, door in doors.items():
        with pytest.raises(UnknownReview):
            assert await door() is None, name
    assert (await desk.decide(review.id, approve(card), "bob")).probe == "known"


async def test_nobody_answers_a_probe_on_their_own_request(desk, till, probe):
    review = await probe()
    await desk.users.add("carol", role="operator", tenant="main")
    for steer in (desk.take(review.id, "carol"), desk.snooze(review.id, desk.clock() + HOUR / 2, "carol")):
        with pytest.raises(assent.graph.errors.NotAllowed, match="on your own behalf"):
            await steer


async def test_a_known_answer_item_that_nobody_answers_ends_quietly_and_an_audit_is_asked_on(desk, probe):
    known, audit = await probe(), await probe("audit")
    desk.clock.forward(3601)
    await desk.drain()
    await desk.sweeper.sweep()
    async with desk.store.read() as tx:
        assert (await reviews.by_id(tx, known.id)).status == "expired"
        asked = await reviews.by_id(tx, audit.id)
    assert asked.status == "pending" and asked.due_at > desk.clock()
    assert await desk.drain() == 0 and await desk.tasks("lee") == []
    card = await desk.card(audit.id, "bob")
    assert (await desk.decide(card.id, approve(card), "bob")).probe == "audit"


async def test_the_copy_of_an_old_action_is_dated_as_if_it_were_new(desk, probe, till):
    async def balance(to: str) -> str:
        return f"{to} has an account"

    @assent.action(consequence="costly", dry_run=balance)
    async def send(to: str) -> str:
        """Send something."""
        return "sent"

    agent = desk.agent(tools=[send], policy=SAFE, propose=Script(calls(("send", {"to": "ann"}))), name="sender")
    await agent.ainvoke(asks(), on_thread("t2"))
    (old,) = [card for card in await desk.pending("ada") if card.agent == "sender"]
    desk.clock.forward(timedelta(days=40).total_seconds())
    async with desk.store.begin() as tx:
        source = await reviews.action(tx, (await reviews.by_id(tx, old.id)).action)
        review = await probing.ask(tx, source, "audit", desk.clock())
    card = await desk.card(review.id, "bob")
    assert card.evidence[0]["text"] == old.evidence[0]["text"]
    assert card.evidence[0]["at"] == card.created == desk.clock().isoformat() != old.evidence[0]["at"]
    assert source.id not in str(card.as_json()) and source.thread not in str(card.as_json()) and old.digest != card.digest
