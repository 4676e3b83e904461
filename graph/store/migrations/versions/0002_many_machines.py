"""Quorum, timers, leases on cards, holds, stops, notices, undo, API tokens and the audit chain."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.String(length=32)


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=default)


def _whole(name: str, default: int) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=str(default))


def _moment(name: str) -> sa.Column[str]:
    return sa.Column(name, MOMENT, nullable=True)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=True)


ADDED: dict[str, list[sa.Column[Any]]] = {
    "tokens": [_maybe("id"), _text("label"), sa.Column("scopes", sa.Text(), nullable=True), _moment("used_at")],
    "actions": [sa.Column("secrets", sa.Text(), nullable=False, server_default="[]"), _moment("erased_at")],
    "reviews": [
        _text("digest"),
        sa.Column("args", sa.Text(), nullable=True),
        _whole("quorum", 1),
        _text("role", "operator"),
        sa.Column("second_for_edits", sa.Boolean(), nullable=False, server_default=sa.false()),
        _text("close_reason"),
        _moment("due_at"),
        _moment("warn_at"),
        _moment("warned_at"),
        _moment("escalate_at"),
        _text("escalate_to"),
        _moment("escalated_at"),
        _moment("snoozed_until"),
        _maybe("snoozed_by"),
        _moment("next_at"),
        _maybe("holder"),
        _moment("held_until"),
    ],
    "decisions": [_maybe("withdraws"), _moment("valid_until")],
    "executions": [
        _whole("attempts", 1),
        _moment("undo_until"),
        _text("undo_status"),
        _maybe("undo_by"),
        _moment("undo_at"),
        _maybe("undo_claimed_by"),
        sa.Column("undo_result", sa.Text(), nullable=True),
    ],
}


EDITED = {"decisions": ("review", "sequence", "type", "digest", "args"), "reviews": ("id", "status", "digest", "args")}


def upgrade() -> None:
    """Add the columns and tables; what waits keeps waiting, for one person, without a due time."""
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    op.execute("UPDATE reviews SET digest = (SELECT digest FROM actions WHERE actions.id = reviews.action)")
    # until now a withdrawal meant the newest decision before it
    op.execute(
        "UPDATE decisions SET withdraws = (SELECT other.id FROM decisions AS other WHERE other.review = decisions.review "
        "AND other.sequence < decisions.sequence AND other.type <> 'withdrawn' ORDER BY other.sequence DESC LIMIT 1) "
        "WHERE type = 'withdrawn'"
    )
    # until now an approved edit was found by its decision alone
    decisions, reviews = (sa.table(name, *map(sa.column, columns)) for name, columns in EDITED.items())
    newest = {
        name: sa.select(decisions.c[name])
        .where(decisions.c.review == reviews.c.id)
        .order_by(decisions.c.sequence.desc())
        .limit(1)
        .scalar_subquery()
        for name in ("type", "digest", "args")
    }
    edits = sa.update(reviews).where(reviews.c.status == "approved", newest["type"] == "edit")
    op.execute(edits.values(digest=newest["digest"], args=newest["args"]))
    op.drop_index("reviews_pending", table_name="reviews")
    _pending("reviews_queue", ["tenant", sa.text("priority DESC"), "number"], " AND snoozed_until IS NULL")
    _pending("reviews_sweep", ["next_at"], " AND next_at IS NOT NULL")
    op.create_index("tokens_id", "tokens", ["id"], unique=True)
    op.create_index("ix_tokens_user", "tokens", ["user"])
    op.create_index("executions_thread", "executions", ["thread"])
    _queues()
    _chain()


def _pending(name: str, columns: list[Any], also: str) -> None:
    where = sa.text("status = 'pending'" + also)
    op.create_index(name, "reviews", columns, sqlite_where=where, postgresql_where=where)


def _queues() -> None:
    op.create_table(
        "attempts",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        _moment("locked_until"),
    )
    op.create_table(
        "holds",
        sa.Column("action", sa.String(), sa.ForeignKey("actions.id"), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant", "thread", "tool")),
        sa.Column("until", MOMENT, nullable=False),
        _maybe("vetoed_by"),
        _moment("vetoed_at"),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("holds_until", "holds", ["tenant", "until"])
    op.create_table(
        "stops",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("tenant", "scope", "name", "reason", "by")),
        sa.Column("at", MOMENT, nullable=False),
        _maybe("lifted_by"),
        _moment("lifted_at"),
        sa.Column("lifted_reason", sa.String(), nullable=False),
    )
    op.create_index("stops_tenant", "stops", ["tenant", "lifted_at"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        _maybe("review"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        _moment("sent_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        _maybe("lease_owner"),
        _moment("lease_until"),
    )
    unsent = sa.text("sent_at IS NULL")
    op.create_index("notices_due", "notices", ["due_at"], sqlite_where=unsent, postgresql_where=unsent)
    op.create_table(
        "chores", sa.Column("name", sa.String(), primary_key=True), _maybe("owner"), _moment("until"), _moment("done_at")
    )


def _chain() -> None:
    op.create_table(
        "settings",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "actor", "subject")),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        *(_maybe(name) for name in ("salt", "payload_digest")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("previous", "hash")),
    )
    op.create_index("events_subject", "events", ["tenant", "subject"])
    op.create_table(
        "heads",
        sa.Column("tenant", sa.String(), primary_key=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
    )
