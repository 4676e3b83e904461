"""Reads the shop's customers from JSON and adds the missing ones to the tables; it changes none that is there."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal, Self

import aiosqlite
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from . import data as packaged
from .money import pence

Pence = Annotated[int, BeforeValidator(pence)]
Status = Literal["placed", "packed", "shipped", "delivered", "cancelled"]
Reason = Literal["damaged", "missing_item", "wrong_item", "late"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedAddress(_Part):
    """An address on file; `text` is the whole address on one line."""

    label: str
    text: str


class SeedItem(_Part):
    """One line of an order; `price` is for one piece, in pence."""

    sku: str
    name: str
    price: Pence
    quantity: int = Field(gt=0)


class SeedRefund(_Part):
    """A refund made before the file was written."""

    amount: Pence
    reason: Reason | Literal["cancelled"]


class SeedOrder(_Part):
    """An order with its lines, shipment and earlier refunds; refused if the sums or the shipment do not fit."""

    id: str
    placed: date
    status: Status
    ship_to: str
    items: tuple[SeedItem, ...] = Field(min_length=1)
    shipping_fee: Pence
    paid: Pence
    carrier: str | None
    tracking: str | None
    shipped: date | None
    delivered: date | None
    refunds: tuple[SeedRefund, ...]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.paid != sum(item.price * item.quantity for item in self.items) + self.shipping_fee:
            raise ValueError(f"order {self.id}: paid is not the sum of its lines and the shipping fee")
        if sum(refund.amount for refund in self.refunds) > self.paid:
            raise ValueError(f"order {self.id}: more was refunded than paid")
        if self.status in ("shipped", "delivered") and not (self.carrier and self.tracking and self.shipped):
            raise ValueError(f"order {self.id}: {self.status}, but carrier, tracking or date is missing")
        if (self.status == "delivered") != (self.delivered is not None):
            raise ValueError(f"order {self.id}: the status and the delivery date contradict each other")
        return self


class SeedCustomer(_Part):
    """A customer as the JSON files describe one."""

    id: str
    name: str
    email: str
    addresses: tuple[SeedAddress, ...] = Field(min_length=1)
    orders: tuple[SeedOrder, ...]


_CUSTOMERS = TypeAdapter(tuple[SeedCustomer, ...])


def read_customers(folder: Path | None = None) -> tuple[SeedCustomer, ...]:
    """Return the customers of all customers-*.json in `folder` (default: the packaged ones), in file order.

    Raises pydantic.ValidationError for a file that does not describe customers.
    """
    place: Traversable = files(packaged) if folder is None else folder
    names = sorted(entry.name for entry in place.iterdir() if entry.name.startswith("customers-"))
    found: list[SeedCustomer] = []
    for name in names:
        if name.endswith(".json"):
            found.extend(_CUSTOMERS.validate_json(place.joinpath(name).read_bytes()))
    return tuple(found)


async def seed(db: aiosqlite.Connection, customers: tuple[SeedCustomer, ...]) -> int:
    """Insert the customers that are not there yet, within the caller's transaction; returns how many."""
    added = 0
    for customer in customers:
        cursor = await db.execute(
            "INSERT OR IGNORE INTO customers (id, name, email) VALUES (?, ?, ?)",
            (customer.id, customer.name, customer.email),
        )
        if cursor.rowcount == 1:
            await _seed_belongings(db, customer)
            added += 1
    return added


async def _seed_belongings(db: aiosqlite.Connection, customer: SeedCustomer) -> None:
    await db.executemany(
        "INSERT INTO addresses (customer_id, label, text) VALUES (?, ?, ?)",
        [(customer.id, address.label, address.text) for address in customer.addresses],
    )
    for order in customer.orders:
        await db.execute(
            "INSERT INTO orders (id, customer_id, placed, status, ship_to, shipping_fee, paid)"
            " VALUES (:id, :customer, :placed, :status, :ship_to, :shipping_fee, :paid)",
            order.model_dump(mode="json") | {"customer": customer.id},
        )
        await db.executemany(
            "INSERT INTO items (order_id, position, sku, name, price, quantity) VALUES (?, ?, ?, ?, ?, ?)",
            [(order.id, at, item.sku, item.name, item.price, item.quantity) for at, item in enumerate(order.items)],
        )
        if order.shipped is not None:
            delivered = order.delivered.isoformat() if order.delivered else None
            await db.execute(
                "INSERT INTO shipments (order_id, carrier, tracking, shipped, delivered) VALUES (?, ?, ?, ?, ?)",
                (order.id, order.carrier, order.tracking, order.shipped.isoformat(), delivered),
            )
        await db.executemany(
            "INSERT INTO refunds (order_id, amount, reason) VALUES (?, ?, ?)",
            [(order.id, refund.amount, refund.reason) for refund in order.refunds],
        )
