"""Tells by key whether an effect already happened, so that it happens once; it runs none itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import aiosqlite

from ..declaration import ActionRefused, Case

_QUERIES = {
    "refunds": "SELECT * FROM refunds WHERE key = ?",
    "address_changes": "SELECT * FROM address_changes WHERE key = ?",
    "hand_overs": "SELECT * FROM hand_overs WHERE key = ?",
}


def effect_key(case: Case) -> str | None:
    """Return what all attempts at one action share; None outside an action, where nothing can be recognised again."""
    return case.idempotency_key or case.action_id


async def effect_with_key(
    db: aiosqlite.Connection,
    table: Literal["refunds", "address_changes", "hand_overs"],
    case: Case,
    values: Mapping[str, str | int],
) -> bool:
    """Say whether this action's effect is already in `table`.

    Raises ActionRefused if it is there with other values, or was taken back since: then it must not be repeated.
    """
    async with db.execute(_QUERIES[table], (effect_key(case),)) as cursor:
        row = await cursor.fetchone()
    if row is None:
        return False
    if any(row[name] != value for name, value in values.items()):
        raise ActionRefused("This action was already carried out with other values.")
    if "undone" in row.keys() and row["undone"] is not None:  # noqa: SIM118 - a Row is not a mapping
        raise ActionRefused("This action was carried out and taken back.")
    return True
