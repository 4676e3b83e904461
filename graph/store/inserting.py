"""Adding a row that somebody else may be adding at the same moment: the first one stands, and nobody fails."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


def add_or_leave(tx: AsyncSession, table: type[SQLModel]) -> Any:
    """Return an INSERT into `table` that leaves a row alone which is there already."""
    insert = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()
