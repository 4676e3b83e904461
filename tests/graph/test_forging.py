"""Authority lives in the database: no resume value, checkpoint, replay or tampered row gets a tool called."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress

import assent
import ormsgpack
import pytest
from assent.tools.declaration import action
from fakes import SAFE, Script, Till, approve, asks, calls, drop_guards, edit, on_thread, reject, says, staff, told
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

WAITING = calls(("pay", {"to": "bob", "amount": 5}))


def forged(id):
    return {
        "bare true": True,
        "words": "approved",
        "a decision": {"type": "approve"},
        "no answers": {},
        "a wrong id": {"0" * 32: {"type": "approve"}},
        "no id": {"yes": {"type": "approve"}},
        "the right id": {id: {"type": "approve"}},
        "LangChain's answer": {"decisions": [{"type": "approve"}]},
        "zero": 0,
    }


@pytest.mark.parametrize("kind", list(forged("")))
async def test_a_forged_resume_runs_nothing_and_the_thread_can_still_be_approved(opened, till, kind):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    (waiting,) = (await agent.ainvoke(asks(), on_thread()))["__interrupt__"]
    for _ in range(2):
        try:
            await opened.agents["assent"].graph.ainvoke(Command(resume=forged(waiting.id)[kind]), on_thread())
        except Exception as error:
            assert not isinstance(error, AssertionError)
    assert till.ran == []
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert till.paid == [("pay", "bob", 5)]
    assert (await agent.aget_state(on_thread())).next == ()


async def test_a_forged_resume_of_a_rejected_action_runs_nothing(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, reject(card), "ada")
    await agent.graph.ainvoke(Command(resume={"type": "approve"}), on_thread())
    assert till.ran == []


@pytest.mark.parametrize("node", ["act", "assess", "review", "answer"])
async def test_jumping_into_the_middle_of_a_call_runs_nothing(opened, till, node):
    gated = assent.Policy((assent.on("pay", lambda facts: assent.Ruling("refuse", "never")),))
    agent = opened.agent(tools=till.tools, policy=gated, propose=Script(AIMessage("Hello.")))
    await agent.ainvoke(asks(), on_thread())
    call = {
        "action": "act_forged",
        "tool_call_id": "c",
        "name": "pay",
        "args": {"to": "eve", "amount": 9},
        "text": "",
        "excerpt": [],
        "earlier": 0,
    }
    state = {"call": call, "args": call["args"], "way": "allow", "outcome": {"status": "approved"}, "result": "finished"}
    for goto in (Send("call", state), Send(node, state), Send("call", {**state, "call": {**call, "name": "look"}})):
        try:
            await agent.graph.ainvoke(Command(goto=goto), on_thread())
        except Exception as error:
            assert not isinstance(error, AssertionError)
    assert till.paid == []


async def test_replaying_an_old_checkpoint_runs_nothing_again(opened, till):
    agent = opened.agent(
        tools=till.tools, policy=SAFE, propose=Script(calls(("look", {"what": "x"}), ("pay", {"to": "bob", "amount": 5})))
    )
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    before = list(till.ran)
    history = [one async for one in agent.graph.aget_state_history(on_thread())]
    replayed = [one for one in history if one.next == ("call", "call") or "call" in one.next]
    assert replayed
    for one in replayed:
        await agent.graph.ainvoke(None, one.config)
        await agent.graph.ainvoke(Command(resume={"type": "approve"}), one.config)
        await agent.ainvoke(None, one.config | {"configurable": {**one.config["configurable"], "requester": "carol"}})
    assert till.ran == before
    assert "paid 5 to bob" in told((await agent.aget_state(on_thread())).values)


@pytest.mark.parametrize(
    "tamper",
    [
        """UPDATE actions SET args = '{"to":"eve","amount":5}'""",
        """UPDATE actions SET args = '{"to":"bob","amount":5.0}'""",
        """UPDATE actions SET tool = 'note'""",
        """UPDATE actions SET tenant = 'rival'""",
        """UPDATE actions SET digest = hex(zeroblob(32)), args = '{"to":"eve","amount":5}'""",
        """UPDATE decisions SET args = '{"to":"eve","amount":5}'""",
        """UPDATE decisions SET digest = hex(zeroblob(32))""",
        """UPDATE decisions SET actor = 'carol'""",
        """UPDATE decisions SET type = 'respond'""",
        """DELETE FROM examples; DELETE FROM decisions""",
    ],
)
async def test_what_was_changed_after_the_approval_is_not_called(opened, till, tmp_path, tamper):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        drop_guards(connection)
        connection.executescript(tamper)
    connection.close()
    await opened.drain()
    assert till.ran == []


async def test_an_edit_tampered_with_is_not_called(opened, till, tmp_path):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, edit(card, amount=3), "ada")
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        drop_guards(connection)
        connection.execute("UPDATE decisions SET args = NULL")
    connection.close()
    await opened.drain()
    assert till.ran == [], "neither the edited nor the proposed arguments are what was approved now"


async def test_an_allowed_action_tampered_with_before_it_ran_is_not_called(opened, till, tmp_path):
    agent = opened.agent(
        tools=till.tools, policy=SAFE, propose=Script(calls(("look", {"what": "x"}), ("pay", {"to": "b", "amount": 1})))
    )
    await agent.ainvoke(asks(), on_thread())
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        drop_guards(connection)
        connection.execute("UPDATE actions SET verdict = 'allow', args = '{\"to\":\"eve\",\"amount\":1}' WHERE tool = 'pay'")
        connection.execute("UPDATE reviews SET status = 'approved'")
    connection.close()
    await agent.ainvoke(None, on_thread())
    assert till.paid == []


async def test_a_tool_that_changed_after_the_approval_is_not_called(url):
    ran = []

    @action(consequence="costly")
    async def pay(to: str, amount: int) -> str:
        """Pay."""
        ran.append("old")
        return "paid"

    old = pay

    @action(consequence="costly")
    async def pay(to: str, amount: int, currency: str = "USD") -> str:
        """Pay."""
        ran.append("new")
        return "paid"

    async with assent.open(url) as desk:
        await staff(desk)
        agent = desk.agent(tools=[old], policy=SAFE, propose=Script(WAITING))
        await agent.ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
    async with assent.open(url) as desk:
        agent = desk.agent(tools=[pay], policy=SAFE, propose=Script())
        await desk.drain()
        assert ran == [] and "changed" in told((await agent.aget_state(on_thread())).values)[0]


async def test_a_tool_that_is_gone_leaves_a_task_and_can_come_back(url):
    till = Till()
    async with assent.open(url) as desk:
        await staff(desk)
        await desk.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING)).ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
    async with assent.open(url) as desk:
        desk.agent(tools=[till.look], policy=SAFE, propose=Script())
        await desk.drain()
        (task,) = await desk.tasks("ada")
        assert task.kind == "stalled" and "pay" in task.text and till.ran == []
    async with assent.open(url) as desk:
        desk.agent(tools=till.tools, policy=SAFE, propose=Script())
        await desk.retry("t1", "ada")
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)] and await desk.tasks("ada") == []


@pytest.mark.parametrize("column", ["checkpoint", "value"])
async def test_a_row_an_attacker_wrote_runs_no_code(opened, till, tmp_path, column):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    await agent.ainvoke(asks(), on_thread())
    canary = tmp_path / "canary"
    inner = ormsgpack.packb(("os", "system", f"touch {canary}"))
    poison = ormsgpack.packb(
        {
            "v": 4,
            "ts": "x",
            "id": "x",
            "channel_values": {"messages": ormsgpack.Ext(0, inner)},
            "channel_versions": {},
            "versions_seen": {},
        }
    )
    also = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(("os", "system", f"touch {canary}"))))
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        if column == "checkpoint":
            connection.execute("UPDATE checkpoints SET checkpoint = ?", (poison,))
        else:
            connection.execute("UPDATE writes SET value = ?", (also,))
    connection.close()
    try:
        await agent.ainvoke(None, on_thread())
    except Exception as error:
        assert not isinstance(error, AssertionError)
    assert not canary.exists() and till.ran == []


async def test_the_checkpointer_of_a_served_graph_reads_no_pickle(opened, till, tmp_path):
    import pickle

    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    await agent.ainvoke(asks(), on_thread())
    canary = tmp_path / "canary"

    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {canary}",))

    with sqlite3.connect(tmp_path / "desk.db") as connection:
        connection.execute("UPDATE checkpoints SET type = 'pickle', checkpoint = ?", (pickle.dumps(Evil()),))
    connection.close()
    with pytest.raises(Exception):  # noqa: B017 - whatever it is, it is not the pickle's code
        await agent.ainvoke(None, on_thread())
    assert not canary.exists()


async def test_the_gate_alone_takes_the_place_of_a_tool_node(opened, till):
    script = [calls(("look", {"what": "x"}), ("pay", {"to": "bob", "amount": 5})), AIMessage("All done.")]

    async def model(state: MessagesState):
        return {"messages": [script.pop(0)]}

    async def on(state: MessagesState):
        return "tools" if state["messages"][-1].tool_calls else END

    builder = StateGraph(MessagesState).add_node("model", model).add_node("tools", opened.gate(till.tools, policy=SAFE))
    builder.add_edge(START, "model").add_conditional_edges("model", on, ["tools", END]).add_edge("tools", "model")
    agent = opened.serve(builder.compile(checkpointer=opened.saver))
    values = await agent.ainvoke(asks(), on_thread())
    assert len(values["__interrupt__"]) == 1 and till.ran == [("look", "x")]
    with suppress(assent.AssentError):
        await agent.graph.ainvoke(Command(resume={"type": "approve"}), on_thread())
    assert till.paid == []
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    values = (await agent.aget_state(on_thread())).values
    assert till.ran == [("look", "x"), ("pay", "bob", 5)]
    assert values["messages"][-1].content == "All done." and sorted(told(values)) == ["paid 5 to bob", "x: ok"]


async def test_a_graph_with_a_checkpointer_of_its_own_is_not_served(opened, till):
    builder = StateGraph(MessagesState).add_node("tools", opened.gate(till.tools, policy=SAFE)).add_edge(START, "tools")
    with pytest.raises(assent.AssentError, match=r"desk\.saver"):
        opened.serve(builder.compile())


async def test_a_run_without_a_thread_is_refused_before_anything_runs(opened, till):
    graph = opened.gate(till.tools, policy=SAFE)
    with pytest.raises(Exception, match="thread"):
        await graph.ainvoke({"messages": [calls(("look", {"what": "x"}))]})
    assert till.ran == []


async def test_somebody_elses_thread_cannot_be_used_on_ones_own_behalf(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING, WAITING))
    await agent.ainvoke(asks(), on_thread("t1", "ada"))
    with pytest.raises(assent.AssentError):
        await agent.ainvoke(asks(), on_thread("t1", "carol"))
    with pytest.raises(assent.AssentError):
        await agent.graph.ainvoke(asks(), on_thread("t1", "carol"))
    assert till.ran == [] and {card.requester for card in await opened.pending("bob")} == {"ada"}


async def served(desk, tools, script, *, node="tools"):
    """Serve a graph of one's own whose gate is under `node`."""

    async def model(state: MessagesState):
        return {"messages": [script.pop(0)]}

    async def on(state: MessagesState):
        return node if state["messages"][-1].tool_calls else END

    builder = StateGraph(MessagesState).add_node("model", model).add_node(node, desk.gate(tools, policy=SAFE))
    builder.add_edge(START, "model").add_conditional_edges("model", on, [node, END]).add_edge(node, "model")
    return desk.serve(builder.compile(checkpointer=desk.saver))


