"""Stopping and undoing while other processes are at work: nothing starts after a stop, and an undo runs once, whoever dies."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import assent
import pytest
import sqlalchemy as sa
from assent.graph import crashpoints
from assent.graph.errors import TooLate
from assent.graph.opening import open_desk
from assent.graph.rules.terms import Terms
from fakes import SAFE, Bank, Script, approve, asks, calls, later_clock, on_thread, staff
from processes import FORKED, N, asking, barrier, event, one, run, start

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]

CASES = 6


def paying(bank, seconds=0.0, started=None):
    @assent.action(consequence="costly")
    async def pay(to: str) -> str:
        """Pay somebody."""
        bank.pay(None, to, 1)
        if started is not None:
            started.set()
        await asyncio.sleep(seconds)
        return f"paid {to}"

    return pay


async def ask_and_approve(url, bank):
    async with open_desk(url) as desk:
        await staff(desk)
        lines = [calls(("pay", {"to": f"payee{n}"})) for n in range(CASES)]
        agent = desk.agent(tools=[paying(bank)], policy=SAFE, propose=Script(*lines))
        for n in range(CASES):
            await agent.ainvoke(asks(), on_thread(f"t{n}"))
        for card in await desk.pending("ada"):
            await desk.decide(card.id, approve(card), "ada")


async def drain(url, bank, gate, started):
    async with open_desk(url) as desk:
        desk.agent(tools=[paying(bank, 0.3, started)], policy=SAFE, propose=Script())
        gate.wait(30)
        await desk.drain()


async def begun(desk):
    async with desk.store.read() as tx:
        return int(await tx.scalar(sa.text("SELECT count(*) FROM executions")))


async def stop(url, gate, started, found):
    async with open_desk(url) as desk:
        gate.wait(30)
        assert started.wait(30)
        view = await desk.stop("all", "", "lee", "something is wrong")
        found.send({"id": view.id, "begun": await begun(desk), "in_flight": len(view.in_flight)})


async def lift_and_drain(url, bank, stop_id):
    async with open_desk(url, clock=later_clock(600)) as desk:
        desk.agent(tools=[paying(bank)], policy=SAFE, propose=Script())
        await desk.lift(stop_id, "lee", "it was nothing")
        await desk.drain()
        assert await desk.tasks("lee") == []


def test_nothing_further_starts_once_a_stop_is_pressed_while_two_processes_work_through_approved_actions(any_url, tmp_path):
    bank = Bank(tmp_path / "bank")
    assert one(ask_and_approve, any_url, bank) == 0
    gate, started = barrier(3), event()
    working = [start(drain, any_url, bank, gate, started) for _ in range(2)]
    found = asking(stop, any_url, gate, started)
    assert run(working) == [0, 0]
    assert 1 <= len(bank.calls) == found["begun"] < CASES
    assert one(lift_and_drain, any_url, bank, found["id"]) == 0
    assert sorted(to for to, _ in bank.calls) == [f"payee{n}" for n in range(CASES)]


def putting(desk, bank):
    async def take_back(what: str) -> str:
        bank.pay(None, f"undo {what}", 1)
        return "back"

    @assent.action(consequence="reversible", undo=take_back)
    async def put(what: str) -> str:
        """Put something away."""
        bank.pay(None, f"put {what}", 1)
        return "put away"

    allowed = assent.on("put", lambda facts: assent.Ruling("allow", "It can be undone.", terms=Terms(undo=3600)))
    return desk.agent(tools=[put], policy=assent.Policy((allowed,)), propose=Script(calls(("put", {"what": "cup"}))))


async def put_away(url, bank, found):
    async with open_desk(url) as desk:
        await staff(desk)
        await putting(desk, bank).ainvoke(asks(), on_thread())
        found.send((await desk.feed("vi"))[0].action)


async def undo(url, bank, gate, action, who):
    async with open_desk(url) as desk:
        putting(desk, bank)
        gate.wait(30)
        with suppress(TooLate):
            await desk.undo(action, who)
        await desk.drain()


async def drain_later(url, bank):
    async with open_desk(url, clock=later_clock(600)) as desk:
        putting(desk, bank)
        await desk.drain()


def test_an_undo_that_two_processes_ask_for_at_once_runs_once(any_url, tmp_path):
    for round in range(max(1, N // 3)):
        bank = Bank(tmp_path / f"bank{round}")
        action = asking(put_away, any_url, bank)
        gate = barrier(2)
        assert run([start(undo, any_url, bank, gate, action, who) for who in ("ada", "bob")]) == [0, 0]
        assert one(drain_later, any_url, bank) == 0
        assert [to for to, _ in bank.calls] == ["put cup", "undo cup"]


async def die_undoing(url, bank, action, point):
    crashpoints.arm(point)
    async with open_desk(url) as desk:
        crashpoints.arm(point)
        putting(desk, bank)
        await desk.undo(action, "ada")
        await desk.drain()


async def tasks(url, bank, found):
    async with open_desk(url, clock=later_clock(600)) as desk:
        putting(desk, bank)
        await desk.drain()
        found.send([(task.kind, task.action) for task in await desk.tasks("lee")])


@pytest.mark.parametrize(("point", "undone"), [("after-undo-claim", 0), ("after-undo-effect", 1)])
def test_a_process_killed_while_it_undoes_leaves_a_question_and_the_undo_is_never_tried_again(any_url, tmp_path, point, undone):
    bank = Bank(tmp_path / "bank")
    action = asking(put_away, any_url, bank)
    assert one(die_undoing, any_url, bank, action, point) == -9
    for _ in range(2):
        assert asking(tasks, any_url, bank) == [("undo unknown", action)]
        assert [to for to, _ in bank.calls] == ["put cup", *["undo cup"] * undone]
