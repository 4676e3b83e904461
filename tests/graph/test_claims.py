"""Claims and other things that several do at the same moment, on both databases: one wins, nobody fails, nothing is done twice."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import assent
import postgres
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from assent.graph.authority.claiming import Claimed, Recorded
from assent.graph.authority.ledger import Ledger
from assent.graph.errors import AlreadyApproved, AlreadyDecided, HeldByAnother, StoreError, ThreadBusy, Unauthorised
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Policy, on
from assent.graph.rules.terms import Terms
from assent.graph.store import executions, migrate, reviews
from assent.graph.work.leases import lease
from fakes import SAFE, Script, approve, as_owner, asks, calls, edit, on_thread, staff

PEOPLE = [f"p{index}" for index in range(6)]


@pytest.fixture
async def desk(opened_on_any):
    for name in PEOPLE:
        await opened_on_any.users.add(name)
    return opened_on_any


async def asked(desk, till, terms=None, policy=None):
    policy = policy or Policy((on("pay", always("review", "People look.", terms or Terms())),))
    agent = desk.agent(tools=till.tools, policy=policy, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("lee")
    return card


async def action_of(desk, card):
    async with desk.store.read() as tx:
        row = await reviews.by_id(tx, card.id)
        return await reviews.action(tx, row.action)


async def gathered(*work):
    """Return what each came to: its result, or the error it raised."""
    return await asyncio.gather(*work, return_exceptions=True)


async def test_a_claim_is_given_once_and_again_only_to_the_call_that_never_heard(desk, till):
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    row, ledger = await action_of(desk, card), Ledger(desk.store, desk.clock)
    async with lease(desk.store, "t1", desk.clock) as owner:
        found = await gathered(
            *(ledger.claim(row.id, owner, row.tool_digest, idempotent=False, nonce="one") for _ in range(4)),
            *(ledger.claim(row.id, "lease_other", row.tool_digest, idempotent=False, nonce="x") for _ in range(2)),
        )
        assert all(isinstance(one, Claimed) for one in found[:4]) and len({one.fence for one in found[:4]}) == 1
        assert all(isinstance(one, ThreadBusy) for one in found[4:])
        assert (await ledger.finish(row.id, found[0].fence, "succeeded", "paid")).status == "succeeded"
        assert await ledger.claim(row.id, owner, row.tool_digest, idempotent=False, nonce="one") == Recorded("succeeded", "paid")


@pytest.mark.parametrize("idempotent", [False, True])
async def test_another_call_never_takes_a_claim_for_its_own(desk, till, idempotent):
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    row, ledger = await action_of(desk, card), Ledger(desk.store, desk.clock)
    async with lease(desk.store, "t1", desk.clock) as owner:
        first = await ledger.claim(row.id, owner, row.tool_digest, idempotent=idempotent, nonce="one")
    async with lease(desk.store, "t1", desk.clock) as owner:
        second = await ledger.claim(row.id, owner, row.tool_digest, idempotent=idempotent, nonce="two")
        assert isinstance(second, Claimed) if idempotent else second.status == "unknown"
        if idempotent:
            with pytest.raises(ThreadBusy):
                await ledger.finish(row.id, first.fence, "succeeded", "paid")
            await ledger.finish(row.id, second.fence, "succeeded", "paid")
    async with desk.store.read() as tx:
        known = await executions.get(tx, row.id)
    assert (known.status, known.attempts) == (("succeeded", 2) if idempotent else ("unknown", 1))


@pytest.mark.parametrize("lost", ["claim", "finish"])
async def test_an_answer_that_got_lost_costs_nothing(desk, till, monkeypatch, lost):
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    inner, cuts = getattr(Ledger, lost), [1]

    async def cut(self, *args, **kwargs):
        done = await inner(self, *args, **kwargs)
        if cuts:
            cuts.pop()
            raise StoreError("The connection to the database was lost.")
        return done

    monkeypatch.setattr(Ledger, lost, cut)
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)] and not cuts and await desk.tasks("lee") == []


async def test_a_lost_approver_of_what_was_begun_makes_it_doubtful_not_undone(desk, till):
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    row, ledger = await action_of(desk, card), Ledger(desk.store, desk.clock)
    async with lease(desk.store, "t1", desk.clock) as owner:
        await ledger.claim(row.id, owner, row.tool_digest, idempotent=True, nonce="one")
    await desk.users.switch("ada", "root", active=False)
    await desk.drain()
    assert till.ran == [] and [task.kind for task in await desk.tasks("lee")] == ["unknown"]


async def test_a_refused_claim_closes_its_review_and_says_why(desk, till):
    card = await asked(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    row, ledger = await action_of(desk, card), Ledger(desk.store, desk.clock)
    async with lease(desk.store, "t1", desk.clock) as owner:
        for _ in range(2):
            with pytest.raises(Unauthorised, match="has changed since"):
                await ledger.claim(row.id, owner, "another schema", idempotent=False)
    closed = await desk.card(card.id, "lee")
    assert closed.status == "superseded" and "has changed since" in closed.close_reason


@pytest.mark.parametrize("tamper", ["UPDATE reviews SET quorum = 0", "UPDATE reviews SET role = 'nobody'"])
async def test_terms_loosened_in_the_row_let_nothing_run(desk, till, tamper):
    card = await asked(desk, till, Terms(quorum=2))
    await desk.decide(card.id, approve(card), "ada")
    with as_owner(desk.store.url.render_as_string(hide_password=False).replace("+aiosqlite", "")) as connection:
        connection.exec_driver_sql(tamper)
        connection.exec_driver_sql("UPDATE reviews SET status = 'approved'")
    await desk.agents["assent"].drive("t1")
    assert till.ran == [] and (await desk.card(card.id, "lee")).status == "superseded"


async def test_many_take_a_card_at_once_and_one_has_it(desk, till):
    card = await asked(desk, till)
    found = await gathered(*(desk.take(card.id, name) for name in PEOPLE))
    (won,) = [one for one in found if not isinstance(one, Exception)]
    assert all(isinstance(one, HeldByAnother) and one.holder == won.holder for one in found if one is not won)


async def test_many_approve_at_once_and_the_quorum_is_counted_right(desk, till):
    card = await asked(desk, till, Terms(quorum=3))
    found = await gathered(*(desk.decide(card.id, approve(card), name) for name in PEOPLE for _ in range(2)))
    won = [one for one in found if not isinstance(one, Exception)]
    assert sorted(one.approvals for one in won) == [1, 2, 3] and {one.status for one in won} == {"pending", "approved"}
    assert all(isinstance(one, AlreadyDecided | AlreadyApproved) for one in found if isinstance(one, Exception))
    assert len(await desk.examples("lee")) == 1
    await desk.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_approvals_and_an_edit_at_once_never_mix(desk, till):
    card = await asked(desk, till, Terms(quorum=2))
    await gathered(desk.decide(card.id, edit(card, amount=3), "p0"), *(desk.decide(card.id, approve(card), n) for n in PEOPLE[1:3]))
    shown = await desk.card(card.id, "lee")
    await desk.drain()
    if shown.status == "pending":
        assert till.ran == [] and shown.args["amount"] == 3 and [one["actor"] for one in shown.approvals] == ["p0"]
    else:
        assert till.paid == [("pay", "bob", 5)]


@pytest.mark.parametrize("make", [approve, edit])
async def test_a_key_sent_many_times_at_once_decides_once(desk, till, make):
    card = await asked(desk, till, policy=SAFE)
    found = await gathered(*(desk.decide(card.id, make(card), "ada", key="click-1") for _ in range(5)))
    assert [one for one in found if isinstance(one, Exception)] == [] and len(set(found)) == 1
    assert len([line for line in await desk.history("ada") if line.decision != "automatic"]) == 1


async def test_one_action_recorded_by_many_at_once_is_recorded_once(any_url, till):
    async with assent.open(any_url) as desk:
        await staff(desk)
        card = await asked(desk, till)
        row = await action_of(desk, card)
        fresh = [type(row)(**{**row.model_dump(), "id": "act_new", "thread": "t9"}) for _ in range(5)]
        found = await gathered(*(Ledger(desk.store, desk.clock).record(one) for one in fresh))
        assert [one for one in found if isinstance(one, Exception)] == []
        assert len([card for card in await desk.pending("lee") if card.thread == "t9"]) == 1


FIRST = {
    "threads": {"id": "t1", "tenant": "main", "agent": "assent", "requester": "carol", "status": "open", "created_at": "2026"},
    "actions": {
        "id": "act_1", "tenant": "main", "thread": "t1", "agent": "assent", "requester": "carol", "tool": "pay", "tool_digest": "d",
        "args": "{}", "digest": "h", "consequence": "costly", "title": "pay", "verdict": "review", "reasons": "[]",
        "readings": "[]", "evidence": "[]", "conversation": "[]", "precedents": "[]", "args_schema": "{}", "description": "",
        "provenance": "{}", "created_at": "2026",
    },
    "reviews": {
        "number": 1, "id": "rev_1", "tenant": "main", "action": "act_1", "thread": "t1", "tool": "pay", "status": "approved",
        "version": 1, "priority": 1.0, "created_at": "2026",
    },
    "decisions": {
        "sequence": 1, "id": "dec_1", "tenant": "main", "review": "rev_1", "action": "act_1", "version": 1, "type": "edit",
        "actor": "ada", "role": "operator", "shown_digest": "h", "digest": "e", "args": '{"amount":3}', "reason": "",
        "message": "", "effective_at": "2026", "created_at": "2026",
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_edit_approved_under_the_first_schema_is_what_its_review_asks_about(kind, new_url):
    with nullcontext(new_url) if kind == "sqlite" else postgres.fresh(empty=True) as address:
        at_first_schema(address)
        await migrate.upgrade(sa.make_url(address))
        with as_owner(address, guarded=True) as connection:
            found = connection.exec_driver_sql("SELECT digest, args, quorum FROM reviews").one()
    assert tuple(found) == ("e", '{"amount":3}', 1)


def at_first_schema(address):
    """Make a database as the first version left it, with an approved edit that waits to be run."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = (migrate._sqlite if address.startswith("sqlite") else migrate._postgresql)(sa.make_url(address))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for table, row in FIRST.items():
            connection.execute(sa.table(table, *map(sa.column, row)).insert().values(**row))
    engine.dispose()
