"""Looking up the requester's own record and orders; it changes nothing."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..declaration import ActionTool, Case, action
from .money import price
from .records import Customer, Order, known_requester, own_order, own_orders, requester
from .replies import day
from .tables import Shop

OrderId = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,20}$", description="one of the customer's own orders")]


def look_up_customer_tool(shop: Shop) -> ActionTool:
    """Return the action that tells customers what the shop holds about them."""

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            return [] if await requester(db, case) is None else [{}]

    @action(consequence="read", idempotent=True, choices=choices)
    async def look_up_customer(case: Case) -> str:
        """Tell the customer which name, e-mail address and postal addresses we hold for them."""
        async with shop.reading() as db:
            return _held(await known_requester(db, case))

    return look_up_customer


def look_up_order_tool(shop: Shop) -> ActionTool:
    """Return the action that tells customers what was in an order, what they paid and what was refunded."""

    async def check(order_id: str, case: Case) -> str:
        async with shop.reading() as db:
            order = await own_order(db, case, order_id)
        return f"Order {order.id} is on the customer's own account."

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            return [{"order_id": order.id} for order in await own_orders(db, case)]

    @action(consequence="read", idempotent=True, dry_run=check, choices=choices)
    async def look_up_order(order_id: OrderId, case: Case) -> str:
        """Tell the customer what was in one of their orders, what they paid, and whether a refund is recorded."""
        async with shop.reading() as db:
            return _summary(await own_order(db, case, order_id))

    return look_up_order


def _held(customer: Customer) -> str:
    addresses = "; ".join(f"{address.label}: {address.text}" for address in customer.addresses)
    return f"We hold the name {customer.name}, the e-mail address {customer.email} and these addresses: {addresses}."


def _summary(order: Order) -> str:
    lines = ", ".join(f"{item.quantity} x {item.name} at {price(item.price)}" for item in order.items)
    refunded = f"{price(order.refunded)} has been refunded" if order.refunded else "no refund is recorded"
    return (
        f"Order {order.id} of {day(order.placed)} is {order.status}: {lines}, delivery {price(order.shipping_fee)};"
        f" you paid {price(order.paid)}, {refunded}."
    )
