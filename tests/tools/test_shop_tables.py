from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from assent.tools.shop.money import pence, pounds, price
from assent.tools.shop.seeding import read_customers
from assent.tools.shop.tables import Shop, open_shop
from pydantic import ValidationError


async def value(shop: Shop, query: str) -> Any:
    async with shop.reading() as db, db.execute(query) as cursor:
        row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def test_a_shop_keeps_money_as_whole_pence(shop: Shop) -> None:
    assert await value(shop, "SELECT paid FROM orders WHERE id = '4'") == 5100
    assert await value(shop, "SELECT amount FROM refunds WHERE order_id = '4'") == 500
    assert await value(shop, "SELECT typeof(price) FROM items") == "integer"


async def test_the_connection_is_set_up_for_several_processes(shop: Shop) -> None:
    assert await value(shop, "PRAGMA journal_mode") == "wal"
    assert await value(shop, "PRAGMA foreign_keys") == 1
    assert await value(shop, "PRAGMA busy_timeout") >= 10_000
    assert await value(shop, "PRAGMA synchronous") == 2


async def test_rows_must_belong_to_somebody(shop: Shop) -> None:
    with pytest.raises(aiosqlite.IntegrityError):
        async with shop.changing() as db:
            await db.execute("INSERT INTO refunds (order_id, amount, reason) VALUES ('none', 100, 'late')")
    with pytest.raises(aiosqlite.IntegrityError):
        async with shop.changing() as db:
            await db.execute("INSERT INTO refunds (order_id, amount, reason) VALUES ('4', 1.5, 'late')")


async def test_opening_again_keeps_what_happened_and_adds_what_is_new(tmp_path: Path, shop_data: Path) -> None:
    file = tmp_path / "again.db"
    async with open_shop(file, data=shop_data) as shop, shop.changing() as db:
        await db.execute("UPDATE orders SET status = 'cancelled' WHERE id = '1'")
    newcomer = {
        "id": "C3", "name": "Cy", "email": "cy@example.org", "orders": [],
        "addresses": [{"label": "home", "text": "1 New Road, York YO1 7AA"}],
    }  # fmt: skip
    (shop_data / "customers-2.json").write_text(json.dumps([newcomer]), "utf-8")
    async with open_shop(file, data=shop_data) as shop:
        assert await value(shop, "SELECT status FROM orders WHERE id = '1'") == "cancelled"
        assert await value(shop, "SELECT count(*) FROM refunds") == 1
        assert await value(shop, "SELECT count(*) FROM customers") == 3


async def test_seeding_is_all_or_nothing(tmp_path: Path, shop_data: Path) -> None:
    people = json.loads((shop_data / "customers-1.json").read_text("utf-8"))
    people[1]["orders"][0]["id"] = "1"  # taken by the first customer
    (shop_data / "customers-1.json").write_text(json.dumps(people), "utf-8")
    with pytest.raises(aiosqlite.IntegrityError):
        async with open_shop(tmp_path / "half.db", data=shop_data):
            pass
    async with aiosqlite.connect(tmp_path / "half.db") as db:
        assert list(await db.execute_fetchall("SELECT name FROM sqlite_master")) == []


async def test_many_may_open_a_new_shop_at_once(tmp_path: Path, shop_data: Path) -> None:
    async def count() -> int:
        async with open_shop(tmp_path / "shared.db", data=shop_data) as shop:
            return int(await value(shop, "SELECT count(*) FROM orders"))

    assert await asyncio.gather(*(count() for _ in range(6))) == [7] * 6


async def test_a_failed_or_cancelled_change_leaves_nothing_and_the_shop_usable(shop: Shop) -> None:
    started = asyncio.Event()

    async def slow() -> None:
        async with shop.changing() as db:
            await db.execute("UPDATE orders SET status = 'cancelled'")
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(slow())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value(shop, "SELECT count(*) FROM orders WHERE status = 'cancelled'") == 1


async def test_transactions_of_one_shop_do_not_mix(shop: Shop) -> None:
    async def add_and_fail(fail: bool) -> None:
        async with shop.changing() as db:
            await db.execute("INSERT INTO refunds (order_id, amount, reason) VALUES ('7', 1, 'late')")
            await asyncio.sleep(0.01)
            if fail:
                raise RuntimeError

    await asyncio.gather(*(add_and_fail(at % 2 == 0) for at in range(6)), return_exceptions=True)
    assert await value(shop, "SELECT count(*) FROM refunds WHERE order_id = '7'") == 3


async def test_reading_changes_nothing(shop: Shop) -> None:
    async with shop.reading() as db:
        await db.execute("UPDATE orders SET status = 'cancelled'")
    assert await value(shop, "SELECT count(*) FROM orders WHERE status = 'cancelled'") == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"paid": "50.00"}, "not the sum"),
        ({"refunds": [{"amount": "51.01", "reason": "late"}]}, "more was refunded"),
        ({"status": "shipped"}, "carrier, tracking or date is missing"),
        ({"status": "delivered", "carrier": "DPD", "tracking": "1", "shipped": "2026-11-04"}, "contradict"),
        ({"paid": "51.001"}, "pounds and pence"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_customers_that_do_not_add_up_are_refused(shop_data: Path, change: dict[str, Any], problem: str) -> None:
    people = json.loads((shop_data / "customers-1.json").read_text("utf-8"))
    people[0]["orders"][0] |= change
    (shop_data / "customers-1.json").write_text(json.dumps(people), "utf-8")
    with pytest.raises(ValidationError, match=problem):
        read_customers(shop_data)


@pytest.mark.parametrize("text", ["-1.00", "1.005", "NaN", "1e3", "", "£3", "٣٤", "1,000.00", "12345678.00"])
def test_only_amounts_in_pounds_and_pence_are_money(text: str) -> None:
    with pytest.raises(ValueError, match="pounds and pence"):
        pence(text)


def test_money_is_written_in_full() -> None:
    assert (pence("34"), pence("0.5"), pence("0.05")) == (3400, 50, 5)
    assert (pounds(3400), pounds(5), price(105)) == ("34.00", "0.05", "£1.05")


async def test_readers_wait_for_a_change_and_never_see_half_of_it(shop: Shop) -> None:
    started = asyncio.Event()

    async def cancel_all() -> None:
        async with shop.changing() as db:
            await db.execute("UPDATE orders SET status = 'cancelled' WHERE customer_id = 'C1'")
            started.set()
            await asyncio.sleep(0.02)
            await db.execute("UPDATE orders SET status = 'cancelled' WHERE customer_id = 'C2'")

    async def count() -> int:
        await started.wait()
        return int(await value(shop, "SELECT count(*) FROM orders WHERE status = 'cancelled'"))

    found = await asyncio.gather(cancel_all(), *(count() for _ in range(4)))
    assert found[1:] == [7, 7, 7, 7]
