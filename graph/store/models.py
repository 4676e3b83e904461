"""The rows; they hold what happened and decide nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from .columns import moment, plain_json


def _partial(name: str, *columns: Any, where: str) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _pending(name: str, *columns: Any, also: str = "") -> sa.Index:
    """Return an index over what is pending, and nothing else: its size is the queue's, not the history's."""
    return _partial(name, *columns, where="status = 'pending'" + also)


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
    lease_until: datetime | None = moment(default=None)
    created_at: datetime = moment()
    __table_args__ = (_partial("threads_stalled", "tenant", where="status = 'stalled'"),)


class InboundRow(SQLModel, table=True):
    """A requester's message, accepted; delivered to the graph when nothing of its thread waits."""

    __tablename__ = "inbound"
    id: str = Field(primary_key=True)
    thread: str = Field(foreign_key="threads.id", index=True)
    text: str = Field(sa_type=sa.Text)
    messages: list[dict[str, Any]] = plain_json()
    """The LangChain messages as they came in."""
    status: str = "waiting"
    """`waiting`, `delivered` or `cancelled`; `note` for what the desk itself has to say, told with the requester's next message."""
    created_at: datetime = moment()
    __table_args__ = (_partial("inbound_waiting", "thread", where="status = 'waiting'"),)


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
    args: dict[str, Any] = plain_json()
    digest: str
    consequence: str
    title: str
    verdict: str
    """`allow`, `review` or `refuse`; `probe` for the copy of an action that a probe asks about, which never runs."""
    reasons: list[dict[str, Any]] = plain_json()
    readings: list[dict[str, Any]] = plain_json()
    confidence: float | None = None
    threshold: float | None = None
    evidence: list[dict[str, Any]] = plain_json()
    conversation: list[dict[str, Any]] = plain_json()
    precedents: list[dict[str, Any]] = plain_json()
    choices: list[dict[str, Any]] | None = plain_json(default=None)
    args_schema: dict[str, Any] = plain_json()
    description: str = Field(default="", sa_type=sa.Text)
    provenance: dict[str, Any] = plain_json()
    """Which model, prompt and policy (digests) proposed and ruled."""
    secrets: list[str] = plain_json(default_factory=list)
    """The arguments that the tool declares secret: masked wherever they are shown, hashed as they are."""
    created_at: datetime = moment()
    erased_at: datetime | None = moment(default=None)
    """When arguments and conversation were erased on request; the digests stay."""
    __table_args__ = (
        _partial("actions_unreviewed", "tenant", sa.desc("created_at"), where="verdict <> 'review'"),
        _partial("actions_class", "tenant", "agent", "tool", "created_at", where="verdict <> 'probe'"),
    )