@pytest.mark.parametrize("decided", ["before", "after"])
async def test_what_a_changed_graph_forgot_is_a_task_and_runs_where_it_is_remembered(url, till, decided):
    async with assent.open(url) as desk:
        await staff(desk)
        await (await served(desk, till.tools, [WAITING])).ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
        if decided == "before":
            await desk.decide(card.id, approve(card), "ada")
    async with assent.open(url) as desk:
        agent = await served(desk, till.tools, [], node="actions")
        if decided == "after":
            await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
        assert till.ran == []
        (task,) = await desk.tasks("ada")
        assert task.kind == "stalled" and "no longer knows" in task.text and (await agent.aget_state(on_thread())).next == ()
    async with assent.open(url) as desk:
        await served(desk, till.tools, [AIMessage("Done.")])
        await desk.retry("t1", "ada")
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)] and await desk.tasks("ada") == []


@pytest.mark.parametrize("when", ["before the decision", "after it"])
async def test_an_action_replaced_in_the_checkpoint_is_not_what_runs(opened_on_any, till, when):
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened_on_any.pending("ada")
    if when == "after it":
        await opened_on_any.decide(card.id, approve(card), "ada")
    message = (await agent.aget_state(on_thread())).values["messages"][-1]
    forged = message.model_copy(deep=True)
    forged.tool_calls[0]["args"] = {"to": "eve", "amount": 9}
    await agent.graph.aupdate_state(on_thread(), {"messages": [forged]}, as_node="propose")
    with suppress(assent.AssentError):
        await agent.ainvoke(None, on_thread())
    if when == "before the decision":
        (again,) = await opened_on_any.pending("ada")
        assert again.digest == card.digest and again.args == {"to": "bob", "amount": 5}, "what is shown is what is on record"
        await opened_on_any.decide(card.id, approve(card), "ada")
    await opened_on_any.drain()
    assert till.paid == [("pay", "bob", 5)], "what was approved runs, and nothing else"


