"""The rows of earned autonomy: what a class of actions may do now, its certificates, its levels so far, and its probes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from .columns import moment, plain_json


class AutonomyRow(SQLModel, table=True):
    """What a class of actions, an agent's use of one tool, may do now; the one row that the fast path reads of it.

    A class without a row is supervised. Written by promotion, demotion and the monitor; its version counts up with every change.
    """

    __tablename__ = "autonomy"
    tenant: str = Field(primary_key=True)
    agent: str = Field(primary_key=True)
    tool: str = Field(primary_key=True)
    level: int = 1
    version: int = 1
    key: str = ""
    """The digest of model, prompt, policy and tool schema for which it was earned."""
    certificate: str = ""
    head: dict[str, Any] | None = plain_json(default=None)
    threshold: float | None = None
    """The least confidence that passes; null: nothing does."""
    share: float = 0.0
    """The share of the allowed that is audited."""
    seed: str = ""
    """From which audits are drawn; its digest is in the audit log from the start, itself when it is given up."""
    veto: float | None = None
    """Seconds for which an allowed action is held; null: it is not."""
    undo: float | None = None
    """Seconds in which it can be undone."""
    suspended: str = ""
    """Why nothing passes although the level would let it; empty when it may."""
    monitor: dict[str, Any] | None = plain_json(default=None)
    """The evidence that the monitor has gathered under this key since labels last started anew; a person wipes none of it."""
    since: datetime = moment()
    """When the level was reached."""
    watched_until: datetime | None = moment(default=None)
    """Until when something may pass: renewed by whoever counts audits, by nobody while these are unanswered; null: nothing may."""


class CertificateRow(SQLModel, table=True):
    """The evidence that lets a class of actions run unreviewed, whether signed or only offered; never changed but in its status."""

    __tablename__ = "certificates"
    id: str = Field(primary_key=True)
    tenant: str
    agent: str
    tool: str
    key: str
    parts: dict[str, Any] = plain_json()
    """What the key is a digest of."""
    level: int
    """The level it is good for."""
    alpha: float
    delta: float
    threshold: float | None = None
    """Null when no threshold kept the promise."""
    rows: int = 0
    n: int = 0
    k: int = 0
    coverage: float = 0.0
    bound: float = 1.0
    head: dict[str, Any] = plain_json()
    report: dict[str, Any] = plain_json()
    """What was tested and measured, for the page and for the audit log."""
    status: str = "offered"
    """`offered`, `signed`, `replaced` or `void`; `none` for an attempt that kept no threshold."""
    created_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    ended_reason: str = ""
    __table_args__ = (sa.Index("certificates_class", "tenant", "agent", "tool", "created_at"),)


class LevelChangeRow(SQLModel, table=True):
    """One step of a class from a level to another, with the evidence that was shown; rows are added, never changed."""

    __tablename__ = "level_changes"
    sequence: int | None = Field(default=None, primary_key=True)
    tenant: str
    agent: str
    tool: str
    before: int
    after: int
    by: str
    """The person who signed, or `monitor`, `key`, `reviewers` for a demotion."""
    reason: str = ""
    certificate: str = ""
    evidence: dict[str, Any] = plain_json()
    at: datetime = moment()
    __table_args__ = (sa.Index("level_changes_class", "tenant", "agent", "tool", "sequence"),)


class ProbeRow(SQLModel, table=True):
    """What a review measures that lets nothing run: the machine, the reviewer, or how far two reviewers agree."""

    __tablename__ = "probes"
    review: str = Field(primary_key=True, foreign_key="reviews.id")
    tenant: str
    kind: str
    """`audit`, `known`, `second`, `settling` or `shadow`."""
    source: str = Field(foreign_key="actions.id")
    """The action that it is about; the review asks about a copy of it that can never run."""
    agent: str
    tool: str
    key: str = ""
    certificate: str = ""
    share: float = 1.0
    """The probability with which it was drawn."""
    expected: str = ""
    """For a known-answer item `correct` or `wrong`; for a second review what the first reviewer said."""
    outcome: str = ""
    """`correct`, `wrong` or `left out` once it was answered."""
    decision: str = ""
    """What was decided: approve, edit, reject or respond."""
    answered_by: str = ""
    answered_at: datetime | None = moment(default=None)
    seen_ms: int | None = None
    counted_at: datetime | None = moment(default=None)
    """When the monitor took it in."""
    created_at: datetime = moment()
    __table_args__ = (
        sa.Index("probes_source", "source", "kind", unique=True),
        sa.Index("probes_answered", "tenant", "kind", "answered_at"),
        sa.Index("probes_class", "tenant", "agent", "tool", "kind", "created_at"),
        sa.Index(
            "probes_unanswered",
            "tenant",
            "created_at",
            sqlite_where=sa.text("kind = 'audit' AND answered_at IS NULL"),
            postgresql_where=sa.text("kind = 'audit' AND answered_at IS NULL"),
        ),
        sa.Index(
            "probes_uncounted",
            "tenant",
            "answered_at",
            sqlite_where=sa.text("counted_at IS NULL AND answered_at IS NOT NULL"),
            postgresql_where=sa.text("counted_at IS NULL AND answered_at IS NOT NULL"),
        ),
    )
