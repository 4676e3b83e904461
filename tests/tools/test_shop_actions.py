from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from assent.tools.declaration import (
    ActionRefused,
    ActionTool,
    Case,
    at_hand,
    call_declared,
    declaration_of,
    dry_run,
    plain,
    typed,
)
from assent.tools.shop.actions import shop_tools
from assent.tools.shop.tables import Shop, open_shop
from pydantic import ValidationError

HOME = "12 Mill Lane, Bristol BS1 4QA"
WORK = "3 Dock Road, Bristol BS2 8AB"
REPLY = {"topic": "contact", "body": "Hello"}
OWN: dict[str, dict[str, Any]] = {
    "look_up_order": {"order_id": "3"},
    "change_address": {"order_id": "1", "address": WORK},
    "refund": {"order_id": "4", "amount": "12.50", "reason": "damaged"},
    "cancel_order": {"order_id": "2"},
    "send_reply": {"topic": "invoice", "order_id": "5", "body": "Hello"},
}


def case(key: str | None = None, requester: str = "C1", text: str = "") -> Case:
    return Case("main", "thread-1", requester, text, action_id=key, idempotency_key=key)


def tool(shop: Shop, name: str) -> ActionTool:
    return next(each for each in shop_tools(shop) if each.name == name)


async def run(shop: Shop, name: str, args: dict[str, Any], at: Case | None = None) -> str:
    chosen = tool(shop, name)
    with at_hand(at or case()):
        return str(await chosen.ainvoke(plain(chosen, args)))


async def ask(shop: Shop, name: str, args: dict[str, Any], at: Case | None = None) -> str | None:
    chosen = tool(shop, name)
    return await dry_run(chosen, plain(chosen, args), at or case())


async def undo(shop: Shop, name: str, args: dict[str, Any], at: Case | None = None) -> str:
    chosen = tool(shop, name)
    take_back = declaration_of(chosen).undo
    assert take_back is not None
    with at_hand(at or case()):
        return str(await call_declared(take_back, **typed(chosen, args)))


