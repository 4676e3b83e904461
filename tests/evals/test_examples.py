"""What is read as an example: one tenant's, not retired, of decisions nobody can take back."""

import sqlite3
from contextlib import closing
from datetime import timedelta

from assent.evals.examples import Call, read_examples

ARGS = {"order_id": "1001", "amount": "34.00"}


async def read(desk, tenant="main"):
    return [example async for example in read_examples(desk.store, tenant, clock=lambda: desk.now)]


async def test_an_example_holds_what_was_proposed_and_what_was_accepted(desk):
    edited = {**ARGS, "amount": "17.00"}
    await desk.decide("edit", ARGS, edited, conversation=[{"role": "requester", "text": "Broken"}])
    (example,) = await read(desk)
    assert (example.args, example.accepted, example.label) == (ARGS, edited, "edit")
    assert example.right == Call("refund", edited)
    assert example.conversation == ({"role": "requester", "text": "Broken"},)
    assert example.offers[0].choices == ({"order_id": "1001"}, {"order_id": "1002"})
    assert example.offers[1].choices is None
    assert (example.actor, example.provenance) == ("ann", {"model": "small"})


async def test_another_tenants_examples_are_never_read(desk):
    await desk.decide("approve", ARGS, tenant="other")
    mine = await desk.decide("approve", ARGS)
    assert [example.id for example in await read(desk)] == [mine]
    assert [example.id for example in await read(desk, "nobody")] == []


async def test_a_retired_example_teaches_nothing(desk):
    await desk.decide("approve", ARGS, retired=True)
    assert await read(desk) == []


async def test_a_withdrawn_decision_teaches_nothing_and_the_next_one_on_the_review_does(desk):
    first, second = await desk.decide("approve", ARGS), await desk.decide("reject", ARGS)
    await desk.withdraw(first)
    assert [example.id for example in await read(desk)] == [second]


async def test_a_decision_that_can_still_be_taken_back_teaches_nothing_yet(desk):
    held = await desk.decide("approve", ARGS, veto=timedelta(minutes=2))
    assert await read(desk) == []
    desk.number += 2
    assert [example.id for example in await read(desk)] == [held]


async def test_more_examples_than_a_page_come_once_and_in_order(desk, monkeypatch):
    monkeypatch.setattr("assent.evals.examples.PAGE", 3)
    made = [await desk.decide("approve", ARGS) for _ in range(7)]
    await desk.withdraw(made[4])
    assert [example.id for example in await read(desk)] == made[:4] + made[5:]


async def test_a_rejected_action_knows_what_was_accepted_in_its_place(desk):
    await desk.decide("reject", ARGS, thread="7")
    await desk.decide("approve", {"topic": "returns"}, tool="send_reply", thread="7")
    rejected, accepted = await read(desk)
    assert rejected.alternative == rejected.right == Call("send_reply", {"topic": "returns"})
    assert accepted.alternative is None


async def test_only_an_answer_to_the_rejection_is_an_alternative(desk):
    sibling = desk.now - timedelta(minutes=5)
    await desk.decide("reject", ARGS, thread="7")
    await desk.decide("approve", {"topic": "sibling"}, tool="send_reply", thread="7", proposed_at=sibling)
    await desk.decide("approve", {"topic": "new request"}, tool="send_reply", thread="7", text="And my teapot?")
    await desk.decide("approve", {"topic": "another case"}, tool="send_reply", thread="8")
    withdrawn = await desk.decide("approve", {"topic": "withdrawn"}, tool="send_reply", thread="7")
    await desk.withdraw(withdrawn)
    assert (await read(desk))[0].alternative is None


async def test_reading_holds_no_transaction_while_the_reader_is_slow(desk):
    await desk.decide("approve", ARGS)
    reader = read_examples(desk.store, "main", clock=lambda: desk.now)
    await anext(reader)
    await desk.decide("approve", ARGS)
    with closing(sqlite3.connect(desk.store.path, timeout=0)) as outside:
        (blocked, *_) = outside.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    await reader.aclose()
    assert not blocked
