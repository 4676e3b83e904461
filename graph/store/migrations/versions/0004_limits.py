"""Who asked, on each review, and indexes under which what waits of one requester or thread is counted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and the indexes; what waits keeps its place in the queue."""
    op.add_column("reviews", sa.Column("requester", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE reviews SET requester = (SELECT requester FROM actions WHERE actions.id = reviews.action)")
    _partial("reviews_requester", "reviews", ["tenant", "requester"], "status = 'pending'")
    _partial("inbound_waiting", "inbound", ["thread"], "status = 'waiting'")


def _partial(name: str, table: str, columns: list[Any], which: str) -> None:
    where = sa.text(which)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
