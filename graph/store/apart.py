"""Who is kept from a review because they know its answer: names, one a line, as no name has a line break."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from .models import ReviewRow


def listed(names: Iterable[str]) -> str:
    """Return names as a review keeps them."""
    return "\n".join(sorted({name for name in names if name}))


def is_apart(review: ReviewRow, name: str) -> bool:
    """Tell whether somebody is kept from a review."""
    return bool(name) and name in review.not_for.split("\n")


def not_apart(name: str, not_for: Any = None) -> sa.ColumnElement[bool]:
    """Hold for the reviews that somebody is not kept from; letter by letter, which `LIKE` is not everywhere.

    `not_for`: the column of an alias, if the query has one.
    """
    names = col(ReviewRow.not_for) if not_for is None else not_for
    framed = sa.literal("\n") + names + sa.literal("\n")
    return sa.or_(names == "", sa.func.replace(framed, f"\n{name}\n", "") == framed)
