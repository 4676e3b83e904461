"""Databases and checkpoints that other versions wrote: this one opens them, decides what waits in them, and runs it once."""

from __future__ import annotations

import gzip
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import assent
import pytest
from fakes import SAFE, Till, approve, asks, calls, later_clock, on_thread, staff
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from make import payment, served  # noqa: E402

FILES = sorted(path.name.removesuffix(".sql.gz") for path in HERE.glob("*.sql.gz"))
DAY = later_clock(86_400)


@pytest.fixture(params=FILES)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A recorded database, as it was."""
    text = gzip.decompress((HERE / f"{request.param}.sql.gz").read_bytes()).decode()
    if request.param.startswith("sqlite"):
        connection = sqlite3.connect(tmp_path / "desk.db")
        connection.executescript(text)
        connection.close()
        yield f"sqlite:///{tmp_path}/desk.db"
        return
    import postgres
    import psycopg

    with postgres.fresh(empty=True) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(text.encode())
        yield url


def test_there_is_one_of_the_first_schema_and_one_for_each_database():
    assert "sqlite-0001" in FILES
    assert {name.split("-")[0] for name in FILES} == {"sqlite", "postgresql"}


async def test_what_another_version_left_is_taken_up_and_nothing_is_lost_or_done_twice(recorded):
    paid: list[tuple[str, int]] = []
    async with assent.open(recorded, clock=DAY) as desk:
        agent = served(desk, payment(paid))
        assert {card.thread for card in await desk.pending("ada")} == {"waiting", "queued"}
        await desk.drain()
        assert sorted(paid) == [("approved", 5), ("edited", 7)], "what had been decided runs as it was decided"
        (doubt,) = await desk.tasks("ada")
        assert doubt.kind == "unknown" and doubt.thread == "claimed"
        for card in await desk.pending("ada"):
            await desk.decide(card.id, approve(card), "bob")
        await desk.settle(doubt.action, "not_done", "ada")
        await desk.drain()
        assert sorted(paid) == [("approved", 5), ("edited", 7), ("queued", 5), ("waiting", 5)]
        (later,) = await desk.pending("ada")
        assert later.args["to"] == "later", "the message that waited was delivered after the outcome"
        await desk.drain()
        outcomes = {line.thread: (line.decision, line.outcome) for line in await desk.history("ada")}
        assert outcomes["done"] == ("approve", "succeeded") and outcomes["rejected"][0] == "reject"
        assert len(paid) == 4 and await desk.tasks("ada") == []
        for thread in ("waiting", "approved", "edited", "rejected", "claimed", "done"):
            assert (await agent.aget_state(on_thread(thread))).next == ()


class Wider(MessagesState):
    """A state with a field that the other version does not know."""

    risk: str


class Stricter(BaseModel):
    """A state that demands a field which was never saved."""

    messages: list[Any]
    owner: str


def build(desk: assent.Desk, till: Till, state: Any, *, node: str = "tools") -> Any:
    """Serve a graph of one's own with this state."""

    async def model(state: Any) -> dict[str, Any]:
        messages = state["messages"] if isinstance(state, dict) else state.messages
        if messages[-1].type == "tool":
            return {"messages": [AIMessage("Done.")]}
        return {"messages": [calls(("pay", {"to": "bob", "amount": 5})).model_copy(update={"id": "m1"})]}

    def on(state: Any) -> str:
        messages = state["messages"] if isinstance(state, dict) else state.messages
        return node if getattr(messages[-1], "tool_calls", None) else END

    builder = StateGraph(state).add_node("model", model).add_node(node, desk.gate(till.tools, policy=SAFE))
    builder.add_edge(START, "model").add_conditional_edges("model", on, [node, END]).add_edge(node, "model")
    return desk.serve(builder.compile(checkpointer=desk.saver))


async def test_a_field_that_this_version_does_not_know_loses_nothing(any_url, till):
    async with assent.open(any_url) as desk:
        await staff(desk)
        agent = build(desk, till, Wider)
        await agent.ainvoke(asks(), on_thread())
        await agent.graph.aupdate_state(on_thread(), {"risk": "high"})
    async with assent.open(any_url) as desk:
        build(desk, till, MessagesState)
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)] or [task.kind for task in await desk.tasks("ada")] == ["stalled"]


async def test_a_state_that_this_version_cannot_read_is_listed_and_runs_where_it_can_be_read(any_url, till):
    async with assent.open(any_url) as desk:
        await staff(desk)
        await build(desk, till, MessagesState).ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
    async with assent.open(any_url) as desk:
        build(desk, till, Stricter)
        await desk.decide(card.id, approve(card), "ada")
        with suppress(assent.AssentError):
            await desk.drain()
        assert till.ran == []
        (task,) = await desk.tasks("ada")
        assert task.kind == "stalled" and "owner" in task.text
    async with assent.open(any_url) as desk:
        build(desk, till, MessagesState)
        await desk.retry("t1", "ada")
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)] and await desk.tasks("ada") == []


async def test_a_node_that_this_version_does_not_have_is_listed(any_url, till):
    async with assent.open(any_url) as desk:
        await staff(desk)
        await build(desk, till, MessagesState, node="actions").ainvoke(asks(), on_thread())
    async with assent.open(any_url) as desk:
        build(desk, till, MessagesState)
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()
        assert till.ran == [] and [task.kind for task in await desk.tasks("ada")] == ["stalled"]
