"""Time: what is due is done once, by whoever sweeps; no timeout approves, and every change of a time is on record."""

from __future__ import annotations

from datetime import timedelta

import assent
import pytest
from assent.graph.control.due import next_at
from assent.graph.control.sweeping import LEASE
from assent.graph.errors import AlreadyDecided, AssentError, NotAllowed, UnknownReview
from assent.graph.store import chores, events, reviews
from fakes import SAFE, Script, approve, asks, calls, on_thread, staff, told

MINUTE = 60.0


class Inbox:
    """A notifier that keeps what it is told, and fails as often as it is asked to."""

    def __init__(self) -> None:
        self.got, self.fail = [], 0

    async def __call__(self, notice) -> None:
        if self.fail:
            self.fail -= 1
            raise RuntimeError("no route")
        self.got.append(notice)

    @property
    def kinds(self):
        return [notice.kind for notice in self.got]


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
async def desk(any_url, clock, inbox):
    async with assent.open(any_url, clock=clock, notifier=inbox) as opened:
        await staff(opened)
        yield opened


async def waiting(desk, till, count=1, **times):
    """Let an agent ask for payments that wait, with these moments set, in seconds from now."""
    agent = desk.agent(
        tools=till.tools, policy=SAFE, propose=Script(calls(*[("pay", {"to": f"p{n}", "amount": 5}) for n in range(count)]))
    )
    await agent.ainvoke(asks(), on_thread())
    async with desk.store.begin() as tx:
        for row in await reviews.of_thread(tx, "t1"):
            for name, value in times.items():
                setattr(row, name, value if isinstance(value, str) else desk.clock() + timedelta(seconds=value))
            row.next_at = next_at(row)
            tx.add(row)
    return agent


async def kinds(desk, subject):
    async with desk.store.read() as tx:
        return [row.kind for row in await events.of_subject(tx, desk.tenant, subject)]


async def review(desk):
    async with desk.store.read() as tx:
        return (await reviews.of_thread(tx, "t1"))[0]


async def test_nobody_decides_in_time_and_the_agent_is_told_that_it_does_not_happen(desk, till, clock, inbox):
    agent = await waiting(desk, till, due_at=10 * MINUTE)
    (card,) = await desk.pending("ada")
    clock.forward(10 * MINUTE)
    await desk.drain()
    assert till.paid == [] and await desk.pending("ada") == []
    state = await agent.aget_state(on_thread())
    assert told(state.values) == ["This action does not happen: nobody decided in time."] and state.next == ()
    assert inbox.kinds == ["expired"]
    row = await review(desk)
    assert row.status == "expired" and row.close_reason.startswith("nobody decided until")
    with pytest.raises(AlreadyDecided, match="expired"):
        await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    assert till.paid == [] and inbox.kinds == ["expired"]


async def test_it_warns_once_before_it_expires(desk, till, clock, inbox):
    await waiting(desk, till, due_at=10 * MINUTE, warn_at=8 * MINUTE)
    await desk.drain()
    assert inbox.kinds == []
    clock.forward(8 * MINUTE)
    await desk.drain()
    await desk.drain()
    assert inbox.kinds == ["warning"] and inbox.got[0].body["number"] == 1
    assert len(await desk.pending("ada")) == 1


async def test_a_notice_carries_ids_titles_and_numbers_but_no_arguments(desk, till, clock, inbox):
    await waiting(desk, till, due_at=MINUTE)
    clock.forward(MINUTE)
    await desk.drain()
    (notice,) = inbox.got
    assert set(notice.body) == {"text", "number", "action", "thread", "tool", "title", "due", "review"}
    assert "p0" not in str(notice)


async def test_it_escalates_by_itself_and_then_needs_the_role_and_comes_first(desk, till, clock, inbox):
    await waiting(desk, till, 2)
    first, second = await desk.pending("ada")
    async with desk.store.begin() as tx:
        row = await reviews.by_id(tx, second.id, lock=True)
        row.escalate_at, row.escalate_to = clock() + timedelta(seconds=MINUTE), "role:lead"
        row.next_at = next_at(row)
        tx.add(row)
    clock.forward(MINUTE)
    await desk.drain()
    await desk.drain()
    assert [card.id for card in await desk.pending("lee")] == [second.id, first.id]
    assert inbox.kinds == ["escalated"] and inbox.got[0].body["to"] == "role:lead"
    async with desk.store.read() as tx:
        row = await reviews.by_id(tx, second.id)
    assert row.role == "lead" and row.escalated_at == clock()


async def test_a_late_sweep_only_expires(desk, till, clock, inbox):
    await waiting(desk, till, due_at=MINUTE, warn_at=30.0, escalate_at=40.0)
    clock.forward(3600)
    await desk.drain()
    assert inbox.kinds == ["expired"]


async def test_a_snoozed_review_is_out_of_the_queue_until_its_time(desk, till, clock):
    await waiting(desk, till, due_at=60 * MINUTE)
    (card,) = await desk.pending("ada")
    await desk.snooze(card.id, clock() + timedelta(minutes=5), "ada")
    assert await desk.pending("bob") == [] and await desk.count_pending("bob") == 0
    await desk.drain()
    assert await desk.pending("bob") == []
    clock.forward(5 * MINUTE)
    await desk.drain()
    assert [one.id for one in await desk.pending("bob")] == [card.id]
    assert {"review.snoozed", "review.unsnoozed"} <= set(await kinds(desk, (await review(desk)).action))


