"""The agent: speaks LangGraph, keeps within a turn's limits, and stops when the desk is closed without losing anything."""

from __future__ import annotations

import asyncio
import time

import assent
import pytest
from assent.graph.errors import AssentError, MessageTooLong
from fakes import SAFE, Script, approve, asks, calls, edit, on_thread, says, staff, told
from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

PAY = calls(("pay", {"to": "bob", "amount": 5}))
ALL = assent.Policy((assent.on(["look", "pay"], lambda facts: assent.Ruling("allow", "fine")),))


async def test_it_streams_as_a_graph_does(opened, till):
    agent = opened.agent(tools=till.tools, policy=ALL, propose=Script(calls(("look", {"what": "x"})), says("Found it.")))
    parts = [part async for part in agent.astream(asks(), on_thread(), stream_mode=["updates", "values"])]
    assert {mode for mode, _ in parts} == {"updates", "values"}
    nodes = [name for mode, part in parts if mode == "updates" for name in part]
    assert nodes == ["propose", "call", "propose"]
    assert parts[-1][1]["messages"][-1].content == "Found it."


async def test_pending_interrupts_are_streamed(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    parts = [part async for part in agent.astream(asks(), on_thread())]
    assert any("__interrupt__" in part for part in parts)


async def test_leaving_a_stream_early_does_not_stop_the_work(opened, till):
    agent = opened.agent(tools=till.tools, policy=ALL, propose=Script(calls(("look", {"what": "x"})), PAY, says()))
    async for _ in agent.astream(asks(), on_thread()):
        break
    for _ in range(100):
        if till.paid and (await agent.aget_state(on_thread())).next == ():
            break
        await asyncio.sleep(0.05)
    assert till.paid == [("pay", "bob", 5)]


async def test_a_desk_closed_in_the_middle_gives_its_threads_back_at_once(url, till):
    async def slow(step):
        await asyncio.sleep(60)

    async with assent.open(url) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(slow))
        stream = agent.astream(asks("Pay Bob."), on_thread(), stream_mode="values")
        await anext(stream)
    started = time.monotonic()
    async with assent.open(url) as desk:
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
        assert (await agent.ainvoke(None, on_thread()))["__interrupt__"]
    assert time.monotonic() - started < 20
    await stream.aclose()


async def test_a_started_tool_is_let_finish_when_the_desk_is_closed(url):
    started, ended = asyncio.Event(), []

    @assent.action(consequence="costly")
    async def slow(what: str) -> str:
        """Take a while."""
        started.set()
        await asyncio.sleep(0.4)
        ended.append(what)
        return "done"

    allow = assent.Policy((assent.on("slow", lambda facts: assent.Ruling("allow", "fine")),))
    async with assent.open(url) as desk:
        await staff(desk)
        desk.agent(tools=[slow], policy=allow, propose=Script(calls(("slow", {"what": "x"}))))
        await desk.send("t1", "Go.", requester="carol")
        working = asyncio.create_task(desk.worker.run())
        await started.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    async with assent.open(url) as desk:
        agent = desk.agent(tools=[slow], policy=allow, propose=Script(says("Done.")))
        await agent.drive("t1")
        assert ended == ["x"] and told((await agent.aget_state(on_thread())).values) == ["done"] and await desk.tasks("ada") == []


async def test_a_turn_ends_after_so_many_done_actions(opened, till):
    script = Script(*[calls(("look", {"what": str(index)})) for index in range(9)])
    agent = opened.agent(tools=till.tools, policy=ALL, propose=script, actions_per_turn=2)
    values = await agent.ainvoke(asks(), on_thread())
    assert till.ran == [("look", "0"), ("look", "1")] and values["messages"][-1].content == "0: ok\n1: ok"
    await agent.ainvoke(asks("More."), on_thread())
    assert till.ran[2:] == [("look", "2"), ("look", "3")]


async def test_a_malformed_answer_is_asked_for_once_more(opened, till):
    seen = []

    async def propose(step, *, temperature=0.0, seed=None):
        seen.append((temperature, seed))
        if len(seen) == 1:
            raise assent.graph.errors.ProposalError("gibberish")
        return says("Better.")

    agent = opened.agent(tools=till.tools, policy=SAFE, propose=propose)
    assert (await agent.ainvoke(asks(), on_thread()))["messages"][-1].content == "Better."
    assert seen[0][0] == 0.0 and seen[1][0] > 0 and seen[0][1] != seen[1][1]