async def rows(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    async with shop.reading() as db:
        return [tuple(row) for row in await db.execute_fetchall(query)]


def test_the_actions_declare_what_they_can_do(tmp_path: Path) -> None:
    shop: Any = None
    declared = {each.name: declaration_of(each) for each in shop_tools(shop)}
    assert {name: each.consequence for name, each in declared.items()} == {
        "look_up_customer": "read",
        "look_up_order": "read",
        "change_address": "reversible",
        "refund": "costly",
        "cancel_order": "irreversible",
        "send_reply": "irreversible",
        "hand_over": "reversible",
    }
    assert {name for name, each in declared.items() if each.undo} == {"change_address", "hand_over"}
    assert {name for name, each in declared.items() if not each.dry_run} == {"look_up_customer"}
    assert {name for name, each in declared.items() if not each.idempotent} == {"cancel_order"}


async def test_looking_up_tells_what_is_held(shop: Shop) -> None:
    held = await run(shop, "look_up_customer", {})
    assert held == (
        f"We hold the name Zoë O'Hara, the e-mail address zoe@example.org and these addresses: home: {HOME}; work: {WORK}."
    )
    assert await run(shop, "look_up_order", {"order_id": "4"}) == (
        "Order 4 of 2 November 2026 is delivered: 1 x Enamel kettle at £34.00, 2 x Mug at £6.25, delivery £4.50;"
        " you paid £51.00, £5.00 has been refunded."
    )
    assert "no refund is recorded" in await run(shop, "look_up_order", {"order_id": "3"})


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("order_id", ["6", "999"])
async def test_an_order_of_somebody_else_is_refused_like_one_that_does_not_exist(shop: Shop, name: str, order_id: str) -> None:
    before = await rows(shop, "SELECT id, status, ship_to FROM orders")
    for attempt in (ask, run):
        with pytest.raises(ActionRefused, match=f"no order {order_id} on this customer's account"):
            await attempt(shop, name, OWN[name] | {"order_id": order_id})
    assert await rows(shop, "SELECT id, status, ship_to FROM orders") == before
    assert await rows(shop, "SELECT order_id FROM refunds") == [("4",)]
    assert list(shop.outbox.iterdir()) == []


@pytest.mark.parametrize("name", ["look_up_customer", "hand_over", "send_reply", "refund"])
async def test_somebody_without_an_account_gets_nothing(shop: Shop, name: str) -> None:
    args = {"look_up_customer": {}, "hand_over": {"team": "sales"}, "send_reply": REPLY}.get(name, OWN.get(name, {}))
    with pytest.raises(ActionRefused):
        await run(shop, name, args, case(requester="C9"))


async def test_changing_an_address(shop: Shop) -> None:
    evidence = await ask(shop, "change_address", OWN["change_address"])
    assert evidence == f"Order 1 is placed and would go to {HOME}; the new address is on file as 'work'."
    assert await run(shop, "change_address", OWN["change_address"]) == f"Order 1 now goes to {WORK}."
    assert await rows(shop, "SELECT ship_to FROM orders WHERE id = '1'") == [(WORK,)]


async def test_a_new_address_must_be_one_and_its_origin_is_told(shop: Shop) -> None:
    new = {"order_id": "2", "address": "4 New Street, York YO1 7AA"}
    written = case(text="to 4 New Street, York YO1 7AA please")
    assert "written in the customer's message" in str(await ask(shop, "change_address", new, written))
    assert "neither on file nor in the customer's message" in str(await ask(shop, "change_address", new))
    with pytest.raises(ActionRefused, match="must be one on file"):
        await run(shop, "change_address", new | {"address": "the usual place"})
    with pytest.raises(ActionRefused, match="already goes to"):
        await run(shop, "change_address", new | {"address": HOME})


@pytest.mark.parametrize("order_id", ["3", "4", "5"])
async def test_what_has_left_the_shop_is_neither_changed_nor_cancelled(shop: Shop, order_id: str) -> None:
    for name in ("change_address", "cancel_order"):
        for attempt in (ask, run):
            with pytest.raises(ActionRefused, match="only placed or packed"):
                await attempt(shop, name, OWN[name] | {"order_id": order_id})


async def test_an_effect_looks_again_before_it_happens(shop: Shop) -> None:
    for name in ("change_address", "cancel_order"):
        assert await ask(shop, name, OWN[name])
    async with shop.changing() as db:
        await db.execute("UPDATE orders SET status = 'shipped' WHERE id IN ('1', '2')")
    for name in ("change_address", "cancel_order"):
        with pytest.raises(ActionRefused, match="is shipped"):
            await run(shop, name, OWN[name])


async def test_taking_back_a_change_of_address(shop: Shop) -> None:
    at, args = case("a1"), OWN["change_address"]
    await run(shop, "change_address", args, at)
    assert await undo(shop, "change_address", args, at) == f"Order 1 goes to {HOME} again."
    assert await rows(shop, "SELECT ship_to FROM orders WHERE id = '1'") == [(HOME,)]
    with pytest.raises(ActionRefused, match="no change"):
        await undo(shop, "change_address", args, at)
    with pytest.raises(ActionRefused, match="taken back"):
        await run(shop, "change_address", args, at)


async def test_a_change_of_address_is_not_taken_back_over_a_later_one_or_after_shipping(shop: Shop) -> None:
    await run(shop, "change_address", OWN["change_address"], case("a1"))
    await run(shop, "change_address", {"order_id": "1", "address": "4 New Street, York YO1 7AA"}, case("a2"))
    with pytest.raises(ActionRefused, match="too late to undo"):
        await undo(shop, "change_address", OWN["change_address"], case("a1"))
    async with shop.changing() as db:
        await db.execute("UPDATE orders SET status = 'shipped' WHERE id = '1'")
    with pytest.raises(ActionRefused, match="too late to undo"):
        await undo(shop, "change_address", {"order_id": "1", "address": "4 New Street, York YO1 7AA"}, case("a2"))


async def test_nobody_takes_back_what_another_customer_did(shop: Shop) -> None:
    await run(shop, "change_address", OWN["change_address"], case("a1"))
    await run(shop, "hand_over", {"team": "billing"}, case("h1"))
    with pytest.raises(ActionRefused):
        await undo(shop, "change_address", OWN["change_address"], case("a1", requester="C2"))
    with pytest.raises(ActionRefused):
        await undo(shop, "hand_over", {"team": "billing"}, case("h1", requester="C2"))
    with pytest.raises(ActionRefused, match="other values"):
        await run(shop, "hand_over", {"team": "billing"}, case("h1", requester="C2"))


async def test_cancelling_an_order_happens_once(shop: Shop) -> None:
    assert "can be cancelled" in str(await ask(shop, "cancel_order", {"order_id": "2"}))
    assert await run(shop, "cancel_order", {"order_id": "2"}) == "Order 2 is cancelled and will not be sent."
    assert await rows(shop, "SELECT status FROM orders WHERE id = '2'") == [("cancelled",)]
    with pytest.raises(ActionRefused, match="is cancelled"):
        await run(shop, "cancel_order", {"order_id": "2"})


async def test_the_evidence_of_a_refund_says_what_is_left_and_what_the_amount_is(shop: Shop) -> None:
    start = "Order 4 is delivered; £51.00 was paid, £5.00 refunded so far, £46.00 can still be refunded."
    for amount, meaning in [
        ("12.50", "2 x Mug"),
        ("34.00", "1 x Enamel kettle"),
        ("4.50", "the shipping fee"),
        ("46.00", "everything that can still be refunded"),
        ("7.77", "neither a line, nor the shipping fee, nor all that is left"),
    ]:
        evidence = await ask(shop, "refund", OWN["refund"] | {"amount": amount})
        assert evidence == f"{start} £{amount} is {meaning}."


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"amount": "46.01"}, "more than can still be refunded"),
        ({"amount": "0.00"}, "more than £0.00"),
        ({"order_id": "3"}, "only a delivered order"),
        ({"order_id": "5"}, "only a delivered order"),
    ],
)
async def test_a_refund_that_is_not_due_is_refused(shop: Shop, change: dict[str, str], problem: str) -> None:
    for attempt in (ask, run):
        with pytest.raises(ActionRefused, match=problem):
            await attempt(shop, "refund", OWN["refund"] | change)
    assert await rows(shop, "SELECT sum(amount) FROM refunds") == [(500,)]