async def test_a_snooze_ends_when_a_warning_is_due_or_somebody_says_so(desk, till, clock):
    await waiting(desk, till, due_at=60 * MINUTE, warn_at=10 * MINUTE)
    (card,) = await desk.pending("ada")
    await desk.snooze(card.id, clock() + timedelta(minutes=30), "ada")
    clock.forward(10 * MINUTE)
    await desk.drain()
    assert len(await desk.pending("ada")) == 1
    await desk.snooze(card.id, clock() + timedelta(minutes=30), "ada")
    await desk.unsnooze(card.id, "bob")
    assert len(await desk.pending("ada")) == 1


async def test_a_snooze_is_never_past_the_due_time_nor_behind_us(desk, till, clock):
    await waiting(desk, till, due_at=60 * MINUTE)
    (card,) = await desk.pending("ada")
    for minutes, words in ((60, "due at"), (90, "due at"), (0, "still ahead"), (-5, "still ahead")):
        with pytest.raises(AssentError, match=words):
            await desk.snooze(card.id, clock() + timedelta(minutes=minutes), "ada")
    with pytest.raises(AssentError, match="time zone"):
        await desk.snooze(card.id, clock().replace(tzinfo=None), "ada")


async def test_a_person_calls_somebody_in(desk, till, inbox):
    await waiting(desk, till)
    (card,) = await desk.pending("ada")
    await desk.escalate(card.id, "user:lee", "ada", "too large for me")
    await desk.drain()
    row = await review(desk)
    assert (row.escalate_to, row.role) == ("user:lee", "operator") and inbox.got[0].body["by"] == "ada"
    raised = row.priority
    await desk.escalate(card.id, "role:lead", "bob", "still too large")
    row = await review(desk)
    assert (row.escalate_to, row.role) == ("role:lead", "lead") and row.priority == raised
    for to in ("user:vi", "user:nobody", "role:viewer", "role:boss", "lee"):
        with pytest.raises(AssentError, match="Escalate to"):
            await desk.escalate(card.id, to, "lee", "")
    with pytest.raises(NotAllowed, match="needs the role lead"):
        await desk.snooze(card.id, desk.clock() + timedelta(minutes=1), "ada")


async def test_an_extension_moves_the_due_time_and_warns_again_but_not_for_ever(desk, till, clock, inbox):
    await waiting(desk, till, due_at=10 * MINUTE, warn_at=8 * MINUTE)
    (card,) = await desk.pending("ada")
    clock.forward(8 * MINUTE)
    await desk.drain()
    start = clock() - timedelta(minutes=8)
    await desk.extend(card.id, start + timedelta(minutes=20), "lee", "the customer is asked")
    clock.forward(3 * MINUTE)
    await desk.drain()
    assert len(await desk.pending("ada")) == 1 and inbox.kinds == ["warning"]
    clock.forward(7 * MINUTE)
    await desk.drain()
    assert inbox.kinds == ["warning", "warning"]
    for moment, words in ((start + timedelta(minutes=20), "already"), (start + timedelta(days=31), "30 days")):
        with pytest.raises(AssentError, match=words):
            await desk.extend(card.id, moment, "lee", "")
    assert "review.extended" in await kinds(desk, (await review(desk)).action)


async def test_who_may_and_what_is_over(desk, till, clock):
    await waiting(desk, till)
    (card,) = await desk.pending("ada")
    later = clock() + timedelta(minutes=5)
    with pytest.raises(NotAllowed):
        await desk.snooze(card.id, later, "vi")
    with pytest.raises(UnknownReview):
        await desk.snooze("rev_0", later, "ada")
    with pytest.raises(AssentError, match="no due time"):
        await desk.extend(card.id, later, "lee", "")
    await desk.decide(card.id, approve(card), "ada")
    for door in (desk.snooze(card.id, later, "ada"), desk.escalate(card.id, "role:lead", "ada"), desk.unsnooze(card.id, "ada")):
        with pytest.raises(AlreadyDecided):
            await door


async def test_somebody_elses_card_is_left_alone_except_by_a_lead(desk, till, clock):
    await waiting(desk, till)
    (card,) = await desk.pending("ada")
    async with desk.store.begin() as tx:
        row = await reviews.by_id(tx, card.id, lock=True)
        row.holder, row.held_until = "bob", clock() + timedelta(minutes=2)
        tx.add(row)
    later = clock() + timedelta(minutes=5)
    with pytest.raises(NotAllowed, match="bob is at work"):
        await desk.snooze(card.id, later, "ada")
    await desk.snooze(card.id, later, "bob")
    await desk.unsnooze(card.id, "lee")
    clock.forward(3 * MINUTE)
    await desk.snooze(card.id, later, "ada")


async def test_a_sweep_stands_back_while_another_is_at_it_and_takes_over_when_that_one_died(desk, till, clock, inbox):
    await waiting(desk, till, due_at=MINUTE)
    clock.forward(MINUTE)
    async with desk.store.begin() as tx:
        assert await chores.take(tx, f"sweep {desk.tenant}", "somebody else", clock(), LEASE)
    await desk.drain()
    assert (await review(desk)).status == "pending"
    clock.forward(LEASE.total_seconds() + 1)
    await desk.drain()
    assert (await review(desk)).status == "expired"


async def test_a_notice_that_does_not_arrive_is_tried_again_and_again_and_then_becomes_a_task(desk, till, clock, inbox):
    await waiting(desk, till, due_at=MINUTE)
    inbox.fail = 100
    clock.forward(MINUTE)
    for _ in range(20):
        await desk.drain()
        clock.forward(24 * 3600)
    assert inbox.got == [] and inbox.fail == 93, "seven attempts, then no more"
    inbox.fail = 0
    await desk.drain()
    assert inbox.got == []
