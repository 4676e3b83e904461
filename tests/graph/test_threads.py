"""Threads: what comes in meanwhile is delivered once; cancelling is final; trouble is visible, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from datetime import timedelta

import assent
import pytest
from assent.graph.authority.limits import Limits
from assent.graph.errors import (
    AlreadyDecided,
    ModelUnavailable,
    NotAllowed,
    ProposalError,
    ThreadBusy,
    ThreadClosed,
    TooLate,
    UnknownThread,
)
from assent.graph.store.models import ActionRow, ExecutionRow
from assent.graph.work.leases import lease
from fakes import SAFE, Script, Till, approve, asks, calls, on_thread, reject, says, staff
from sqlmodel import select

PAY = calls(("pay", {"to": "bob", "amount": 5}))


def heard(script, index=-1):
    """Return what the requester said, as the model saw it."""
    return [message.content for message in script.steps[index].messages if message.type == "human"]


@pytest.fixture
async def timed(any_url, clock):
    async with assent.open(any_url, clock=clock) as desk:
        await staff(desk)
        yield desk


@pytest.mark.parametrize("door", ["send", "ainvoke"])
async def test_a_message_while_reviews_wait_comes_after_the_outcome_once(opened_on_any, till, door):
    script = Script(PAY, says("Paid."), says("You are welcome."))
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks("Pay Bob."), on_thread())
    if door == "send":
        sent = await opened_on_any.send("t1", "Thanks!", requester="carol")
        assert not sent.delivered and sent.waiting_for == [(await opened_on_any.pending("ada"))[0].id]
    else:
        assert (await agent.ainvoke(asks("Thanks!"), on_thread()))["__interrupt__"]
    await opened_on_any.drain()
    assert len(script.steps) == 1
    shown = (await opened_on_any.conversation("t1")).messages
    assert shown[-1] == {"role": "requester", "text": "Thanks!", "review": None, "status": "queued"}

    (card,) = await opened_on_any.pending("ada")
    await opened_on_any.decide(card.id, approve(card), "ada")
    await opened_on_any.drain()
    await opened_on_any.drain()
    assert till.paid == [("pay", "bob", 5)]
    assert heard(script, 1) == ["Pay Bob."] and heard(script, 2) == ["Pay Bob.", "Thanks!"] and len(script.steps) == 3
    kinds = [message.type for message in (await agent.aget_state(on_thread())).values["messages"]]
    assert kinds == ["human", "ai", "tool", "ai", "human", "ai"]


async def test_it_survives_a_restart(any_url, till):
    async with assent.open(any_url) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
        await agent.ainvoke(asks("Pay Bob."), on_thread())
        for text in ("one", "two"):
            await desk.send("t1", text, requester="carol")
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, reject(card), "ada")
    script = Script()
    async with assent.open(any_url) as desk:
        desk.agent(tools=till.tools, policy=SAFE, propose=script)
        await desk.drain()
        await desk.drain()
    assert heard(script) == ["Pay Bob.", "one", "two"] and len(script.steps) == 3 and till.ran == []


async def test_messages_from_many_sides_are_all_heard_once(opened_on_any, till):
    script = Script()
    opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    texts = [f"message {index}" for index in range(12)]
    await asyncio.gather(
        *(opened_on_any.send("t1", text, requester="carol") for text in texts), opened_on_any.drain(), opened_on_any.drain()
    )
    await opened_on_any.drain()
    assert sorted(heard(script)) == sorted(texts)


async def test_a_message_that_comes_in_while_the_agent_thinks_is_heard(opened_on_any, till):
    async def interrupted(step):
        if len(script.steps) == 1:
            await opened_on_any.send("t1", "And quickly!", requester="carol")
        return says("Hm.")

    script = Script(interrupted)
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks("Hello."), on_thread())
    assert heard(script) == ["Hello.", "And quickly!"] and len(script.steps) == 2


@pytest.mark.parametrize("before", ["pending", "approved", "edited later", "rejected"])
async def test_after_cancelling_nothing_runs(opened_on_any, till, before):
    opened_on_any = opened_on_any
    script = Script(calls(("pay", {"to": "bob", "amount": 5}), ("pay", {"to": "eve", "amount": 6})))
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    await opened_on_any.send("t1", "Hurry up.", requester="carol")
    card, other = await opened_on_any.pending("ada")
    if before == "approved":
        await opened_on_any.decide(card.id, approve(card), "ada")
    if before == "edited later":
        await opened_on_any.decide(card.id, approve(card), "ada", undo_window=0.01)
    if before == "rejected":
        await opened_on_any.decide(card.id, reject(card), "ada", undo_window=60)
    assert await opened_on_any.cancel("t1", "ada", "by mistake") == (1 if before == "rejected" else 2)
    await asyncio.sleep(0.02)
    await opened_on_any.drain()
    assert till.ran == [] and len(script.steps) == 1
    assert await opened_on_any.pending("ada") == [] and await opened_on_any.count_pending("ada") == 0
    for one in (card, other):
        with pytest.raises(AlreadyDecided):
            await opened_on_any.decide(one.id, approve(one), "bob")
        with pytest.raises(TooLate):
            await opened_on_any.withdraw(one.id, "lee")
    with pytest.raises(ThreadClosed):
        await opened_on_any.send("t1", "Hello?", requester="carol")
    conversation = await opened_on_any.conversation("t1")
    assert conversation.status == "cancelled" and conversation.waiting == [] and not conversation.busy
    assert conversation.messages[-1]["text"] == "by mistake"


async def test_who_may_cancel(opened_on_any, till):
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    await agent.ainvoke(asks(), on_thread())
    await opened_on_any.users.add("eve", role="admin", tenant="rival")
    for who in ("vi", "nobody", "dave"):
        with pytest.raises(NotAllowed):
            await opened_on_any.cancel("t1", who)
    with pytest.raises(UnknownThread):
        await opened_on_any.cancel("t1", "eve")
    with pytest.raises(UnknownThread):
        await opened_on_any.cancel("t2", "ada")
    assert await opened_on_any.cancel("t1", "carol") == 1, "the requester may"


async def test_cancelling_while_the_agent_thinks_leaves_no_review_behind(opened_on_any, till):
    async def cancelled(step):
        await opened_on_any.cancel("t1", "ada")
        return calls(("pay", {"to": "bob", "amount": 5}), ("look", {"what": "x"}))

    script = Script(cancelled)
    opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    await opened_on_any.send("t1", "Pay Bob.", requester="carol")
    await opened_on_any.drain()
    assert till.ran == [] and await opened_on_any.pending("ada") == [] and len(script.steps) == 1
    assert await opened_on_any.tasks("ada") == []


async def test_cancelling_and_claiming_at_once_ends_one_way(opened_on_any, till):
    opened_on_any = opened_on_any
    for round in range(6):
        agent = opened_on_any.agent(
            tools=till.tools, policy=SAFE, name=f"a{round}", propose=Script(calls(("pay", {"to": "bob", "amount": round})))
        )
        await agent.ainvoke(asks(), on_thread(f"t{round}"))
        (card,) = await opened_on_any.pending("ada")
        await opened_on_any.decide(card.id, approve(card), "ada")
        _, cancelled = await asyncio.gather(opened_on_any.drain(), opened_on_any.cancel(f"t{round}", "ada"))
        await opened_on_any.drain()
        ran = ("pay", "bob", round) in till.ran
        assert ran == (cancelled == 0)
        assert (await opened_on_any.history("ada"))[0].outcome == ("succeeded" if ran else "cancelled")


async def test_a_claim_that_a_dead_process_left_in_a_cancelled_case_is_a_task(timed, till, clock):
    agent = timed.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await timed.pending("ada")
    await timed.decide(card.id, approve(card), "ada")
    async with timed.store.begin() as tx:  # what a kill between claim and result leaves behind
        row = (await tx.exec(select(ActionRow))).one()
        dead = {"tenant": row.tenant, "thread": row.thread, "tool": row.tool, "claimed_by": "lease_dead"}
        tx.add(ExecutionRow(action=row.id, claimed_at=clock(), **dead))
    await timed.cancel("t1", "ada")
    clock.forward(600)
    await timed.drain()
    (task,) = await timed.tasks("ada")
    assert task.kind == "unknown" and till.ran == []
    await timed.settle(task.action, "not_done", "ada")
    await timed.drain()
    assert await timed.tasks("ada") == []


@pytest.mark.parametrize(
    "trouble", [ProposalError("gibberish"), RuntimeError("a bug of somebody's"), ValueError("half \ud800 a letter")]
)
async def test_an_agent_that_cannot_go_on_is_a_task_and_can_be_retried(opened_on_any, till, trouble, monkeypatch):
    monkeypatch.setattr(logging.getLogger("assent"), "disabled", True)  # half a letter in a report stops the test runner
    script = Script(trouble, trouble, PAY)
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    with pytest.raises(type(trouble)):
        await agent.ainvoke(asks("Pay Bob."), on_thread())
    if not isinstance(trouble, ProposalError):
        script.lines.pop(0)
    (task,) = await opened_on_any.tasks("ada")
    assert task.kind == "stalled" and task.thread == "t1" and task.text
    assert (await opened_on_any.conversation("t1")).messages[-1]["role"] == "notice"
    assert await opened_on_any.drain() == 0, "it is not tried again by itself"
    await opened_on_any.send("t1", "Hello?", requester="carol")
    await opened_on_any.retry("t1", "ada")
    await opened_on_any.drain()
    assert await opened_on_any.tasks("ada") == [] and len(await opened_on_any.pending("ada")) == 1
    assert heard(script) == ["Pay Bob."]
    (card,) = await opened_on_any.pending("ada")
    await opened_on_any.decide(card.id, approve(card), "ada")
    await opened_on_any.drain()
    assert heard(script) == ["Pay Bob.", "Hello?"] and till.paid == [("pay", "bob", 5)]


async def test_a_model_that_is_away_is_tried_again_by_itself(timed, till, clock):
    script = Script(ModelUnavailable(), ModelUnavailable(), PAY)
    timed.agent(tools=till.tools, policy=SAFE, propose=script)
    await timed.send("t1", "Pay Bob.", requester="carol")
    await timed.drain()
    assert [task.kind for task in await timed.tasks("ada")] == ["stalled"]
    for _ in range(2):
        clock.forward(20)
        await timed.drain()
    assert await timed.tasks("ada") == [] and len(await timed.pending("ada")) == 1 and heard(script) == ["Pay Bob."]


async def test_a_database_that_is_busy_for_the_checkpointer_passes_by_itself(timed, till, clock):
    script = Script(sqlite3.OperationalError("database is locked"), PAY)
    timed.agent(tools=till.tools, policy=SAFE, propose=script)
    await timed.send("t1", "Pay Bob.", requester="carol")
    await timed.drain()
    clock.forward(20)
    await timed.drain()
    assert len(await timed.pending("ada")) == 1 and await timed.tasks("ada") == []


async def test_a_full_queue_accepts_nothing_and_goes_on_when_there_is_room(any_url, clock, till):
    async with assent.open(any_url, clock=clock, limits=Limits(queue=1)) as desk:
        await staff(desk)
        desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY, PAY))
        for thread in ("t1", "t2"):
            await desk.send(thread, "Pay.", requester="carol")
        await desk.drain()
        (card,) = await desk.pending("ada")
        assert [task.kind for task in await desk.tasks("ada")] == ["stalled"]
        await desk.decide(card.id, approve(card), "ada")
        clock.forward(20)
        await desk.drain()
        (card,) = await desk.pending("ada")
        assert card.thread in ("t1", "t2") and await desk.tasks("ada") == []


async def test_two_drives_at_once_take_turns(opened_on_any, till):
    script = Script(PAY)
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened_on_any.pending("ada")
    await opened_on_any.decide(card.id, approve(card), "ada")
    driven = await asyncio.gather(*(agent.drive("t1") for _ in range(4)))
    assert {one.standing for one in driven} == {"finished"} and till.paid == [("pay", "bob", 5)]
    assert len(script.steps) == 2


class OtherProcess:
    """Holds the lease of a thread with a message in it, as another process would."""

    def __init__(self, desk):
        self.desk = desk

    async def __aenter__(self):
        await self.desk.send("t1", "Pay Bob.", requester="carol")
        self.leased("lease_other", (self.desk.clock() + timedelta(seconds=60)).isoformat(timespec="microseconds"))

    async def __aexit__(self, *_):
        self.leased(None, None)

    def leased(self, owner, until):
        with sqlite3.connect(self.desk.store.path) as connection:
            connection.execute("UPDATE threads SET lease_owner = ?, lease_until = ?", (owner, until))
        connection.close()


async def test_a_thread_that_another_process_drives_is_busy_and_its_wake_up_is_kept(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    async with OtherProcess(opened):
        with pytest.raises(ThreadBusy):
            await agent.drive("t1", patience=0.1)
        await opened.drain()
        assert await opened.pending("ada") == []
    await asyncio.sleep(1.1)
    await opened.drain()
    assert len(await opened.pending("ada")) == 1


async def test_whoever_lost_the_lease_starts_nothing_more(url, till, clock):
    """A process that was asleep wakes up with a lease that another one took over."""
    async with assent.open(url, clock=clock) as sleepy, assent.open(url, clock=clock) as awake:
        await staff(sleepy)
        takeover = []

        @assent.action(consequence="read")
        async def doze(what: str) -> str:
            """Sleep for ten minutes."""
            with sqlite3.connect(sleepy.store.path, timeout=5) as connection:
                until = (clock() + timedelta(seconds=1000)).isoformat(timespec="microseconds")
                connection.execute("UPDATE threads SET lease_owner = 'lease_other', lease_until = ?", (until,))
            connection.close()
            takeover.append(what)
            return "slept"

        allow = assent.Policy((assent.on(["doze", "pay"], lambda facts: assent.Ruling("allow", "fine")),))
        lines = calls(("doze", {"what": "x"})), PAY
        sleepy.agent(tools=[doze, *till.tools], policy=allow, propose=Script(*lines))
        await sleepy.send("t1", "Pay.", requester="carol")
        await sleepy.drain()
        assert takeover and till.paid == [], "the payment is made by whoever holds the thread now"
        clock.forward(2000)
        awake.agent(tools=[doze, *till.tools], policy=allow, propose=Script())
        await awake.drain()
        assert till.paid == [("pay", "bob", 5)]


async def test_a_background_task_does_not_go_on_using_a_lease_that_was_given_back(opened_on_any, till):
    seen = []
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    await agent.accept("t1", "carol", [])

    async def later():
        await asyncio.sleep(0.1)
        async with lease(opened_on_any.store, "t1", opened_on_any.clock) as owner:
            seen.append(owner)

    async with lease(opened_on_any.store, "t1", opened_on_any.clock) as first:
        async with lease(opened_on_any.store, "t1", opened_on_any.clock) as inner:
            assert inner == first
        task = asyncio.create_task(later())
    await task
    assert seen and seen[0] != first


async def test_another_tenants_worker_and_agent_leave_a_thread_alone(any_url, till):
    other = Till()
    async with assent.open(any_url) as ours, assent.open(any_url, tenant="rival") as theirs:
        await staff(ours)
        ours.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
        await ours.send("t1", "Pay Bob.", requester="carol")
        agent = theirs.agent(tools=other.tools, policy=SAFE, propose=Script(calls(("look", {"what": "their things"}))))
        assert await theirs.drain() == 0
        for door in (
            agent.ainvoke(None, on_thread()),
            agent.ainvoke(asks(), on_thread()),
            theirs.send("t1", "x", requester="carol"),
        ):
            with pytest.raises(NotAllowed):
                await door
        with pytest.raises(UnknownThread):
            await theirs.conversation("t1")
        await ours.drain()
        (card,) = await ours.pending("ada")
        await ours.decide(card.id, approve(card), "ada")
        assert await theirs.drain() == 0 and other.ran == [] and till.ran == []
        await ours.drain()
        assert till.paid == [("pay", "bob", 5)]


async def test_another_agents_thread_is_refused(opened_on_any, till):
    script = Script()
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    other = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=script, name="other")
    await agent.ainvoke(asks(), on_thread())
    with pytest.raises(NotAllowed):
        await other.ainvoke(None, on_thread())
    with pytest.raises(UnknownThread):
        await other.ainvoke(None, on_thread("t2"))
    assert script.steps == []


async def test_an_execution_nobody_can_vouch_for_waits_for_a_persons_word(opened_on_any):
    ran = []

    @assent.action(consequence="costly")
    async def pay(to: str) -> str:
        """Pay."""
        ran.append(to)
        raise TimeoutError("the bank did not answer")

    script = Script(calls(("pay", {"to": "bob"}), ("pay", {"to": "eve"})), says("Understood."))
    agent = opened_on_any.agent(tools=[pay], policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    for card in await opened_on_any.pending("ada"):
        await opened_on_any.decide(card.id, approve(card), "ada")
    await opened_on_any.drain()
    tasks = await opened_on_any.tasks("ada")
    assert [task.kind for task in tasks] == ["unknown", "unknown"] and sorted(ran) == ["bob", "eve"]
    for who in ("vi", "nobody"):
        with pytest.raises(NotAllowed):
            await opened_on_any.settle(tasks[0].action, "done", who)
    await opened_on_any.users.add("spy", role="admin", tenant="rival")
    with pytest.raises(assent.AssentError, match="no such"):
        await opened_on_any.settle(tasks[0].action, "done", "spy")
    with pytest.raises(assent.AssentError, match="done"):
        await opened_on_any.settle(tasks[0].action, "maybe", "ada")
    await opened_on_any.settle(tasks[0].action, "done", "ada", "seen on the statement")
    await opened_on_any.settle(tasks[1].action, "not_done", "ada")
    with pytest.raises(assent.AssentError, match="settled already"):
        await opened_on_any.settle(tasks[0].action, "not_done", "bob")
    await opened_on_any.drain()
    assert sorted(ran) == ["bob", "eve"] and await opened_on_any.tasks("ada") == []
    words = [str(message.content) for message in script.steps[1].messages if message.type == "tool"]
    assert any("seen on the statement" in one for one in words) and any(one.startswith("Not done") for one in words)


async def test_a_tool_that_refuses_has_changed_nothing_and_says_why(opened_on_any):
    @assent.action(consequence="costly")
    async def pay(to: str) -> str:
        """Pay."""
        raise assent.ActionRefused("the account is closed")

    script = Script(calls(("pay", {"to": "bob"})))
    agent = opened_on_any.agent(tools=[pay], policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened_on_any.pending("ada")
    await opened_on_any.decide(card.id, approve(card), "ada")
    await opened_on_any.drain()
    assert await opened_on_any.tasks("ada") == [] and "the account is closed" in script.steps[1].messages[-1].content


async def test_one_poisoned_case_does_not_end_the_work_on_the_others(opened_on_any, till, monkeypatch):
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=Script())
    drive = agent.drive

    async def poisoned(thread, **rest):
        if thread == "bad":
            raise ZeroDivisionError
        return await drive(thread, **rest)

    monkeypatch.setattr(agent, "drive", poisoned)
    for thread in ("bad", "good"):
        await opened_on_any.send(thread, "Hello.", requester="carol")
    working = asyncio.create_task(opened_on_any.worker.run(concurrency=1))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if any(one["role"] == "agent" for one in (await opened_on_any.conversation("good")).messages):
            break
    working.cancel()
    assert any(one["role"] == "agent" for one in (await opened_on_any.conversation("good")).messages)
