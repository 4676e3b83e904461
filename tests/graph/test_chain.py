"""Every verdict, decision and execution is on record in a chain that does not break, on both databases."""

from __future__ import annotations

import assent
from assent.graph.audit.chain import GENESIS, payload_digest, record_hash
from assent.graph.rules.policy_changes import note_change
from assent.graph.store import events, reviews
from fakes import SAFE, Script, approve, asks, calls, on_thread


async def records(desk):
    async with desk.store.read() as tx:
        return [events.as_record(row) for row in await events.page(tx, desk.tenant, limit=1000)]


async def test_what_happened_is_chained_in_its_order(opened_on_any, till):
    desk = opened_on_any
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    chain = await records(desk)
    assert till.paid == [("pay", "bob", 5)]
    assert [one["kind"] for one in chain][-4:] == ["verdict", "decision.approve", "execution.claimed", "execution.succeeded"]
    assert [one["seq"] for one in chain] == list(range(1, len(chain) + 1))
    previous = GENESIS
    for one in chain:
        assert one["previous"] == previous and one["hash"] == record_hash(one)
        if one["payload"] is not None:
            assert one["payload_digest"] == payload_digest(one["salt"], one["payload"])
        previous = one["hash"]
    assert {one["body"]["digest"] for one in chain if one["subject"].startswith("act_") and "digest" in one["body"]} == {
        card.digest
    }


async def test_what_was_rolled_back_is_not_on_record(opened_on_any):
    before = await records(opened_on_any)
    try:
        async with opened_on_any.store.begin() as tx:
            events.note(tx, "main", opened_on_any.clock(), "user.added", "x", "x")
            raise LookupError
    except LookupError:
        pass
    assert await records(opened_on_any) == before


async def test_verdicts_carry_versions_and_a_changed_policy_is_noted_once(opened_on_any, till):
    desk = opened_on_any
    strict = assent.Policy((assent.on("look", lambda facts: assent.Ruling("review", "Ask.")),))
    look = ("look", {"what": "sky"})
    for name, policy in (("one", SAFE), ("two", strict), ("three", strict)):
        agent = desk.agent(tools=till.tools, policy=policy, propose=Script(calls(look)), name=name)
        await agent.ainvoke(asks(), on_thread(name))
    chain = await records(desk)
    assert all(one["body"]["assent"] and one["body"]["schema"] for one in chain if one["kind"] == "verdict")
    assert [one["body"]["quorum"] for one in chain if one["kind"] == "verdict"] == [0, 1, 1]
    async with desk.store.read() as tx:
        row = await reviews.action(tx, next(one["subject"] for one in chain if one["kind"] == "verdict"))
    row.provenance = {**row.provenance, "policy": "another"}
    async with desk.store.begin() as tx:
        await note_change(tx, row)
        await note_change(tx, row)
    changes = [one["body"] for one in await records(desk) if one["kind"] == "policy.changed"]
    assert [change["from"] is None for change in changes] == [True, True, True, False]
    assert changes[-1]["agent"] == "one" and changes[-1]["to"] == "another"
