"""The opened database and its transactions; repositories never commit, the edge does.

SQLite: WAL, synchronous=FULL, one writer at a time with BEGIN IMMEDIATE, because a deferred transaction that turns from reading to
writing fails at once, whatever the busy timeout (https://www.sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from ..errors import StoreError

__all__ = ["BUSY_TIMEOUT_MS", "AsyncSession", "Store"]

BUSY_TIMEOUT_MS = 15_000
"""How long a writer waits for another one, in milliseconds."""


class Store:
    """A database: `begin()` is one writing transaction, `read()` one consistent view."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite:
            raise StoreError(f"Only sqlite:///FILE is supported so far, not {self.url.get_backend_name()}.")
        if self.path is None:
            raise StoreError("An in-memory database would lose what waits: give a file, as in sqlite:///desk.db.")
        if not self.path.absolute().parent.is_dir():
            raise StoreError(f"The folder {self.path.absolute().parent} does not exist; create it first.")
        self._writer = _engine(self.url, "BEGIN IMMEDIATE", size=1)
        self._reader = _engine(self.url, "BEGIN", size=4)

    @property
    def path(self) -> Path | None:
        """The database file of SQLite."""
        name = self.url.database
        return Path(name) if name and name != ":memory:" else None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Open one writing transaction; it commits at the end and rolls back on any exception."""
        async with AsyncSession(self._writer, expire_on_commit=False) as session, _translated(), session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open one consistent view of the rows; nothing written in it is kept."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session, _translated():
            yield session
            session.expunge_all()  # what was read stays readable after the view is closed
            await session.rollback()

    async def close(self) -> None:
        """Give the connections back."""
        await self._writer.dispose()
        await self._reader.dispose()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        raise StoreError(_explained(error)) from error


def _explained(error: sa.exc.OperationalError) -> str:
    cause = str(error.orig)
    if "locked" in cause or "busy" in cause:
        return "The database is busy: another process has been writing for too long. Nothing was changed; try again."
    if "full" in cause:
        return "The disk is full. Nothing was changed; make room and try again."
    return f"The database cannot be used: {cause}"


def _engine(url: sa.URL, begin: str, *, size: int) -> AsyncEngine:
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_size=size, max_overflow=0, pool_timeout=60)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
