"""What the shop knows about the requester, read from the tables; it never reads another customer's rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import aiosqlite

from ..declaration import ActionRefused, Case

OPEN: tuple[str, ...] = ("placed", "packed")
"""The states in which an order has not left the shop."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order; `price` is for one piece, in pence."""

    name: str
    price: int
    quantity: int

    @property
    def total(self) -> int:
        """The whole line, in pence."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Shipment:
    """How an order left the shop."""

    carrier: str
    tracking: str
    shipped: date
    delivered: date | None


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the requester, with everything that rules and replies need; money is in pence."""

    id: str
    placed: date
    status: str
    ship_to: str
    shipping_fee: int
    paid: int
    items: tuple[Item, ...]
    shipment: Shipment | None
    refunded: int

    @property
    def refundable(self) -> int:
        """What was paid and not yet refunded, in pence."""
        return self.paid - self.refunded

    @property
    def is_open(self) -> bool:
        """Whether it has not left the shop, so that it can still be changed or cancelled."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class Address:
    """An address on file."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Customer:
    """The requester's own record."""

    id: str
    name: str
    email: str
    addresses: tuple[Address, ...]


async def requester(db: aiosqlite.Connection, case: Case) -> Customer | None:
    """Return the record of the person who asks, or None if the shop does not know them."""
    row = await _one(db, "SELECT id, name, email FROM customers WHERE id = ?", case.requester)
    if row is None:
        return None
    query = "SELECT label, text FROM addresses WHERE customer_id = ? ORDER BY rowid"
    found = await db.execute_fetchall(query, (case.requester,))
    return Customer(row["id"], row["name"], row["email"], tuple(Address(each["label"], each["text"]) for each in found))


async def known_requester(db: aiosqlite.Connection, case: Case) -> Customer:
    """Return the record of the person who asks; raises ActionRefused if the shop does not know them."""
    customer = await requester(db, case)
    if customer is None:
        raise ActionRefused("There is no customer account for this person.")
    return customer


async def own_orders(db: aiosqlite.Connection, case: Case) -> tuple[Order, ...]:
    """Return all orders of the person who asks, oldest first."""
    query = "SELECT * FROM orders WHERE customer_id = ? ORDER BY placed, id"
    return tuple([await _order(db, row) for row in await db.execute_fetchall(query, (case.requester,))])


async def own_order(db: aiosqlite.Connection, case: Case, order_id: str) -> Order:
    """Return one own order; raises ActionRefused, in the same words, if it is unknown or somebody else's."""
    query = "SELECT * FROM orders WHERE id = ? AND customer_id = ?"
    row = await _one(db, query, order_id, case.requester)
    if row is None:
        raise ActionRefused(f"There is no order {order_id} on this customer's account.")
    return await _order(db, row)


async def _order(db: aiosqlite.Connection, row: aiosqlite.Row) -> Order:
    query = "SELECT name, price, quantity FROM items WHERE order_id = ? ORDER BY position"
    lines = await db.execute_fetchall(query, (row["id"],))
    refunded = await _one(db, "SELECT COALESCE(SUM(amount), 0) AS total FROM refunds WHERE order_id = ?", row["id"])
    return Order(
        id=row["id"],
        placed=date.fromisoformat(row["placed"]),
        status=row["status"],
        ship_to=row["ship_to"],
        shipping_fee=row["shipping_fee"],
        paid=row["paid"],
        items=tuple(Item(line["name"], line["price"], line["quantity"]) for line in lines),
        shipment=_shipment(await _one(db, "SELECT * FROM shipments WHERE order_id = ?", row["id"])),
        refunded=refunded["total"] if refunded else 0,
    )


def _shipment(row: aiosqlite.Row | None) -> Shipment | None:
    if row is None:
        return None
    delivered = date.fromisoformat(row["delivered"]) if row["delivered"] else None
    return Shipment(row["carrier"], row["tracking"], date.fromisoformat(row["shipped"]), delivered)


async def _one(db: aiosqlite.Connection, query: str, *values: str) -> aiosqlite.Row | None:
    async with db.execute(query, values) as cursor:
        return await cursor.fetchone()
