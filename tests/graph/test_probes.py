"""Probes: reviews whose answer lets nothing run, whatever is tried with them; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from assent.graph.authority import probing
from assent.graph.errors import AlreadyDecided, NotAllowed, ThreadClosed, TooLate, Unauthorised
from assent.graph.store import probes, reviews
from assent.graph.work.leases import lease
from fakes import SAFE, Script, approve, asks, calls, edit, on_thread, reject, says

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def probed(desk, till, kind="known", expected="wrong", **how):
    """Have a payment decided, and return the card of a probe about it."""
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5})), says()))
    await agent.ainvoke(asks(), on_thread("t1"))
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, reject(card), "ada")
    await desk.drain()
    async with desk.store.begin() as tx:
        (source,) = await reviews.actions_of_thread(tx, "t1")
        assert await probing.ask(tx, source, kind, desk.clock(), expected=expected, **how) is not None
    (card,) = await desk.pending("bob")
    return agent, card


async def test_an_approved_probe_never_runs(opened_on_any, till):
    desk = opened_on_any
    agent, card = await probed(desk, till)
    async with desk.store.read() as tx:
        review = await reviews.by_id(tx, card.id)
    done = await desk.decide(card.id, approve(card), "bob")
    assert done.probe == "known" and "A lead is asked" in done.revealed
    assert [line.outcome for line in await desk.history("ada") if line.who == "bob"] == ["probe"], (
        "the history says that nothing runs"
    )
    await desk.drain()
    async with lease(desk.store, review.thread, desk.clock) as owner:
        async with desk.store.read() as tx:
            copy = await reviews.action(tx, review.action)
        with pytest.raises(Unauthorised):
            await desk._ledger.claim(copy.id, owner, copy.tool_digest, idempotent=True)
    with pytest.raises(ThreadClosed):
        await agent.ainvoke(asks(), on_thread(review.thread))
    assert till.paid == []


async def test_what_a_probe_measured_is_on_record_and_stays(opened_on_any, till):
    desk = opened_on_any
    _, card = await probed(desk, till)
    await desk.decide(card.id, edit(card, amount=4), "bob", undo_window=60)
    async with desk.store.read() as tx:
        probe = await probes.of_review(tx, card.id)
    assert (probe.outcome, probe.decision, probe.answered_by) == ("wrong", "edit", "bob")
    with pytest.raises(TooLate):
        await desk.withdraw(card.id, "bob")
    with pytest.raises(AlreadyDecided):
        await desk.decide(card.id, approve(card), "ada")


async def test_there_is_one_probe_of_a_kind_about_an_action_and_its_case_cannot_be_cancelled_away(opened_on_any, till):
    desk = opened_on_any
    _, card = await probed(desk, till, kind="audit")
    async with desk.store.begin() as tx:
        (source,) = await reviews.actions_of_thread(tx, "t1")
        assert await probing.ask(tx, source, "audit", desk.clock()) is None
    async with desk.store.read() as tx:
        review = await reviews.by_id(tx, card.id)
    with pytest.raises(NotAllowed):
        await desk.cancel(review.thread, "ada")
    assert [one.id for one in await desk.pending("bob")] == [card.id]


async def test_whoever_knows_the_answer_is_not_given_it(opened_on_any, till):
    desk = opened_on_any
    await probed(desk, till, not_for="ada")
    assert await desk.pending("ada", mine=True) == [] and len(await desk.pending("bob", mine=True)) == 1


async def test_a_probe_leaves_out_what_the_machine_made_of_the_action(opened_on_any, till):
    desk = opened_on_any
    _, card = await probed(desk, till, kind="audit")
    assert card.confidence is None and card.reasons[0]["check"] == "blind"
    told = str(card.as_json()).lower()
    assert not any(word in told for word in ("audit", "probe", "known", "confidence '", "verdict"))


async def test_erasing_a_case_erases_what_probes_copied_of_it(opened_on_any, till):
    desk = opened_on_any
    _, card = await probed(desk, till)
    await desk.erase("t1", "root", "asked for")
    async with desk.store.read() as tx:
        review = await reviews.by_id(tx, card.id)
        copy = await reviews.action(tx, review.action)
    assert review.status == "cancelled" and copy.args == {} and copy.conversation == []


async def test_known_answers_teach_nothing_and_audits_do(opened_on_any, till):
    desk = opened_on_any
    _, card = await probed(desk, till)
    assert await desk.examples("ada") == [], "held back while it is asked about"
    await desk.decide(card.id, approve(card), "bob")
    before = 1
    assert len(await desk.examples("ada")) == before, "what was decided first"
    async with desk.store.begin() as tx:
        (source,) = await reviews.actions_of_thread(tx, "t1")
        await probing.ask(tx, source, "audit", desk.clock())
    (card,) = await desk.pending("bob")
    await desk.decide(card.id, approve(card), "bob")
    assert len(await desk.examples("ada")) == before + 1
