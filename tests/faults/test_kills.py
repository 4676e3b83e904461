"""A process is killed at every point where it hurts; the next one loses nothing and repeats nothing."""

from __future__ import annotations

import asyncio

import assent
import pytest
from assent.graph.opening import open_desk
from assent.graph.store import examples
from fakes import Bank, approve, calls, later_clock, on_thread, says, staff
from processes import FORKED, POINTS, N, bank_tool, die, event, fresh, kill_after, one, run, seen, serve, start

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]

PAY = calls(("pay", {"to": "payee0", "amount": 5}))


async def first_life(url, bank, point, idempotent):
    """Propose, decide and drain, and die at the point."""
    async with open_desk(url) as desk:
        await staff(desk)

        def proposed(step):
            return PAY

        async def died_proposing(step):
            return die()

        lines = [died_proposing] if point == "propose" else [proposed]
        tool = bank_tool(bank, idempotent=idempotent, after=die if point == "effect" else lambda: None)
        serve(desk, tool, *lines)
        kill_after(desk, point)
        await desk.send("t1", "Pay.", requester="carol")
        await desk.drain()
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        if point == "decide":
            die()
        await desk.drain()
        raise AssertionError(f"nobody died at {point}")


async def second_life(url, bank, idempotent):
    """Take up what was left, ten minutes later."""
    async with open_desk(url, clock=later_clock(600)) as desk:
        agent = serve(desk, bank_tool(bank, idempotent=idempotent), *[PAY])
        snapshot = await agent.aget_state(on_thread())
        if any(message.type == "ai" for message in snapshot.values.get("messages", [])):
            desk._gates["assent"][0].propose.lines.clear()
        await desk.drain()
        for card in await desk.pending("ada"):
            await desk.decide(card.id, approve(card), "ada")
        await desk.drain()


async def settle(url, bank, outcome):
    async with open_desk(url, clock=later_clock(600)) as desk:
        serve(desk, bank_tool(bank, idempotent=False), says("Understood."))
        for task in await desk.tasks("lee"):
            await desk.settle(task.action, outcome, "lee", "looked at the statement")
        await desk.drain()


async def ended(url, bank):
    async with open_desk(url, clock=later_clock(600)) as desk:
        agent = serve(desk, bank_tool(bank, idempotent=False))
        snapshot = await agent.aget_state(on_thread())
        assert snapshot.next == () and snapshot.values["messages"][-1].type == "ai"
        kinds = [message.type for message in snapshot.values["messages"]]
        assert kinds == ["human", "ai", "tool", "ai"], kinds


@pytest.mark.parametrize("idempotent", [False, True], ids=["not idempotent", "idempotent"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_and_restarted(tmp_path, point, idempotent):
    for round in range(max(1, N // 3)):
        url, bank = fresh(tmp_path, f"d{round}")
        assert one(first_life, url, bank, point, idempotent) == -9
        assert one(second_life, url, bank, idempotent) == 0
        shown = seen(url)
        assert not shown["pending"]
        doubtful = point in ("claim", "effect") and not idempotent
        if doubtful:
            assert [kind for kind, _ in shown["tasks"]] == ["unknown"]
            assert len(bank.calls) == (1 if point == "effect" else 0)
            assert one(second_life, url, bank, idempotent) == 0
            assert len(bank.calls) <= 1, "waiting does not try again"
            assert one(settle, url, bank, "done" if point == "effect" else "not_done") == 0
        else:
            assert shown["tasks"] == [] and bank.payments == [("payee0", 5)]
            assert len(bank.calls) == (2 if point == "effect" else 1)
        assert seen(url)["tasks"] == []
        assert one(ended, url, bank) == 0


async def killed_while_deciding(url, bank):
    async with open_desk(url) as desk:
        serve(desk, bank_tool(bank, idempotent=False))
        (card,) = await desk.pending("ada")
        inner = examples.add

        async def door(*args):
            await inner(*args)
            die()

        examples.add = door
        await desk.decide(card.id, approve(card), "ada")


def test_killed_inside_the_deciding_transaction_nothing_was_decided(tmp_path):
    url, bank = fresh(tmp_path, "d")
    assert one(asked_only, url, bank) == 0
    assert one(killed_while_deciding, url, bank) == -9
    shown = seen(url)
    assert len(shown["pending"]) == 1 and shown["history"] == [] and bank.calls == []
    assert one(second_life, url, bank, False) == 0
    assert bank.calls == [("payee0", 5)]


async def asked_only(url, bank):
    async with open_desk(url) as desk:
        await staff(desk)
        await serve(desk, bank_tool(bank, idempotent=False), PAY).ainvoke({"messages": [("user", "Pay.")]}, on_thread())


async def sent_and_killed(url, bank):
    async with open_desk(url) as desk:
        await staff(desk)
        serve(desk, bank_tool(bank, idempotent=False), PAY)
        await desk.send("t1", "Pay.", requester="carol")
        die()


def test_a_message_accepted_before_the_kill_is_delivered(tmp_path):
    url, bank = fresh(tmp_path, "d")
    assert one(sent_and_killed, url, bank) == -9
    assert one(second_life, url, bank, False) == 0
    assert bank.calls == [("payee0", 5)]


async def a_slow_payment(url, bank, started, seconds):
    """Die of a kill from outside while the tool runs."""

    @assent.action(consequence="costly")
    async def pay(to: str, amount: int) -> str:
        """Pay somebody."""
        started.set()
        await asyncio.sleep(seconds)
        bank.pay(None, to, amount)
        return "paid"

    async with open_desk(url) as desk:
        serve(desk, pay)
        for card in await desk.pending("ada"):
            await desk.decide(card.id, approve(card), "ada")
        await desk.drain()


def test_killed_from_outside_while_the_tool_runs(tmp_path):
    url, bank = fresh(tmp_path, "d")
    assert one(asked_only, url, bank) == 0
    started = event()
    process = start(a_slow_payment, url, bank, started, 30)
    assert started.wait(30)
    process.kill()
    assert run([process]) == [-9]
    assert one(second_life, url, bank, False) == 0
    assert bank.calls == [] and [kind for kind, _ in seen(url)["tasks"]] == ["unknown"]


async def drain_now(url, bank):
    async with open_desk(url) as desk:
        serve(desk, bank_tool(bank, idempotent=False))
        await desk.drain()


def test_a_worker_beside_a_slow_one_neither_repeats_nor_doubts_its_work(tmp_path):
    url, bank = fresh(tmp_path, "d")
    assert one(asked_only, url, bank) == 0
    started = event()
    process = start(a_slow_payment, url, bank, started, 2.0)
    assert started.wait(30)
    assert one(drain_now, url, bank) == 0
    assert run([process]) == [0]
    assert one(second_life, url, bank, False) == 0
    assert bank.calls == [("payee0", 5)] and seen(url)["tasks"] == []


def test_the_bank_itself_can_tell(tmp_path):
    bank = Bank(tmp_path / "bank")
    for key in ("a", "a", None, None):
        bank.pay(key, "x", 1)
    assert len(bank.calls) == 4 and len(bank.payments) == 3