async def test_the_same_refund_twice_pays_once(shop: Shop) -> None:
    at = case("a1")
    first, second = [await run(shop, "refund", OWN["refund"], at) for _ in range(2)]
    assert first == second == "£12.50 for order 4 has been refunded."
    assert await rows(shop, "SELECT amount, reason, key FROM refunds WHERE key IS NOT NULL") == [(1250, "damaged", "a1")]
    with pytest.raises(ActionRefused, match="other values"):
        await run(shop, "refund", OWN["refund"] | {"amount": "1.00"}, at)


async def test_the_same_refund_at_once_from_two_processes_pays_once(shop: Shop, shop_data: Path, tmp_path: Path) -> None:
    async with open_shop(tmp_path / "shop.db", data=shop_data) as other:
        found = await asyncio.gather(*(run(each, "refund", OWN["refund"], case("a1")) for each in (shop, other) * 5))
    assert set(found) == {"£12.50 for order 4 has been refunded."}
    assert await rows(shop, "SELECT count(*) FROM refunds WHERE key = 'a1'") == [(1,)]


async def test_refunds_at_once_never_exceed_what_was_paid(shop: Shop, shop_data: Path, tmp_path: Path) -> None:
    async with open_shop(tmp_path / "shop.db", data=shop_data) as other:
        attempts = [
            run(each, "refund", OWN["refund"] | {"amount": "20.00"}, case(f"{at}-{number}"))
            for number in range(3)
            for at, each in enumerate((shop, other))
        ]
        results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 2
    assert sum(isinstance(result, ActionRefused) for result in results) == 4
    assert await rows(shop, "SELECT sum(amount) FROM refunds WHERE order_id = '4'") == [(4500,)]


async def test_handing_over_and_taking_back(shop: Shop) -> None:
    at, args = case("h1"), {"team": "billing", "note": "Asks about a payment."}
    assert await ask(shop, "hand_over", args) == "The billing team would take over the case of Zoë O'Hara."
    for _ in range(2):
        assert await run(shop, "hand_over", args, at) == "Your message has been passed to our billing team."
    query = "SELECT customer_id, thread, team, note, undone IS NULL FROM hand_overs"
    assert await rows(shop, query) == [("C1", "thread-1", "billing", "Asks about a payment.", 1)]
    assert await undo(shop, "hand_over", args, at) == "Your message is no longer with our billing team."
    assert await rows(shop, "SELECT undone IS NULL FROM hand_overs") == [(0,)]
    with pytest.raises(ActionRefused, match="could be taken back"):
        await undo(shop, "hand_over", args, at)


async def test_undo_takes_back_its_own_action_only(shop: Shop) -> None:
    for key in ("h1", "h2"):
        await run(shop, "hand_over", {"team": "billing"}, case(key))
    await undo(shop, "hand_over", {"team": "billing"}, case("h1"))
    assert await rows(shop, "SELECT key FROM hand_overs WHERE undone IS NULL") == [("h2",)]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("hand_over", {"team": "warehouse"}),
        ("hand_over", {"team": "sales", "note": "x" * 501}),
        ("refund", {"order_id": "4", "amount": "-5.00", "reason": "late"}),
        ("refund", {"order_id": "4", "amount": "5.00", "reason": "bored"}),
        ("refund", {"order_id": "4'; DROP TABLE refunds; --", "amount": "5.00", "reason": "late"}),
        ("change_address", {"order_id": "1", "address": "x" * 201}),
        ("send_reply", {"topic": "contact\r\nBcc: everybody@example.org", "body": "x"}),
        ("send_reply", {"topic": "contact", "body": "\ud800"}),
        ("send_reply", {"topic": "contact", "body": "x" * 4001}),
        ("cancel_order", {"order_id": 1}),
        ("look_up_customer", {"customer": "C2"}),
    ],
)
async def test_arguments_outside_the_schema_never_reach_a_tool(shop: Shop, name: str, args: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plain(tool(shop, name), args)
