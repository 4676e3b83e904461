"""The rows; they hold what happened and decide nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Moment(sa.TypeDecorator[datetime]):
    """A moment in UTC, stored as ISO 8601 text with microseconds so that both databases order it alike."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """Refuse naive datetimes; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        """Return the moment in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class PlainJson(sa.TypeDecorator[Any]):
    """Plain JSON as text: numbers and strings come back exactly as they went in, which JSONB does not promise."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Serialise; NaN and unknown types are refused."""
        return None if value is None else json.dumps(value, allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Parse."""
        return None if value is None else json.loads(value)


def _moment(**kwargs: Any) -> Any:
    return Field(sa_type=Moment, **kwargs)


def _json(**kwargs: Any) -> Any:
    return Field(sa_type=PlainJson, **kwargs)


class UserRow(SQLModel, table=True):
    """Somebody who may look or decide."""

    __tablename__ = "users"
    name: str = Field(primary_key=True)
    tenant: str
    role: str
    password_hash: str | None = None
    active: bool = True
    created_at: datetime = _moment()


class TokenRow(SQLModel, table=True):
    """A sign-in link (`sign_in`) or a session (`session`); only the SHA-256 of the secret is kept."""

    __tablename__ = "tokens"
    hash: str = Field(primary_key=True)
    kind: str
    user: str = Field(foreign_key="users.name")
    created_at: datetime = _moment()
    expires_at: datetime = _moment()
    ended_at: datetime | None = _moment(default=None)


class ThreadRow(SQLModel, table=True):
    """One conversation: who asks, which agent answers, who holds the lease."""

    __tablename__ = "threads"
    id: str = Field(primary_key=True)
    tenant: str
    agent: str
    requester: str
    status: str = "open"
    """`open`, `stalled` (the agent cannot go on; `problem` says why) or `cancelled`."""
    problem: str | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = _moment(default=None)
    created_at: datetime = _moment()


class InboundRow(SQLModel, table=True):
    """A requester's message, accepted; delivered to the graph when nothing of its thread waits."""

    __tablename__ = "inbound"
    id: str = Field(primary_key=True)
    thread: str = Field(foreign_key="threads.id", index=True)
    text: str = Field(sa_type=sa.Text)
    messages: list[dict[str, Any]] = _json()
    """The LangChain messages as they came in."""
    status: str = "waiting"
    """`waiting`, `delivered` or `cancelled`."""
    created_at: datetime = _moment()


class ActionRow(SQLModel, table=True):
    """A proposed action with the machine's verdict; written once, never recomputed."""

    __tablename__ = "actions"
    id: str = Field(primary_key=True)
    tenant: str
    thread: str = Field(foreign_key="threads.id", index=True)
    agent: str
    requester: str
    tool: str
    tool_digest: str
    args: dict[str, Any] = _json()
    digest: str
    consequence: str
    title: str
    verdict: str
    """`allow`, `review` or `refuse`."""
    reasons: list[dict[str, Any]] = _json()
    readings: list[dict[str, Any]] = _json()
    confidence: float | None = None
    threshold: float | None = None
    evidence: list[dict[str, Any]] = _json()
    conversation: list[dict[str, Any]] = _json()
    precedents: list[dict[str, Any]] = _json()
    choices: list[dict[str, Any]] | None = _json(default=None)
    args_schema: dict[str, Any] = _json()
    description: str = Field(default="", sa_type=sa.Text)
    provenance: dict[str, Any] = _json()
    """Which model, prompt and policy (digests) proposed and ruled."""
    created_at: datetime = _moment()


class ReviewRow(SQLModel, table=True):
    """An action that waits for a person; its status changes by compare-and-set only."""

    __tablename__ = "reviews"
    number: int | None = Field(default=None, primary_key=True)
    """What people call it: RQ-12."""
    id: str = Field(unique=True)
    tenant: str
    action: str = Field(foreign_key="actions.id", unique=True)
    thread: str
    tool: str
    status: str = "pending"
    version: int = 1
    priority: float = 0.0
    created_at: datetime = _moment()
    decided_at: datetime | None = _moment(default=None)
    __table_args__ = (
        sa.Index(
            "reviews_pending",
            "tenant",
            sa.desc("priority"),
            "number",
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        ),
        sa.Index("reviews_thread", "thread", "status"),
    )


class DecisionRow(SQLModel, table=True):
    """A person's answer; `withdrawn` takes the previous one back. Rows are added, never changed."""

    __tablename__ = "decisions"
    sequence: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    tenant: str
    review: str = Field(foreign_key="reviews.id", index=True)
    action: str
    version: int
    """The review's version that was decided."""
    type: str
    actor: str
    role: str
    shown_digest: str
    digest: str
    """The digest of what may run: of the edited action for an edit, else of the shown one."""
    args: dict[str, Any] | None = _json(default=None)
    reason: str = ""
    message: str = Field(default="", sa_type=sa.Text)
    seen_ms: int | None = None
    key: str | None = None
    effective_at: datetime = _moment()
    created_at: datetime = _moment()
    __table_args__ = (sa.UniqueConstraint("tenant", "actor", "key", name="decisions_key"),)


class ExecutionRow(SQLModel, table=True):
    """The one attempt to run an action, claimed by primary key before the tool is called."""

    __tablename__ = "executions"
    action: str = Field(primary_key=True, foreign_key="actions.id")
    tenant: str
    thread: str
    tool: str
    status: str = "claimed"
    """`claimed`, `succeeded`, `failed`, `unknown` or `undone`."""
    claimed_by: str
    """The lease under which the claim was made: a fence for the result."""
    claimed_at: datetime = _moment()
    finished_at: datetime | None = _moment(default=None)
    result: str | None = Field(default=None, sa_type=sa.Text)
    settled_by: str | None = None
    note: str = ""
    __table_args__ = (sa.Index("executions_status", "tenant", "status"),)


class WakeRow(SQLModel, table=True):
    """A thread that has to be driven on: the outbox, written in the transaction that makes it necessary."""

    __tablename__ = "wakes"
    id: str = Field(primary_key=True)
    thread: str = Field(foreign_key="threads.id")
    cause: str
    due_at: datetime = _moment()
    lease_owner: str | None = None
    lease_until: datetime | None = _moment(default=None)
    attempts: int = 0
    done_at: datetime | None = _moment(default=None)
    __table_args__ = (
        sa.Index(
            "wakes_due",
            "due_at",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )


class ExampleRow(SQLModel, table=True):
    """What a decision teaches; written with the decision, taken out by a person, never deleted."""

    __tablename__ = "examples"
    sequence: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    tenant: str
    decision: str = Field(foreign_key="decisions.id", unique=True)
    action: str
    agent: str
    requester: str
    text: str = Field(sa_type=sa.Text)
    conversation: list[dict[str, Any]] = _json()
    tool: str
    args: dict[str, Any] = _json()
    """The proposed arguments."""
    accepted: dict[str, Any] | None = _json(default=None)
    """The arguments that a person accepted; null when the action was rejected or answered."""
    label: str
    """`approve`, `edit`, `reject` or `respond`."""
    reason: str = ""
    message: str = Field(default="", sa_type=sa.Text)
    offers: list[dict[str, Any]] = _json()
    actor: str
    role: str
    provenance: dict[str, Any] = _json()
    created_at: datetime = _moment()
    retired_at: datetime | None = _moment(default=None)
    retired_by: str | None = None
    retired_reason: str = ""
