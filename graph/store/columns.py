"""How rows hold moments and plain JSON, so that both databases keep them alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field


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


def moment(**kwargs: Any) -> Any:
    """Return a field that holds a moment."""
    return Field(sa_type=Moment, **kwargs)


def plain_json(**kwargs: Any) -> Any:
    """Return a field that holds plain JSON."""
    return Field(sa_type=PlainJson, **kwargs)
