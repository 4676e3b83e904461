"""What an answer to a known-answer item counts for: where it differs from what was known, a lead says which of the two is right."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ...graph.store import reviewed
from ...graph.store.session import AsyncSession
from .reviewers import Item, Standing

PATIENCE = timedelta(days=3)
"""A lead has so long to say who is right; after that the known answer stands until they do."""


def standing(expected: str, outcome: str, asked: datetime | None, word: str | None, now: datetime) -> Standing:
    """Return what an answer stands for.

    Args:
        expected: what was known, `correct` or `wrong`.
        outcome: what the reviewer made of it; an answer in the tool's place differs from neither.
        asked: when a lead was asked about it; None if nobody was, or nobody could say.
        word: what the lead made of it; empty or None while they have not answered.
        now: the moment.
    """
    if {expected, outcome} != {"correct", "wrong"}:
        return "agreed"
    if word in ("correct", "wrong"):
        return "retired" if word == outcome else "upheld"
    return "contested" if asked is not None and not word and now - asked < PATIENCE else "unsettled"


def items_of(rows: Iterable[tuple[str, str, str, datetime | None, str | None]], now: datetime) -> list[Item]:
    """Return answered items from who answered, what was known, what they made of it, when a lead was asked, and the lead's word."""
    return [Item(who, known, made, standing(known, made, asked, word, now)) for who, known, made, asked, word in rows]


def seen_catch(catch: float, mistaken: float, *, wrong: float, settled: bool = True) -> float:
    """Return the catch rate that people seem to have, if the known answers come from people like them.

    An item is a past rejection, so it was right as proposed with the chance
    `w = (1 - wrong) mistaken / ((1 - wrong) mistaken + wrong catch)`. Of all items `hit = (1 - w) catch + w mistaken` are not let
    through. Unsettled, that is what is seen. A lead like them retires `gone = (1 - w) (1 - catch)^2 + w (1 - mistaken)^2` of all
    items, and `hit / (1 - gone)` is seen.

    Args:
        catch: the share of wrong actions that people find wrong; above 0.
        mistaken: the share of right actions that they reject by mistake.
        wrong: the share of actions that are wrong; above 0.
        settled: whether a lead settles where an answer differs.
    """
    right, caught = (1 - wrong) * mistaken, wrong * catch
    w = right / (right + caught)
    gone = (1 - w) * (1 - catch) ** 2 + w * (1 - mistaken) ** 2 if settled else 0.0
    return ((1 - w) * catch + w * mistaken) / (1 - gone)


async def known_items(tx: AsyncSession, tenant: str, since: datetime, now: datetime) -> list[Item]:
    """Return the known-answer items of a tenant that were answered since a moment, newest first."""
    rows = await reviewed.known(tx, tenant, since)
    return items_of([(who, known, made, asked, word) for who, known, made, asked, word in rows], now)
