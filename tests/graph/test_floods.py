"""Floods: whoever proposes or says too much is told so, and holds up nobody else."""

from __future__ import annotations

import tracemalloc

import assent
import pytest
from assent.graph.authority.limits import FREE, Limits, fair
from assent.graph.errors import TooMany
from assent.graph.store import reviews
from fakes import SAFE, Script, approve, asks, calls, on_thread, says, staff, told

FLOOD = 5_000
PAGE = 50


def payments(count: int, first: int = 0):
    return calls(*[("pay", {"to": f"payee{index}", "amount": 5}) for index in range(first, first + count)])


async def pending_of(desk, thread: str, requester: str) -> tuple[int, int]:
    async with desk.store.read() as tx:
        return await reviews.crowd(tx, "main", thread, requester, (10_000, 10_000))


async def test_a_message_with_five_thousand_calls_is_answered_call_by_call_and_holds_up_nobody(opened_on_any, till):
    flooding = opened_on_any.agent(tools=till.tools, policy=SAFE, name="flooding", propose=Script(payments(FLOOD)))
    others = opened_on_any.agent(tools=till.tools, policy=SAFE, name="others", propose=Script(*[payments(1)] * 3))
    if weighed := opened_on_any.store.is_sqlite:  # once is enough: weighing is slow
        tracemalloc.start()
    await flooding.ainvoke(asks(), on_thread("flood", "mallory"))
    if weighed:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 120e6
    for name in ("dora", "emil", "fred"):
        await others.ainvoke(asks(), on_thread(name, name))
    assert await pending_of(opened_on_any, "flood", "mallory") == (Limits().calls, Limits().calls)
    page = await opened_on_any.pending("ada", limit=PAGE)
    assert [card.requester for card in page[: FREE + 3]].count("mallory") == FREE
    assert {"dora", "emil", "fred"} <= {card.requester for card in page[: FREE + 3]}
    history = [line for line in await opened_on_any.history("ada") if line.decision == "refused"]
    assert len(history) == 1 and "may have 20 calls, and this one had 5000" in history[0].reason


async def test_each_call_beyond_the_limit_is_told_that_it_was_not_looked_at(url, till):
    async with assent.open(url, limits=Limits(calls=2)) as desk:
        wanted = calls(*[("look", {"what": str(index)}) for index in range(6)])
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(wanted, says()))
        values = await agent.ainvoke(asks(), on_thread())
        answers = told(values)
        assert answers[:2] == ["0: ok", "1: ok"] and len(till.ran) == 2
        assert len(answers) == 6 and all("this one had 6" in answer for answer in answers[2:])
        asked = next(message for message in values["messages"] if getattr(message, "tool_calls", None))
        answered = [message.tool_call_id for message in values["messages"] if message.type == "tool"]
        assert sorted(answered) == sorted(call["id"] for call in asked.tool_calls)


async def test_a_requester_with_many_threads_is_stopped_at_the_limit_and_served_again_after_decisions(any_url, till):
    async with assent.open(any_url, limits=Limits(per_requester=4, per_thread=3)) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(*[payments(1)] * 4, payments(1), says(), payments(1)))
        for number in range(4):
            await agent.ainvoke(asks(), on_thread(f"m{number}", "mallory"))
        refused = await agent.ainvoke(asks(), on_thread("m4", "mallory"))
        assert "4 actions of this requester wait" in told(refused)[0]
        card = (await desk.pending("ada"))[0]
        await desk.decide(card.id, approve(card), "ada")
        await agent.ainvoke(asks(), on_thread("m5", "mallory"))
        assert (await pending_of(desk, "m5", "mallory")) == (1, 4)


async def test_a_thread_is_stopped_at_its_limit_though_its_calls_come_at_once(any_url, till):
    async with assent.open(any_url, limits=Limits(per_thread=3)) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(payments(8)))
        await agent.ainvoke(asks(), on_thread())
        assert len(await desk.pending("ada")) == 3
        refused = [line for line in await desk.history("ada") if line.decision == "refused"]
        assert len(refused) == 5 and all("3 actions of this conversation wait" in line.reason for line in refused)


async def test_what_would_be_assessed_is_refused_in_a_crowd_before_it_costs_anything(url, till):
    gated = assent.Policy((assent.on("note", lambda facts: assent.Ruling("gate", "Confidence decides.")),))
    measured = []

    async def signal(*asked):
        measured.append(asked)
        raise AssertionError("nothing should be measured")

    async with assent.open(url, limits=Limits(per_requester=2)) as desk:
        await staff(desk)
        script = Script(payments(2), calls(("note", {"text": "a"})))
        agent = desk.agent(tools=till.tools, policy=gated, propose=script, signals=[signal])
        await agent.ainvoke(asks(), on_thread("t1"))
        refused = await agent.ainvoke(asks(), on_thread("t2"))
        assert "2 actions of this requester wait" in told(refused)[0] and measured == []


async def test_messages_beyond_the_limit_are_not_accepted_and_the_sender_is_told(any_url, till):
    async with assent.open(any_url, limits=Limits(messages=3)) as desk:
        desk.agent(tools=till.tools, policy=SAFE, propose=Script())
        for number in range(3):
            await desk.send("t1", f"message {number}", requester="mallory")
        with pytest.raises(TooMany, match="3 messages wait"):
            await desk.send("t1", "one more", requester="mallory")
        await desk.send("t2", "another conversation", requester="dora")
        await desk.drain()
        await desk.send("t1", "now there is room", requester="mallory")


async def test_a_flood_within_generous_limits_still_leaves_the_first_page_to_others(any_url, till):
    async with assent.open(any_url, limits=Limits(calls=500, per_thread=500, per_requester=500)) as desk:
        await staff(desk)
        costly = desk.agent(tools=till.tools, policy=SAFE, name="costly", propose=Script(payments(PAGE * 2)))
        await costly.ainvoke(asks(), on_thread("flood", "mallory"))
        mild = desk.agent(tools=till.tools, policy=SAFE, name="mild", propose=Script(*[calls(("note", {"text": "x"}))] * 5))
        for number in range(5):
            await mild.ainvoke(asks(), on_thread(f"n{number}", f"guest{number}"))
        first = await desk.pending("ada", limit=PAGE)
        assert {f"guest{number}" for number in range(5)} <= {card.requester for card in first}
        assert first[0].requester == "mallory"  # what is worse comes first, from whomever


def test_the_first_of_a_requester_keep_their_urgency_and_each_further_one_has_half():
    assert [fair(3.0, waiting) for waiting in range(FREE)] == [3.0] * FREE
    assert [fair(4.0, FREE + more) for more in range(3)] == [2.0, 1.0, 0.5]
    assert fair(5.0, 10_000) > 0


@pytest.mark.parametrize("name", ["calls", "per_thread", "per_requester", "messages"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})
