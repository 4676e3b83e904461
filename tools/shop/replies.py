"""The words of the shop's standard replies, filled with facts from the tables; it sends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal, get_args

from .money import price
from .records import Customer, Order

Topic = Literal["order_status", "invoice", "returns_terms", "delivery_terms", "contact", "ask_details"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
ABOUT_AN_ORDER: tuple[Topic, ...] = ("order_status", "invoice")
"""The topics that need an order; the others are the same for everybody."""

_DELIVERY = "Delivery usually takes 3 to 5 working days from the day an order leaves us."

_TERMS: dict[Topic, str] = {
    "returns_terms": (
        "You can send back anything unused within 30 days of delivery, and you do not need a reason; plants and orders of"
        " businesses are no exception. Tell us the order number and what you would like to return, and we send you the"
        " return address and a form for the parcel. Return postage is yours to pay, unless we sent the wrong thing or it"
        " arrived damaged: then we pay it. The money goes back to the card you paid with within 5 working days after the"
        " parcel has reached us.\n\n"
        "An order that has already been shipped can no longer be cancelled. Please send it back once it has arrived,"
        " in the same way."
    ),
    "delivery_terms": (
        "We deliver from Monday to Saturday to every address in the United Kingdom, the Isle of Man and the Channel"
        " Islands, with Royal Mail, Parcelforce, DPD or Evri. We do not deliver to other countries at present. The fee"
        " depends on the weight and size of each order, not on its value or on where you live; you see it in the basket"
        f" before you pay. {_DELIVERY} To have a parcel by Christmas, please order by 15 December."
    ),
    "contact": (
        "You reach us by telephone on 0117 496 0142, Monday to Friday from 9 am to 5 pm and Saturday from 10 am to 2"
        " pm, and at any time by e-mail at help@larkspurandfinch.example. We sell online only, so there is no shop"
        " to visit."
    ),
    "ask_details": (
        "We would like to help, but from your message we cannot tell which order it is about or what has happened."
        " Please write us the order number, or the name of the item, and what we can do for you. A photo helps if"
        " something is damaged."
    ),
}
_SUBJECTS: dict[Topic, str] = {
    "returns_terms": "Returns at Larkspur & Finch",
    "delivery_terms": "Delivery from Larkspur & Finch",
    "contact": "How to reach Larkspur & Finch",
    "ask_details": "Your message to Larkspur & Finch",
}


def day(when: date) -> str:
    """Return a date as people read it, such as "2 November 2026"."""
    return f"{when.day} {when:%B} {when.year}"


def names(order: Order) -> str:
    """Return what is in an order in a few words, such as "4 x Stoneware mug, Tea towel pair"."""
    return ", ".join(f"{item.quantity} x {item.name}" if item.quantity > 1 else item.name for item in order.items)


def subject(topic: Topic, order: Order | None) -> str:
    """Return the subject line of a reply."""
    if order is not None and topic in ABOUT_AN_ORDER:
        return f"Invoice for order {order.id}" if topic == "invoice" else f"Your order {order.id}"
    return _SUBJECTS.get(topic, "Your message to Larkspur & Finch")


def standard_reply(topic: Topic, customer: Customer, order: Order | None = None) -> str:
    """Return the whole text of the standard reply; raises ValueError if the topic needs an order and none is given."""
    if topic not in ABOUT_AN_ORDER:
        body = _TERMS[topic]
    elif order is None:
        raise ValueError(f"a reply about {topic} needs an order")
    else:
        body = _invoice(order, customer) if topic == "invoice" else _status(order)
    return f"Hello {customer.name},\n\n{body}\n\nKind regards,\nLarkspur & Finch"


def _status(order: Order) -> str:
    received = f"Your order {order.id} ({names(order)}) reached us on {day(order.placed)}"
    if order.shipment is not None:
        by = order.shipment
        return (
            f"{received} and left us on {day(by.shipped)} with {by.carrier}, tracking number {by.tracking}. It is on"
            f" its way to {order.ship_to}. {_DELIVERY} If it takes longer than that, please tell us and we ask"
            f" {by.carrier} where it is."
        )
    state = "is packed and waits for the carrier" if order.status == "packed" else "is waiting to be packed"
    return (
        f"{received} and {state}. It will go to {order.ship_to}. We e-mail you the tracking number as soon as it has"
        f" left us. {_DELIVERY} Until it leaves us, we can still change the address or cancel it for you."
    )


def _invoice(order: Order, customer: Customer) -> str:
    lines = [f"{item.quantity} x {item.name} at {price(item.price)}: {price(item.total)}" for item in order.items]
    return "\n".join(
        [
            f"Here is your invoice for order {order.id} of {day(order.placed)}.",
            "",
            *lines,
            f"Delivery: {price(order.shipping_fee)}",
            f"Total paid: {price(order.paid)}",
            *_refunded(order),
            "",
            f"Customer: {customer.name}",
            f"Delivery address: {order.ship_to}",
            "All prices are in pounds and include VAT.",
        ]
    )


def _refunded(order: Order) -> Iterable[str]:
    if order.refunded:
        yield f"Refunded since: {price(order.refunded)}"
    if order.status == "cancelled":
        yield "This order was cancelled."
