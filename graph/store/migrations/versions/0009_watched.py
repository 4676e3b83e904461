"""Until when a class of actions is watched, and an index under which the audits that nobody has answered are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add column and index; nothing of a class that was signed before passes until the learner has looked at it once."""
    op.add_column("autonomy", sa.Column("watched_until", sa.String(length=32)))
    where = sa.text("kind = 'audit' AND answered_at IS NULL")
    op.create_index("probes_unanswered", "probes", ["tenant", "created_at"], sqlite_where=where, postgresql_where=where)
