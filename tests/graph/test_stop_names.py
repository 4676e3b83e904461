"""A stop on an agent reaches whatever works in its threads, whichever name its gate was given, and nothing else."""

from __future__ import annotations

import assent
import pytest
from fakes import Script, Till, approve, asks, calls, on_thread
from langgraph.graph import END, START, MessagesState, StateGraph

ALLOW = assent.Policy((assent.on("note", lambda facts: assent.Ruling("allow", "fine")),))


@pytest.fixture
async def desk(opened_on_any):
    return opened_on_any


def served(desk, till, think, policy=ALLOW):
    """Serve a graph of somebody's own under the name `clerk`, with a gate in it that is called `bank`."""
    gate = desk.gate(till.tools, policy=policy, name="bank")
    graph = StateGraph(MessagesState).add_node("think", think).add_node("gate", gate)
    graph = graph.add_edge(START, "think").add_edge("think", "gate").add_edge("gate", END)
    return desk.serve(graph.compile(checkpointer=desk.saver), name="clerk")


def proposes(tool, args):
    return {"messages": [calls((tool, args)).model_copy(update={"id": "m1"})]}


async def test_a_stop_that_comes_while_the_agent_thinks_keeps_its_action_back_until_it_is_lifted(desk, till):
    pressed = []

    async def think(state):
        pressed.append(await desk.stop("agent", "clerk", "lee", "now"))
        return proposes("note", {"text": "a"})

    await served(desk, till, think).ainvoke(asks(), on_thread())
    await desk.drain()
    assert till.ran == []
    (shown,) = await desk.stops("vi")
    assert shown.waiting == 1
    await desk.lift(pressed[0].id, "lee")
    await desk.drain()
    assert till.ran == [("note", "a")]


async def test_what_was_approved_waits_for_a_stop_on_the_agent_that_drives_it(desk, till):
    async def think(state):
        return proposes("pay", {"to": "ann", "amount": 5})

    await served(desk, till, think).ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    stop = await desk.stop("agent", "clerk", "lee")
    await desk.drain()
    assert till.ran == []
    await desk.lift(stop.id, "lee")
    await desk.drain()
    assert till.paid == [("pay", "ann", 5)]


async def test_a_stop_shows_what_is_in_flight_in_the_threads_of_the_agent(desk, till):
    shown = []

    @assent.action(consequence="reversible")
    async def note(text: str) -> str:
        """Write a note."""
        shown.extend((await desk.stop("agent", "clerk", "lee")).in_flight)
        return "noted"

    async def think(state):
        return proposes("note", {"text": "a"})

    till.tools = [note]
    await served(desk, till, think).ainvoke(asks(), on_thread())
    assert [one["tool"] for one in shown] == ["note"]


async def test_a_tool_that_may_be_called_again_is_not_once_its_agent_is_stopped(desk, till):
    called = []

    @assent.action(consequence="reversible", idempotent=True, retries=1)
    async def note(text: str) -> str:
        """Write a note."""
        called.append(text)
        await desk.stop("agent", "clerk", "lee")
        raise ConnectionError("no route")

    async def think(state):
        return proposes("note", {"text": "a"})

    till.tools = [note]
    await served(desk, till, think).ainvoke(asks(), on_thread())
    assert called == ["a"]


async def test_a_stop_on_one_agent_leaves_the_others_alone(desk, till):
    async def think(state):
        await desk.stop("agent", "other", "lee")
        return proposes("note", {"text": "a"})

    other = Till()
    desk.agent(tools=other.tools, policy=ALLOW, name="other", propose=Script(calls(("note", {"text": "b"}))))
    await served(desk, till, think).ainvoke(asks(), on_thread())
    await desk.send("t2", "Please.", requester="carol", agent="other")
    await desk.drain()
    assert till.ran == [("note", "a")] and other.ran == []


async def test_the_name_on_the_card_can_be_stopped(desk, till):
    async def think(state):
        return proposes("pay", {"to": "ann", "amount": 5})

    await served(desk, till, think).ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    stopped = await desk.stop("agent", card.agent, "lee")
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    assert (stopped.name, till.ran) == ("bank", [])
    await desk.lift(stopped.id, "lee")
    await desk.drain()
    assert till.ran == [("pay", "ann", 5)]
