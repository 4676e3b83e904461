"""The rows of what holds work back, reminds of it and is done for everybody: holds, stops, notices, chores, settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from .columns import moment, plain_json


class HoldRow(SQLModel, table=True):
    """An allowed action that is held for its veto window; nobody approves it, the machine's verdict does, and a person may veto."""

    __tablename__ = "holds"
    action: str = Field(primary_key=True, foreign_key="actions.id")
    tenant: str
    thread: str
    tool: str
    until: datetime = moment()
    vetoed_by: str | None = None
    vetoed_at: datetime | None = moment(default=None)
    reason: str = ""
    created_at: datetime = moment()
    __table_args__ = (sa.Index("holds_until", "tenant", "until"),)


class StopRow(SQLModel, table=True):
    """A stop button that was pressed: nothing it covers starts until it is lifted."""

    __tablename__ = "stops"
    id: str = Field(primary_key=True)
    tenant: str
    scope: str
    """`all`, `agent` or `tool`."""
    name: str = ""
    """The agent's or tool's name; empty for `all`."""
    reason: str = ""
    by: str
    at: datetime = moment()
    lifted_by: str | None = None
    lifted_at: datetime | None = moment(default=None)
    lifted_reason: str = ""
    __table_args__ = (sa.Index("stops_tenant", "tenant", "lifted_at"),)


class PausedRow(SQLModel, table=True):
    """A thread that a stop keeps back, until the stop is lifted and the thread was woken."""

    __tablename__ = "paused"
    stop: str = Field(primary_key=True, foreign_key="stops.id")
    thread: str = Field(primary_key=True, foreign_key="threads.id")
    at: datetime = moment()


class NoticeRow(SQLModel, table=True):
    """Something people are to be told outside the desk; sent by workers, tried again until it arrives."""

    __tablename__ = "notices"
    id: str = Field(primary_key=True)
    tenant: str
    kind: str
    review: str | None = None
    body: dict[str, Any] = plain_json()
    due_at: datetime = moment()
    sent_at: datetime | None = moment(default=None)
    attempts: int = 0
    problem: str = ""
    lease_owner: str | None = None
    lease_until: datetime | None = moment(default=None)
    __table_args__ = (
        sa.Index("notices_due", "due_at", sqlite_where=sa.text("sent_at IS NULL"), postgresql_where=sa.text("sent_at IS NULL")),
    )


class ChoreRow(SQLModel, table=True):
    """A lease on something that one process at a time does for everybody: sweeping, signing the head of the audit log."""

    __tablename__ = "chores"
    name: str = Field(primary_key=True)
    owner: str | None = None
    until: datetime | None = moment(default=None)
    done_at: datetime | None = moment(default=None)


class SettingRow(SQLModel, table=True):
    """A tenant's setting or last known version of something, such as an agent's policy digest."""

    __tablename__ = "settings"
    tenant: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: dict[str, Any] = plain_json()
    at: datetime = moment()
