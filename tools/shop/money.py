"""Money at the shop's door: exact pounds outside, integer pence in the tables; it never touches binary fractions."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError("an amount is written in pounds and pence, such as 34.00")
    text = repr(value) if isinstance(value, float) else str(value)
    if not _AMOUNT.fullmatch(text):
        raise ValueError("an amount is written in pounds and pence, such as 34.00")
    return Decimal(text).quantize(Decimal("0.01"))


Money = Annotated[
    Decimal,
    BeforeValidator(_exact),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,6}\.[0-9]{2}$", "description": "pounds, such as 34.00"}),
]
"""Pounds with exactly two decimals; "34", 34 and "34.0" all become "34.00", anything finer or negative is refused."""


def pence(amount: Decimal | str) -> int:
    """Return an amount in pounds as whole pence; raises ValueError for anything finer than a penny."""
    return int(_exact(amount) * 100)


def pounds(amount: int) -> str:
    """Return whole pence as pounds with two decimals, as arguments and labels spell it: 3400 is "34.00"."""
    return f"{amount // 100}.{amount % 100:02d}"


def price(amount: int) -> str:
    """Return whole pence as people read it: 3400 is "£34.00"."""
    return f"£{pounds(amount)}"
