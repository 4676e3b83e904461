"""The threads that a stop keeps back, and indexes under which what can be undone, and what became of executions, is found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table and the indexes."""
    op.create_table(
        "paused",
        sa.Column("stop", sa.String(), sa.ForeignKey("stops.id"), primary_key=True),
        sa.Column("thread", sa.String(), sa.ForeignKey("threads.id"), primary_key=True),
        sa.Column("at", sa.String(length=32), nullable=False),
    )
    where = sa.text("undo_until IS NOT NULL")
    op.create_index("executions_undo", "executions", ["tenant", "undo_until"], sqlite_where=where, postgresql_where=where)
    op.drop_index("executions_status", table_name="executions")
    op.create_index("executions_status", "executions", ["tenant", "status", "claimed_at"])
    where = sa.text("undo_status IN ('unknown', 'failed')")
    op.create_index("executions_undo_open", "executions", ["tenant"], sqlite_where=where, postgresql_where=where)
