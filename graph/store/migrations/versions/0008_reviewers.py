"""The reading time below which a decision was hasty, and an index under which a person's decisions of a day are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column, unknown for decisions so far, and the index."""
    op.add_column("decisions", sa.Column("floor_ms", sa.Integer()))
    op.create_index("decisions_actor", "decisions", ["tenant", "actor", "created_at"])