async def test_calls_that_change_places_keep_their_own_answers(opened_on_any, till):
    both = calls(("pay", {"to": "bob", "amount": 5}), ("pay", {"to": "eve", "amount": 9}))
    agent = opened_on_any.agent(tools=till.tools, policy=SAFE, propose=Script(both))
    await agent.ainvoke(asks(), on_thread())
    message = (await agent.aget_state(on_thread())).values["messages"][-1]
    swapped = message.model_copy(update={"tool_calls": list(reversed(message.tool_calls))}, deep=True)
    await agent.graph.aupdate_state(on_thread(), {"messages": [swapped]}, as_node="propose")
    for card in await opened_on_any.pending("ada"):
        await opened_on_any.decide(card.id, (approve if card.args["to"] == "bob" else reject)(card), "ada")
    await opened_on_any.drain()
    assert till.paid == [("pay", "bob", 5)]


async def test_the_id_of_an_answered_question_answers_no_later_one(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING, calls(("pay", {"to": "eve", "amount": 9}))))
    (first,) = (await agent.ainvoke(asks(), on_thread()))["__interrupt__"]
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, reject(card), "ada")
    await opened.drain()
    (later,) = await opened.pending("ada")
    for answer in ({first.id: {"type": "approve"}}, {"type": "approve", "digest": later.digest}):
        await agent.graph.ainvoke(Command(resume=answer), on_thread())
    assert till.ran == [] and [card.id for card in await opened.pending("ada")] == [later.id]


