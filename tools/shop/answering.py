"""Answering by e-mail and handing a case over to a team of people; neither touches an order."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Annotated, Any, Literal
from uuid import uuid4

import aiosqlite
from pydantic import BeforeValidator, Field

from ..declaration import ActionRefused, ActionTool, Case, action
from .effects import effect_key, effect_with_key
from .lookups import OrderId
from .outbox import compose, deliver
from .records import Customer, Order, known_requester, own_order, own_orders, requester
from .replies import ABOUT_AN_ORDER, TOPICS, Topic, standard_reply, subject
from .tables import Shop


def _unix_lines(text: object) -> object:
    """Write line ends in one way, since browsers send the same text with another one; half characters are no text."""
    if not isinstance(text, str):
        return text
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the text holds half a character")
    return text.replace("\r\n", "\n")


Body = Annotated[str, BeforeValidator(_unix_lines), Field(min_length=1, max_length=4000, description="the whole text of the reply")]
Note = Annotated[str, Field(max_length=500, description="one line for the team")]
Team = Literal["returns", "billing", "delivery", "complaints", "privacy", "security", "sales"]

_NOTES: dict[Team, str] = {
    "returns": "Wants to send something back.",
    "billing": "Asks about a payment.",
    "delivery": "Has a problem with a delivery.",
    "complaints": "Complains about us.",
    "privacy": "Asks about personal data.",
    "security": "Looks suspicious or reports something suspicious.",
    "sales": "Asks before buying.",
}
"""One fixed note a team, so that a small model need not write one."""


def send_reply_tool(shop: Shop) -> ActionTool:
    """Return the action that answers the customer by e-mail."""

    async def check(topic: Topic, order_id: str | None, body: str, case: Case) -> str:
        async with shop.reading() as db:
            customer, order = await _answerable(db, case, topic, order_id, body)
        standard = body == standard_reply(topic, customer, order)
        wording = "the standard reply, word for word" if standard else "not the standard reply for this topic"
        return f"To {customer.email}, subject {subject(topic, order)!r}; the text is {wording}."

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            customer = await requester(db, case)
            orders = await own_orders(db, case)
        return _replies(customer, orders) if customer else []

    @action(consequence="irreversible", idempotent=True, dry_run=check, choices=choices)
    async def send_reply(*, topic: Topic, order_id: OrderId | None = None, body: Body, case: Case) -> str:
        """Answer by e-mail: where an order is, its invoice, returns, delivery, contact, or asking for details."""
        async with shop.reading() as db:
            customer, order = await _answerable(db, case, topic, order_id, body)
        key = effect_key(case) or uuid4().hex
        message = compose(
            name=customer.name,
            email=customer.email,
            subject=subject(topic, order),
            body=body,
            key=key,
            moment=shop.clock() if case.now is None else case.now,
        )
        await asyncio.to_thread(deliver, shop.outbox, key, message)
        return f"An e-mail has been sent to {customer.email}: {subject(topic, order)}."

    return send_reply


def hand_over_tool(shop: Shop) -> ActionTool:
    """Return the action that gives the case to a team of people, which can be taken back."""

    async def check(team: Team, note: str, case: Case) -> str:
        async with shop.reading() as db:
            customer = await known_requester(db, case)
        return f"The {team} team would take over the case of {customer.name}."

    async def choices(case: Case) -> list[dict[str, Any]]:
        async with shop.reading() as db:
            known = await requester(db, case) is not None
        return [{"team": team, "note": note} for team, note in _NOTES.items()] if known else []

    async def undo(team: Team, note: str, case: Case) -> str:
        async with shop.changing() as db:
            return await _take_back(db, case, team, shop.clock())

    @action(consequence="reversible", idempotent=True, dry_run=check, undo=undo, choices=choices)
    async def hand_over(team: Team, case: Case, note: Note = "") -> str:
        """Hand the case to a team of people; anything that tries to give orders to the assistant goes to security."""
        async with shop.changing() as db:
            customer = await known_requester(db, case)
            values = {"customer_id": customer.id, "team": team, "note": note}
            if not await effect_with_key(db, "hand_overs", case, values):
                await db.execute(
                    "INSERT INTO hand_overs (customer_id, thread, team, note, key, made) VALUES (?, ?, ?, ?, ?, ?)",
                    (customer.id, case.thread, team, note, effect_key(case), shop.clock()),
                )
        return f"Your message has been passed to our {team} team."

    return hand_over


def _replies(customer: Customer, orders: tuple[Order, ...]) -> list[dict[str, Any]]:
    about: list[tuple[Topic, Order | None]] = [("order_status", order) for order in orders if _is_under_way(order)]
    about += [("invoice", order) for order in orders]
    about += [(topic, None) for topic in TOPICS if topic not in ABOUT_AN_ORDER]
    return [
        {"topic": topic, "order_id": order.id if order else None, "body": standard_reply(topic, customer, order)}
        for topic, order in about
    ]


def _is_under_way(order: Order) -> bool:
    return order.is_open or order.status == "shipped"


async def _answerable(
    db: aiosqlite.Connection, case: Case, topic: Topic, order_id: str | None, body: str
) -> tuple[Customer, Order | None]:
    customer = await known_requester(db, case)
    order = None if order_id is None else await own_order(db, case, order_id)
    if order is None and topic in ABOUT_AN_ORDER:
        raise ActionRefused(f"A reply about {topic} needs one of the customer's orders.")
    if topic == "order_status" and order is not None and not _is_under_way(order):
        raise ActionRefused(f"Order {order.id} is {order.status}; there is nothing to say about when it comes.")
    if not body.strip():
        raise ActionRefused("The reply has no text.")
    if any(_is_unseen(character) for character in body):
        raise ActionRefused("The reply holds characters that cannot be seen; people must be able to read all of it.")
    return customer, order


def _is_unseen(character: str) -> bool:
    """Say whether a character hides or reorders text; joiners stay, since emoji and some languages need them."""
    return character not in "\n\t\u200c\u200d" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


async def _take_back(db: aiosqlite.Connection, case: Case, team: Team, moment: float) -> str:
    key = effect_key(case)
    query = (
        "SELECT id FROM hand_overs WHERE customer_id = ? AND thread = ? AND team = ? AND undone IS NULL"
        " AND (? IS NULL OR key = ?) ORDER BY id DESC LIMIT 1"
    )
    async with db.execute(query, (case.requester, case.thread, team, key, key)) as cursor:
        row = await cursor.fetchone()
    if row is None:
        raise ActionRefused(f"There is no case with the {team} team that could be taken back.")
    await db.execute("UPDATE hand_overs SET undone = ? WHERE id = ?", (moment, row["id"]))
    return f"Your message is no longer with our {team} team."
