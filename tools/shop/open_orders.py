"""Changing what has not left the shop: an order's address, or the order itself; it never touches a shipped one."""

from __future__ import annotations

from typing import Annotated, Any

import aiosqlite
from pydantic import Field

from ..declaration import ActionRefused, ActionTool, Case, action
from .addresses import LONGEST, addresses_in, is_address
from .effects import effect_key, effect_with_key
from .lookups import OrderId
from .money import price
from .records import Customer, Order, known_requester, own_order, own_orders, requester
from .replies import names
from .tables import Shop

AddressText = Annotated[
    str, Field(min_length=1, max_length=LONGEST, description="an address on file, or number street, Town POSTCODE")
]


def change_address_tool(shop: Shop) -> ActionTool:
    """Return the action that sends an order elsewhere, which can be taken back until the order leaves the shop."""

    async def check(order_id: str, address: str, case: Case) -> str:
        async with shop.reading() as db:
            order = await _changeable(db, case, order_id, address)
            origin = _origin(await known_requester(db, case), address, case.text)
        return f"Order {order.id} is {order.status} and would go to {order.ship_to}; the new address is {origin}."

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            customer = await requester(db, case)
            orders = await own_orders(db, case)
        on_file = [address.text for address in customer.addresses] if customer else []
        known = dict.fromkeys([*on_file, *addresses_in(case.text)])
        pairs = ((order, address) for order in orders if order.is_open for address in known if address != order.ship_to)
        return [{"order_id": order.id, "address": address} for order, address in pairs]

    async def undo(order_id: str, address: str, case: Case) -> str:
        async with shop.changing() as db:
            return await _put_back(db, case, order_id, address, shop.clock())

    @action(consequence="reversible", idempotent=True, dry_run=check, undo=undo, choices=choices)
    async def change_address(order_id: OrderId, address: AddressText, case: Case) -> str:
        """Send an order that is placed or packed to another address: one on file, or one the customer wrote."""
        done = f"Order {order_id} now goes to {address}."
        async with shop.changing() as db:
            if await effect_with_key(db, "address_changes", case, {"order_id": order_id, "address": address}):
                return done
            order = await _changeable(db, case, order_id, address)
            await db.execute("UPDATE orders SET ship_to = ? WHERE id = ?", (address, order.id))
            await db.execute(
                "INSERT INTO address_changes (order_id, previous, address, key, made) VALUES (?, ?, ?, ?, ?)",
                (order.id, order.ship_to, address, effect_key(case), shop.clock()),
            )
        return done

    return change_address


def cancel_order_tool(shop: Shop) -> ActionTool:
    """Return the action that cancels an order that has not left the shop."""

    async def check(order_id: str, case: Case) -> str:
        async with shop.reading() as db:
            order = await _open_order(db, case, order_id)
        return f"Order {order.id} ({names(order)}, {price(order.paid)} paid) is {order.status} and can be cancelled."

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            return [{"order_id": order.id} for order in await own_orders(db, case) if order.is_open]

    @action(consequence="irreversible", dry_run=check, choices=choices)
    async def cancel_order(order_id: OrderId, case: Case) -> str:
        """Cancel an order that is placed or packed; one that is shipped can no longer be cancelled."""
        async with shop.changing() as db:
            order = await _open_order(db, case, order_id)
            await db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order.id,))
        return f"Order {order.id} is cancelled and will not be sent."

    return cancel_order


async def _open_order(db: aiosqlite.Connection, case: Case, order_id: str) -> Order:
    order = await own_order(db, case, order_id)
    if not order.is_open:
        raise ActionRefused(f"Order {order.id} is {order.status}; only placed or packed ones can be changed.")
    return order


async def _changeable(db: aiosqlite.Connection, case: Case, order_id: str, address: str) -> Order:
    order = await _open_order(db, case, order_id)
    if address == order.ship_to:
        raise ActionRefused(f"Order {order.id} already goes to {address}.")
    customer = await known_requester(db, case)
    if not is_address(address) and all(address != known.text for known in customer.addresses):
        raise ActionRefused('The address must be one on file, or be written "number street, Town POSTCODE".')
    return order


def _origin(customer: Customer, address: str, text: str) -> str:
    for known in customer.addresses:
        if known.text == address:
            return f"on file as {known.label!r}"
    return "written in the customer's message" if address in text else "neither on file nor in the customer's message"


async def _put_back(db: aiosqlite.Connection, case: Case, order_id: str, address: str, moment: float) -> str:
    order = await own_order(db, case, order_id)
    key = effect_key(case)
    query = (
        "SELECT id, previous FROM address_changes WHERE order_id = ? AND address = ? AND undone IS NULL"
        " AND (? IS NULL OR key = ?) ORDER BY id DESC LIMIT 1"
    )
    async with db.execute(query, (order.id, address, key, key)) as cursor:
        change = await cursor.fetchone()
    if change is None:
        raise ActionRefused(f"There is no change of order {order.id} to {address} that could be taken back.")
    if not order.is_open or order.ship_to != address:
        raise ActionRefused(f"Order {order.id} is {order.status} and goes to {order.ship_to}; it is too late to undo.")
    await db.execute("UPDATE orders SET ship_to = ? WHERE id = ?", (change["previous"], order.id))
    await db.execute("UPDATE address_changes SET undone = ? WHERE id = ?", (moment, change["id"]))
    return f"Order {order.id} goes to {change['previous']} again."
