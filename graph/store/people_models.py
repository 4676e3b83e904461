"""The rows of people: who they are, how they got in, and how often somebody failed to."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from .columns import moment, plain_json


class UserRow(SQLModel, table=True):
    """Somebody who may look or decide."""

    __tablename__ = "users"
    name: str = Field(primary_key=True)
    tenant: str
    role: str
    password_hash: str | None = None
    active: bool = True
    created_at: datetime = moment()


class TokenRow(SQLModel, table=True):
    """A sign-in link (`sign_in`), a session (`session`) or an API token (`api`); only the SHA-256 of the secret is kept."""

    __tablename__ = "tokens"
    hash: str = Field(primary_key=True)
    kind: str
    user: str = Field(foreign_key="users.name", index=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    id: str | None = None
    """What people call an API token; it opens nothing."""
    label: str = ""
    scopes: list[str] | None = plain_json(default=None)
    """What an API token may do; null for a session, which may do what its user may."""
    used_at: datetime | None = moment(default=None)
    __table_args__ = (sa.Index("tokens_id", "id", unique=True),)


class AttemptRow(SQLModel, table=True):
    """Failed sign-ins under one name or from one address, counted for every process together."""

    __tablename__ = "attempts"
    key: str = Field(primary_key=True)
    failures: int = 0
    since: datetime = moment()
    locked_until: datetime | None = moment(default=None)
