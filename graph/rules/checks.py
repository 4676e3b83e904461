"""Ready-made checks: factories that return a check with its parameters frozen inside; only `always` can allow."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from .hidden import hidden_in
from .policy import Check, Facts, Kind, Ruling
from .terms import DEFAULT, Terms

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_SHOWN = 3


def always(kind: Kind, reason: str, terms: Terms = DEFAULT) -> Check:
    """Make a check that rules the same on every action; bind it to the tools it is meant for."""
    ruling = Ruling(kind, reason, "always", terms)

    def check(facts: Facts) -> Ruling:
        return ruling

    return check


def max_amount(field: str, limit: Decimal | int | str, terms: Terms = DEFAULT) -> Check:
    """Review an action, under `terms`, whose argument `field` is above `limit`, below zero, missing or no plain number.

    Arithmetic is exact. Raises ValueError for a limit that is not a finite decimal number.
    """
    try:
        ceiling = Decimal(limit)
    except InvalidOperation:
        ceiling = Decimal("NaN")
    if not ceiling.is_finite():
        raise ValueError(f"the limit {limit!r} is not a decimal number")

    def check(facts: Facts) -> Ruling | None:
        amount = _amount(facts.args.get(field))
        if amount is None:
            return Ruling("review", f"{field} is not a plain number: {facts.args.get(field)!r:.60}.", terms=terms)
        if 0 <= amount <= ceiling:
            return None
        return Ruling("review", f"{field} {amount} is {f'above {ceiling}' if amount > ceiling else 'below zero'}.", terms=terms)

    return check


def only_requester(field: str, owner_of: Callable[[Any], Awaitable[str | None] | str | None]) -> Check:
    """Refuse an action on what is not the requester's: `owner_of(args[field])` says whose it is."""

    async def check(facts: Facts) -> Ruling | None:
        owner = owner_of(facts.args.get(field))
        if inspect.isawaitable(owner):
            owner = await owner
        if owner is not None and owner == facts.requester:
            return None
        return Ruling("refuse", f"{field} {facts.args.get(field)!r:.60} does not belong to the requester.")

    return check


def hidden_characters() -> Check:
    """Review an action when an argument or the requester's message holds characters nobody sees."""

    def check(facts: Facts) -> Ruling | None:
        text = {"message": facts.context["text"]} if "text" in facts.context else {}
        places = {"argument": facts.args, **text}
        found = [hidden for place, value in places.items() for hidden in hidden_in(place, value)]
        if not found:
            return None
        shown = "; ".join(f"{one.code_point} in {one.field}" for one in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return Ruling("review", f"There are hidden characters: {shown}{more}.")

    return check


def legal_choice() -> Check:
    """Refuse arguments outside the enumerated legal combinations; review if `context.choices_legal` is not known."""

    def check(facts: Facts) -> Ruling | None:
        match facts.context.get("choices_legal"):
            case True:
                return None
            case False:
                return Ruling("refuse", f"These arguments are not among the legal choices of {facts.tool} in this case.")
        return Ruling("review", "It is not known whether these arguments are among the legal choices.")

    return check


def rate(limit: int) -> Check:
    """Review an action when its thread had `limit` actions or more before it, or `context.earlier` is not known."""

    def check(facts: Facts) -> Ruling | None:
        earlier = facts.context.get("earlier")
        if isinstance(earlier, int) and not isinstance(earlier, bool) and 0 <= earlier < limit:
            return None
        return Ruling(
            "review",
            f"{'Unknown how many' if earlier is None else earlier} actions came before; at most {limit} go by.",
        )

    return check


def _amount(value: Any) -> Decimal | None:
    """Return the exact decimal of a plain number or of text that is one; None for all else, booleans included."""
    text = value if isinstance(value, str) else "" if isinstance(value, bool) else str(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None
