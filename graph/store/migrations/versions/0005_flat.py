"""Indexes under which what the desk and its workers ask all the time costs the same however long queue and history are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the indexes."""
    op.drop_index("reviews_sweep", table_name="reviews")
    _partial("reviews_sweep", "reviews", ["tenant", "next_at"], "status = 'pending' AND next_at IS NOT NULL")
    _partial("executions_unknown", "executions", ["tenant", "claimed_at"], "status = 'unknown'")
    _partial("wakes_thread", "wakes", ["thread"], "done_at IS NULL")
    op.create_index("reviews_newest", "reviews", ["tenant", "number"])
    _partial("actions_unreviewed", "actions", ["tenant", sa.text("created_at DESC")], "verdict <> 'review'")
    _partial("threads_stalled", "threads", ["tenant"], "status = 'stalled'")
    op.create_index("decisions_newest", "decisions", ["tenant", "sequence"])


def _partial(name: str, table: str, columns: list[Any], which: str) -> None:
    where = sa.text(which)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
