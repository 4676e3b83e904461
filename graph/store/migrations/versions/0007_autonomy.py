"""Earned autonomy: what classes of actions may do, certificates, levels, and reviews that let nothing run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables, three columns to reviews, and an index; every review so far asks about an action of its own."""
    op.create_table(
        "autonomy",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("agent", sa.String(), primary_key=True),
        sa.Column("tool", sa.String(), primary_key=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("head", sa.Text()),
        sa.Column("threshold", sa.Float()),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("veto", sa.Float()),
        sa.Column("undo", sa.Float()),
        sa.Column("suspended", sa.String(), nullable=False),
        sa.Column("monitor", sa.Text()),
        sa.Column("since", sa.String(length=32), nullable=False),
    )
    _certificates()
    _level_changes()
    _probes()
    op.add_column("reviews", sa.Column("kind", sa.String(), nullable=False, server_default="action"))
    op.add_column("reviews", sa.Column("blind", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("reviews", sa.Column("not_for", sa.String(), nullable=False, server_default=""))
    own = sa.text("verdict <> 'probe'")
    columns = ["tenant", "agent", "tool", "created_at"]
    op.create_index("actions_class", "actions", columns, sqlite_where=own, postgresql_where=own)
    _kept("level_changes", "UPDATE", "a change of level is added, never changed or deleted")
    _kept("level_changes", "DELETE", "a change of level is added, never changed or deleted")
    _kept("certificates", "DELETE", "no certificate is deleted")


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("alpha", sa.Float(), nullable=False),
        sa.Column("delta", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float()),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("bound", sa.Float(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.String(length=32)),
        sa.Column("ended_reason", sa.String(), nullable=False),
    )
    op.create_index("certificates_class", "certificates", ["tenant", "agent", "tool", "created_at"])


def _level_changes() -> None:
    op.create_table(
        "level_changes",
        sa.Column("sequence", sa.Integer(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
    )
    op.create_index("level_changes_class", "level_changes", ["tenant", "agent", "tool", "sequence"])


def _probes() -> None:
    op.create_table(
        "probes",
        sa.Column("review", sa.String(), sa.ForeignKey("reviews.id"), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), sa.ForeignKey("actions.id"), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("expected", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("answered_at", sa.String(length=32)),
        sa.Column("seen_ms", sa.Integer()),
        sa.Column("counted_at", sa.String(length=32)),
        sa.Column("created_at", sa.String(length=32), nullable=False),
    )
    op.create_index("probes_source", "probes", ["source", "kind"], unique=True)
    op.create_index("probes_answered", "probes", ["tenant", "kind", "answered_at"])
    op.create_index("probes_class", "probes", ["tenant", "agent", "tool", "kind", "created_at"])
    where = sa.text("counted_at IS NULL AND answered_at IS NOT NULL")
    op.create_index("probes_uncounted", "probes", ["tenant", "answered_at"], sqlite_where=where, postgresql_where=where)


def _kept(table: str, on: str, said: str) -> None:
    name = f"{table}_kept_on_{on.lower()}"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER {name} BEFORE {on} ON {table} FOR EACH ROW EXECUTE FUNCTION assent_refuse('{said}')")
        return
    op.execute(f"CREATE TRIGGER {name} BEFORE {on} ON {table} FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{said}'); END")