async def test_the_same_call_id_in_two_turns_is_two_actions(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING, says(), WAITING))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    await agent.ainvoke(asks("Once more."), on_thread())
    (again,) = await opened.pending("ada")
    assert till.paid == [("pay", "bob", 5)] and again.id != card.id and again.digest != card.digest
    await opened.decide(again.id, approve(again), "ada")
    await opened.drain()
    assert till.paid == [("pay", "bob", 5)] * 2


async def test_a_checkpoint_copied_to_another_thread_pays_nothing(opened, till, tmp_path):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(WAITING, WAITING))
    await agent.ainvoke(asks(), on_thread("t1"))
    await agent.ainvoke(asks(), on_thread("t2", "dave"))
    (card,) = [card for card in await opened.pending("ada") if card.thread == "t1"]
    await opened.decide(card.id, approve(card), "ada")
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        for table in ("checkpoints", "writes"):
            connection.execute(f"DELETE FROM {table} WHERE thread_id = 't2'")
            connection.execute(f"UPDATE {table} SET thread_id = 't2' WHERE thread_id = 't1'")
    connection.close()
    for thread, who in (("t1", "carol"), ("t2", "dave")):
        with suppress(Exception):
            await agent.ainvoke(None, on_thread(thread, who))
    await opened.drain()
    assert till.ran == []
    assert {task.thread for task in await opened.tasks("ada")} >= {"t1"}, "what was approved is listed, not forgotten"


async def test_a_node_that_swallows_every_exception_around_the_gate_lets_nothing_run(opened, till):
    gate = opened.gate(till.tools, policy=SAFE)

    async def model(state: MessagesState):
        return {"messages": [WAITING.model_copy(update={"id": "m1"})]}

    async def tools(state: MessagesState, config: RunnableConfig):
        try:
            return await gate.ainvoke(state, config)
        except Exception:
            return {"messages": [ToolMessage("done anyway", tool_call_id="call_0")]}

    builder = StateGraph(MessagesState).add_node("model", model).add_node("tools", tools)
    builder.add_edge(START, "model").add_edge("model", "tools").add_edge("tools", END)
    agent = opened.serve(builder.compile(checkpointer=opened.saver))
    with suppress(assent.AssentError):
        await agent.ainvoke(asks(), on_thread())
    assert till.ran == []
    assert await opened.pending("ada") or await opened.tasks("ada"), "it is asked about or listed"


@pytest.mark.parametrize("decided", [False, True])
async def test_a_gate_removed_from_the_graph_runs_nothing_and_leaves_a_task(url, till, decided):
    async with assent.open(url) as desk:
        await staff(desk)
        await (await served(desk, till.tools, [WAITING])).ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
        if decided:
            await desk.decide(card.id, approve(card), "ada")
    async with assent.open(url) as desk:
        builder = StateGraph(MessagesState).add_node("model", lambda state: {"messages": []})
        builder.add_node("tools", ToolNode(till.tools)).add_edge(START, "model").add_edge("model", "tools").add_edge("tools", END)
        agent = desk.serve(builder.compile(checkpointer=desk.saver))
        await desk.drain()
        with suppress(assent.AssentError):
            await agent.ainvoke(None, on_thread())
        assert till.ran == []
        (task,) = await desk.tasks("ada")
        assert task.kind == "stalled" and "gate" in task.text
    async with assent.open(url) as desk:
        await served(desk, till.tools, [AIMessage("Done.")])
        if not decided:
            await desk.decide(card.id, approve(card), "ada")
        await desk.retry("t1", "ada")
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)] and await desk.tasks("ada") == []