async def test_ids_of_messages_are_ours_although_a_provider_repeats_its_own(opened, till):
    one, other = calls(("look", {"what": "x"})), calls(("look", {"what": "y"}))
    one.id = other.id = "chatcmpl-1"
    agent = opened.agent(tools=till.tools, policy=ALL, propose=Script(one, other))
    values = await agent.ainvoke(asks(), on_thread())
    assert till.ran == [("look", "x"), ("look", "y")] and len({message.id for message in values["messages"]}) == 6


@pytest.mark.parametrize("input", [{}, {"messages": []}, "hello", 5])
async def test_a_run_needs_a_message_and_a_thread(opened, till, input):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script())
    with pytest.raises(AssentError):
        await agent.ainvoke(input, on_thread())
    with pytest.raises(AssentError, match="thread"):
        await agent.ainvoke(asks(), {"configurable": {}})


async def test_a_message_too_long_or_broken_is_not_accepted(opened, till):
    script = Script()
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    with pytest.raises(MessageTooLong, match="20,001"):
        await agent.ainvoke({"messages": [HumanMessage("x" * 20_001)]}, on_thread())
    with pytest.raises(AssentError, match="nothing was accepted"):
        await opened.send("t1", "half \ud83d", requester="carol")
    assert script.steps == [] and await opened.drain() == 0


async def test_two_agents_need_two_names_and_two_tools_too(opened, till):
    opened.agent(tools=till.tools, policy=SAFE, propose=Script())
    with pytest.raises(AssentError, match="another name"):
        opened.agent(tools=till.tools, policy=SAFE, propose=Script())
    with pytest.raises(AssentError, match="same name"):
        opened.agent(tools=[till.pay, till.pay], policy=SAFE, propose=Script(), name="twice")


async def test_an_edit_is_checked_by_the_policy_of_its_own_gate(opened, till):
    strict = assent.Policy(
        (assent.on("pay", lambda facts: assent.Ruling("refuse", "too much") if facts.args["amount"] > 9 else None),)
    )
    script = [PAY, says()]

    async def model(state: MessagesState):
        return {"messages": [script.pop(0)]}

    async def on(state: MessagesState):
        return "tools" if state["messages"][-1].tool_calls else END

    lax_gate = opened.gate(till.tools, policy=SAFE)
    builder = StateGraph(MessagesState).add_node("model", model).add_node("tools", opened.gate(till.tools, policy=strict))
    builder.add_node("spare", lax_gate).add_edge("spare", END)
    builder.add_edge(START, "model").add_conditional_edges("model", on, ["tools", END]).add_edge("tools", "model")
    agent = opened.serve(builder.compile(checkpointer=opened.saver))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    with pytest.raises(assent.graph.errors.InvalidEdit, match="too much"):
        await opened.decide(card.id, edit(card, amount=50), "ada")


async def test_a_tool_that_changes_in_place_after_the_approval_is_not_called(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    till.pay.args_schema = type("pay", (till.pay.args_schema,), {"__annotations__": {"fee": int}, "fee": 7})
    await opened.drain()
    assert till.ran == []


async def test_one_thread_neither_waits_for_nor_sees_another(opened):
    seen = {}

    async def gathering(**_):
        await asyncio.sleep(0.05)
        return None

    @assent.action(consequence="read", dry_run=gathering)
    async def whoami(case: assent.Case) -> str:
        """Say on whose behalf."""
        await asyncio.sleep(0.1)
        seen[case.thread] = (case.requester, case.text, case.tenant)
        return case.requester

    allow = assent.Policy((assent.on("whoami", lambda facts: assent.Ruling("allow", "fine")),))
    agent = opened.agent(tools=[whoami], policy=allow, propose=lambda step, **_: _answer(step))
    people = [f"p{index}" for index in range(8)]
    await asyncio.gather(*(agent.ainvoke(asks(f"I am {name}."), on_thread(f"t-{name}", name)) for name in people))
    assert seen == {f"t-{name}": (name, f"I am {name}.", "main") for name in people}


async def _answer(step):
    return says() if step.messages[-1].type == "tool" else calls(("whoami", {}))
