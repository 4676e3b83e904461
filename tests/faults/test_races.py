"""Several processes decide and drain at the same moment: exactly one of them wins, and what runs is what the record says."""

from __future__ import annotations

from contextlib import suppress

import pytest
from assent.graph.errors import AlreadyDecided, TooLate
from assent.graph.opening import open_desk
from fakes import approve, later_clock, reject
from processes import FORKED, N, ask, bank_tool, barrier, fresh, one, run, seen, serve, start

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings(FORKED)]


async def decide_and_drain(url, bank, idempotent, gate, actor, answer):
    async with open_desk(url) as desk:
        serve(desk, bank_tool(bank, idempotent=idempotent))
        (card,) = await desk.pending(actor)
        gate.wait(30)
        try:
            await desk.decide(card.id, answer(card), actor)
        except AlreadyDecided as late:
            assert late.by in ("ada", "bob") and late.by != actor
        await desk.drain()


async def drain_together(url, bank, idempotent, gate):
    async with open_desk(url) as desk:
        serve(desk, bank_tool(bank, idempotent=idempotent))
        gate.wait(30)
        await desk.drain()


async def drain_later(url, bank, idempotent, ahead=600):
    async with open_desk(url, clock=later_clock(ahead)) as desk:
        serve(desk, bank_tool(bank, idempotent=idempotent))
        await desk.drain()


@pytest.mark.parametrize("idempotent", [False, True])
def test_two_approve_at_the_same_moment_and_one_payment_is_made(tmp_path, idempotent):
    for round in range(N):
        url, bank = fresh(tmp_path, f"d{round}")
        assert one(ask, url, bank, idempotent) == 0
        gate = barrier(2)
        both = [start(decide_and_drain, url, bank, idempotent, gate, who, approve) for who in ("ada", "bob")]
        assert run(both) == [0, 0]
        assert one(drain_later, url, bank, idempotent) == 0
        assert bank.calls == [("payee0", 5)]
        shown = seen(url)
        assert [line[0] for line in shown["history"]] == ["approve"] and not shown["pending"] and not shown["tasks"]


def test_paid_if_and_only_if_the_record_says_approved(tmp_path):
    for round in range(N):
        url, bank = fresh(tmp_path, f"d{round}")
        assert one(ask, url, bank) == 0
        gate = barrier(2)
        pair = [start(decide_and_drain, url, bank, False, gate, who, answer) for who, answer in (("ada", approve), ("bob", reject))]
        assert run(pair) == [0, 0]
        assert one(drain_later, url, bank, False) == 0
        ((decision, who, outcome),) = [line for line in seen(url)["history"] if line[1] in ("ada", "bob")]
        assert (decision, who) in (("approve", "ada"), ("reject", "bob"))
        assert bank.calls == ([("payee0", 5)] if decision == "approve" else []) and bool(outcome) == (decision == "approve")


async def approve_everything(url):
    async with open_desk(url) as desk:
        for card in await desk.pending("ada"):
            await desk.decide(card.id, approve(card), "ada")


@pytest.mark.parametrize("idempotent", [False, True])
def test_three_workers_wake_at_once(tmp_path, idempotent):
    for round in range(N):
        url, bank = fresh(tmp_path, f"d{round}")
        assert one(ask, url, bank, idempotent, ("t1", "t2"), 2) == 0
        assert one(approve_everything, url) == 0
        gate = barrier(3)
        assert run([start(drain_together, url, bank, idempotent, gate) for _ in range(3)]) == [0, 0, 0]
        assert one(drain_later, url, bank, idempotent) == 0
        assert sorted(bank.calls) == [("payee0", 5)] * 2 + [("payee1", 5)] * 2
        shown = seen(url)
        assert not shown["pending"] and not shown["tasks"] and {line[2] for line in shown["history"]} == {"succeeded"}


async def decide_half(url, bank, gate, actor, mine):
    async with open_desk(url) as desk:
        serve(desk, bank_tool(bank, idempotent=False))
        cards = [card for card in await desk.pending(actor) if int(card.args["to"][-1]) in mine]
        gate.wait(30)
        for card in cards:
            await desk.decide(card.id, (approve if int(card.args["to"][-1]) % 2 else reject)(card), actor)
            await desk.drain()


def test_five_calls_of_one_message_decided_by_two_processes_each_get_their_own_answer(tmp_path):
    for round in range(max(1, N // 3)):
        url, bank = fresh(tmp_path, f"d{round}")
        assert one(ask, url, bank, False, ("t1",), 5) == 0
        gate = barrier(2)
        pair = [start(decide_half, url, bank, gate, "ada", {0, 1, 4}), start(decide_half, url, bank, gate, "bob", {2, 3})]
        assert run(pair) == [0, 0]
        assert one(drain_later, url, bank, False) == 0
        assert sorted(bank.calls) == [("payee1", 5), ("payee3", 5)]
        assert not seen(url)["pending"]


async def go_through(url, bank, gate, door):
    async with open_desk(url) as desk:
        serve(desk, bank_tool(bank, idempotent=False))
        review = (await desk.history("ada"))[0].review
        gate.wait(30)
        match door:
            case "withdraw":
                with suppress(TooLate):
                    await desk.withdraw(review, "ada")
            case "cancel":
                await desk.cancel("t1", "bob")
            case "drain":
                await desk.drain()


@pytest.mark.parametrize("door", ["withdraw", "cancel"])
def test_taking_back_races_with_claiming_and_the_record_says_who_won(tmp_path, door):
    for round in range(N):
        url, bank = fresh(tmp_path, f"d{round}")
        assert one(ask, url, bank) == 0
        assert one(approve_everything, url) == 0
        gate = barrier(3)
        doors = (door, "drain", "drain")
        assert run([start(go_through, url, bank, gate, one_door) for one_door in doors]) == [0, 0, 0]
        assert one(drain_later, url, bank, False) == 0
        shown = seen(url)
        paid = bool(bank.calls)
        assert len(bank.calls) <= 1 and not shown["tasks"]
        assert ("succeeded" in {line[2] for line in shown["history"]}) == paid
        assert bool(shown["pending"]) == (door == "withdraw" and not paid)
