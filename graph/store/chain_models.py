"""The rows of the audit chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from .columns import moment, plain_json


class EventRow(SQLModel, table=True):
    """One link of a tenant's audit chain; added with what it tells of, in the same transaction, and never changed."""

    __tablename__ = "events"
    tenant: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = moment()
    kind: str
    actor: str
    subject: str
    """The review, action, user or thread it is about."""
    body: dict[str, Any] = plain_json()
    """What stays for ever: ids, words of the design, digests, versions."""
    payload: dict[str, Any] | None = plain_json(default=None)
    """What was shown and said; can be erased on request, and the chain still verifies."""
    salt: str | None = None
    payload_digest: str | None = None
    """SHA-256 (hex) over salt and payload; null if there was none."""
    previous: str
    hash: str
    __table_args__ = (sa.Index("events_subject", "tenant", "subject"),)


class HeadRow(SQLModel, table=True):
    """The end of a tenant's audit chain; locked by whoever adds to it."""

    __tablename__ = "heads"
    tenant: str = Field(primary_key=True)
    seq: int = 0
    hash: str = ""
