"""What people are shown of the audit log: the records of one action, and whether they are untouched; on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from assent.graph.audit.trail import closed, trail
from assent.graph.errors import NotAllowed, UnknownReview
from fakes import SAFE, Script, approve, asks, calls, on_thread


async def paying(desk, till):
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    return card


async def test_the_trail_of_a_review_is_its_actions_records_in_order(opened_on_any, till):
    desk = opened_on_any
    card = await paying(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    found = await trail(desk.store, "vi", card.id)
    kinds = [line.kind for line in found.lines]
    assert kinds == ["verdict", "decision.approve", "execution.claimed", "execution.succeeded"]
    assert found.sound and not found.more and all(line.sound for line in found.lines)
    assert found.lines[1].actor == "ada"
    assert await trail(desk.store, "vi", found.subject) == found


async def test_a_record_that_was_changed_is_named(opened_on_any, till):
    desk = opened_on_any
    card = await paying(desk, till)
    await desk.decide(card.id, approve(card), "ada")
    async with desk.store.begin() as tx:
        if desk.store.is_sqlite:
            triggers = (
                await tx.exec(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'"))
            ).all()
            for (name,) in triggers:
                await tx.exec(sa.text(f"DROP TRIGGER {name}"))
        else:
            await tx.exec(sa.text("ALTER TABLE events DISABLE TRIGGER USER"))
        await tx.exec(sa.text("UPDATE events SET actor = 'bob' WHERE kind = 'decision.approve'"))
    found = await trail(desk.store, "vi", card.id)
    assert not found.sound
    assert [line.kind for line in found.lines if not line.sound] == ["decision.approve"]


async def test_nobody_reads_the_trail_of_what_is_not_there_or_without_an_account(opened_on_any, till):
    desk = opened_on_any
    card = await paying(desk, till)
    with pytest.raises(UnknownReview):
        await trail(desk.store, "vi", "nothing")
    with pytest.raises(NotAllowed):
        await trail(desk.store, "nobody", card.id)
    await desk.users.add("eve", role="admin", tenant="other")
    with pytest.raises(UnknownReview):
        await trail(desk.store, "eve", card.id)


async def test_what_was_closed_without_a_decision_is_listed_with_how(opened_on_any, till):
    desk = opened_on_any
    card = await paying(desk, till)
    assert await closed(desk.store, "vi", 10) == []
    await desk.cancel("t1", "ada", "the customer called")
    (line,) = await closed(desk.store, "vi", 10)
    assert (line.review, line.decision) == (card.id, "cancelled")
    assert await closed(desk.store, "vi", 10, "nothing of the kind") == []
