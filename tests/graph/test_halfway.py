"""A run that ends in the middle of a turn without asking anybody is a task and is tried again; it never just stands there."""

from __future__ import annotations

import assent
import sqlalchemy as sa
from fakes import SAFE, HandClock, Script, approve, calls, on_thread, staff
from langgraph.graph import StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


async def test_a_turn_that_was_cut_off_is_a_task_and_goes_on_by_itself(any_url, till):
    clock = HandClock()
    async with assent.open(any_url, clock=clock) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
        whole = agent.graph.astream

        async def cut_off(*args, **kwargs):
            async for part in whole(*args, **kwargs):
                yield part
                return  # as when the database kept only the first step

        agent.graph.astream = cut_off
        await desk.send("t1", "Pay.", requester="carol")
        await desk.drain()
        assert await desk.pending("ada") == []
        (task,) = await desk.tasks("ada")
        assert task.kind == "stalled" and "in the middle of a turn" in task.text

        agent.graph.astream = whole
        clock.forward(60)
        await desk.drain()
        assert await desk.tasks("ada") == []
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)]


async def test_a_step_whose_tasks_all_ended_but_that_was_not_kept_goes_on(any_url, till):
    async with assent.open(any_url) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
        await desk.send("t1", "Pay.", requester="carol")
        await desk.drain()
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
        assert (await agent.aget_state(on_thread())).values["messages"][-1].type == "ai"

        history = [one async for one in agent.graph.aget_state_history(on_thread())]
        acting = next(one.config["configurable"]["checkpoint_id"] for one in history if one.next == ("call",))
        async with desk.store.begin() as tx:  # as if the database had gone away between the tasks' writes and the step's checkpoint
            mine = "thread_id = 't1' AND checkpoint_ns = ''"
            await tx.exec(sa.text(f"DELETE FROM checkpoints WHERE {mine} AND checkpoint_id > '{acting}'"))
        snapshot = await agent.aget_state(on_thread())
        assert snapshot.next == () and snapshot.values["messages"][-1].type == "tool"

        await desk.retry("t1", "ada")
        await desk.drain()
        assert (await agent.aget_state(on_thread())).values["messages"][-1].type == "ai"
        assert till.paid == [("pay", "bob", 5)] and await desk.tasks("ada") == []


class Asked(TypedDict):
    messages: list


async def test_a_graph_that_asks_or_pauses_in_its_own_way_just_waits(url):
    async def ask(state: Asked):
        interrupt("Which one?")

    async with assent.open(url) as desk:
        await staff(desk)
        for name, pauses in (("asking", ()), ("pausing", ("ask",))):
            built = StateGraph(Asked).add_node("ask", ask).set_entry_point("ask")
            desk.serve(built.compile(checkpointer=desk.saver, interrupt_before=list(pauses)), name=name)
            await desk.send(name, "Hello.", requester="carol", agent=name)
        await desk.drain()
        assert await desk.tasks("ada") == []
