"""Paying money back for a delivered order; it never pays more than was paid and not yet refunded."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiosqlite

from ..declaration import ActionRefused, ActionTool, Case, action
from .effects import effect_key, effect_with_key
from .lookups import OrderId
from .money import Money, pence, pounds, price
from .records import Order, own_order, own_orders
from .seeding import Reason
from .tables import Shop


def refund_tool(shop: Shop) -> ActionTool:
    """Return the action that refunds a line, the shipping fee or what is left of a delivered order."""

    async def check(order_id: str, amount: Decimal, reason: str, case: Case) -> str:
        async with shop.reading() as db:
            order = await _refundable(db, case, order_id, pence(amount))
        return _evidence(order, pence(amount))

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            orders = await own_orders(db, case)
        return [choice for order in orders for choice in _choices(order)]

    @action(consequence="costly", idempotent=True, dry_run=check, choices=choices)
    async def refund(order_id: OrderId, amount: Money, reason: Reason, case: Case) -> str:
        """Refund an item of a delivered order that was damaged, missing or wrong, or the fee if it came late."""
        paid_back = pence(amount)
        done = f"{price(paid_back)} for order {order_id} has been refunded."
        async with shop.changing() as db:
            values: dict[str, str | int] = {"order_id": order_id, "amount": paid_back, "reason": reason}
            if await effect_with_key(db, "refunds", case, values):
                return done
            order = await _refundable(db, case, order_id, paid_back)
            await db.execute(
                "INSERT INTO refunds (order_id, amount, reason, key, made) VALUES (?, ?, ?, ?, ?)",
                (order.id, paid_back, reason, effect_key(case), shop.clock()),
            )
        return done

    return refund


def usual_amounts(order: Order) -> dict[int, str]:
    """Return the amounts, in pence, that a refund of this order may have, each with what it stands for."""
    if order.status != "delivered":
        return {}
    return {amount: what for amount, what in _amounts(order) if 0 < amount <= order.refundable}


def _amounts(order: Order) -> Iterator[tuple[int, str]]:
    """Yield from the widest to the narrowest meaning: a later one wins where two amounts are equal."""
    yield order.refundable, "everything that can still be refunded"
    yield order.shipping_fee, "the shipping fee"
    for item in order.items:
        yield item.total, f"{item.quantity} x {item.name}"


def _choices(order: Order) -> Iterator[dict[str, Any]]:
    for amount, what in usual_amounts(order).items():
        # A shipping fee is paid back for one reason only, so nothing is left to choose.
        fixed = {"reason": "late"} if what == "the shipping fee" else {}
        yield {"order_id": order.id, "amount": pounds(amount), **fixed}


async def _refundable(db: aiosqlite.Connection, case: Case, order_id: str, amount: int) -> Order:
    order = await own_order(db, case, order_id)
    if order.status != "delivered":
        raise ActionRefused(f"Order {order.id} is {order.status}; only a delivered order can be refunded.")
    if amount <= 0:
        raise ActionRefused("A refund must be more than £0.00.")
    if amount > order.refundable:
        raise ActionRefused(
            f"{price(amount)} is more than can still be refunded for order {order.id}: {price(order.paid)} was paid"
            f" and {price(order.refunded)} already refunded."
        )
    return order


def _evidence(order: Order, amount: int) -> str:
    meaning = usual_amounts(order).get(amount, "neither a line, nor the shipping fee, nor all that is left")
    return (
        f"Order {order.id} is delivered; {price(order.paid)} was paid, {price(order.refunded)} refunded so far,"
        f" {price(order.refundable)} can still be refunded. {price(amount)} is {meaning}."
    )