class ReviewRow(SQLModel, table=True):
    """An action that waits for a person; its status changes by compare-and-set only."""

    __tablename__ = "reviews"
    number: int | None = Field(default=None, primary_key=True)
    """What people call it: RQ-12."""
    id: str = Field(unique=True)
    tenant: str
    action: str = Field(foreign_key="actions.id", unique=True)
    thread: str
    requester: str = ""
    tool: str
    kind: str = "action"
    """`action`; or `probe`, whose answer lets nothing run."""
    blind: bool = False
    """Whether the card leaves out what the machine made of it."""
    not_for: str = ""
    """Reviewers who are not given it, one a line: they know the answer."""
    status: str = "pending"
    version: int = 1
    """Counts up whenever what is asked changes: after an edit that needs somebody else, and when it is pending again."""
    priority: float = 0.0
    digest: str = ""
    """The digest of what is asked about now: the proposed action, or an edit of it that waits for a second person."""
    args: dict[str, Any] | None = plain_json(default=None)
    """The edited arguments that are asked about now; null for the proposed ones."""
    quorum: int = 1
    """How many distinct people have to approve the same digest."""
    role: str = "operator"
    """The role that a decision needs."""
    second_for_edits: bool = False
    """Whether an edit needs a second person besides its author."""
    close_reason: str = ""
    """Why it was closed without a decision: expired, superseded or cancelled, in words."""
    due_at: datetime | None = moment(default=None)
    """From here on nobody can decide it, and it expires; what was approved in time may still run."""
    warn_at: datetime | None = moment(default=None)
    warned_at: datetime | None = moment(default=None)
    escalate_at: datetime | None = moment(default=None)
    escalate_to: str = ""
    """`role:lead` or `user:ada`."""
    escalated_at: datetime | None = moment(default=None)
    snoozed_until: datetime | None = moment(default=None)
    snoozed_by: str | None = None
    next_at: datetime | None = moment(default=None)
    """The earliest moment at which a sweep has something to do here: waking from a snooze, warning, escalation, expiry."""
    holder: str | None = None
    """Who works on the card."""
    held_until: datetime | None = moment(default=None)
    created_at: datetime = moment()
    decided_at: datetime | None = moment(default=None)
    __table_args__ = (
        _pending("reviews_queue", "tenant", sa.desc("priority"), "number", also=" AND snoozed_until IS NULL"),
        _pending("reviews_sweep", "tenant", "next_at", also=" AND next_at IS NOT NULL"),
        _pending("reviews_requester", "tenant", "requester"),
        sa.Index("reviews_thread", "thread", "status"),
        sa.Index("reviews_newest", "tenant", "number"),
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
    args: dict[str, Any] | None = plain_json(default=None)
    reason: str = ""
    message: str = Field(default="", sa_type=sa.Text)
    seen_ms: int | None = None
    floor_ms: int | None = None
    """The least time in which the card could be read, when something costly or irreversible was decided; faster was hasty."""
    key: str | None = None
    withdraws: str | None = None
    """The decision that a `withdrawn` row takes back."""
    effective_at: datetime = moment()
    valid_until: datetime | None = moment(default=None)
    """An approval that was not used until then lets nothing run any more."""
    created_at: datetime = moment()
    __table_args__ = (
        sa.UniqueConstraint("tenant", "actor", "key", name="decisions_key"),
        sa.Index("decisions_newest", "tenant", "sequence"),
        sa.Index("decisions_actor", "tenant", "actor", "created_at"),
    )


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
    claimed_at: datetime = moment()
    finished_at: datetime | None = moment(default=None)
    result: str | None = Field(default=None, sa_type=sa.Text)
    settled_by: str | None = None
    note: str = ""
    attempts: int = 1
    """How often the tool was called; more than once only for an idempotent tool, under the same key."""
    undo_until: datetime | None = moment(default=None)
    """Until then a person may have the effect undone."""
    undo_status: str = ""
    """Empty, `requested`, `claimed`, `succeeded`, `failed` or `unknown`; by compare-and-set, so that undo runs once."""
    undo_by: str | None = None
    undo_at: datetime | None = moment(default=None)
    undo_claimed_by: str | None = None
    undo_result: str | None = Field(default=None, sa_type=sa.Text)
    __table_args__ = (
        sa.Index("executions_status", "tenant", "status", "claimed_at"),
        sa.Index(
            "executions_undo",
            "tenant",
            "undo_until",
            sqlite_where=sa.text("undo_until IS NOT NULL"),
            postgresql_where=sa.text("undo_until IS NOT NULL"),
        ),
        sa.Index(
            "executions_undo_open",
            "tenant",
            sqlite_where=sa.text("undo_status IN ('unknown', 'failed')"),
            postgresql_where=sa.text("undo_status IN ('unknown', 'failed')"),
        ),
        sa.Index("executions_thread", "thread"),
        _partial("executions_unknown", "tenant", "claimed_at", where="status = 'unknown'"),
    )


class WakeRow(SQLModel, table=True):
    """A thread that has to be driven on: the outbox, written in the transaction that makes it necessary."""

    __tablename__ = "wakes"
    id: str = Field(primary_key=True)
    thread: str = Field(foreign_key="threads.id")
    cause: str
    due_at: datetime = moment()
    lease_owner: str | None = None
    lease_until: datetime | None = moment(default=None)
    attempts: int = 0
    done_at: datetime | None = moment(default=None)
    __table_args__ = (
        _partial("wakes_due", "due_at", where="done_at IS NULL"),
        _partial("wakes_thread", "thread", where="done_at IS NULL"),
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
    conversation: list[dict[str, Any]] = plain_json()
    tool: str
    args: dict[str, Any] = plain_json()
    """The proposed arguments."""
    accepted: dict[str, Any] | None = plain_json(default=None)
    """The arguments that a person accepted; null when the action was rejected or answered."""
    label: str
    """`approve`, `edit`, `reject` or `respond`."""
    reason: str = ""
    message: str = Field(default="", sa_type=sa.Text)
    offers: list[dict[str, Any]] = plain_json()
    actor: str
    role: str
    provenance: dict[str, Any] = plain_json()
    created_at: datetime = moment()
    retired_at: datetime | None = moment(default=None)
    retired_by: str | None = None
    retired_reason: str = ""
