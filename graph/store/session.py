"""The opened database and its transactions; repositories never commit, the edge does.

SQLite: WAL, synchronous=FULL, one writer at a time with BEGIN IMMEDIATE, because a deferred transaction that turns from reading to
writing fails at once, whatever the busy timeout (https://www.sqlite.org/lang_transaction.html).

PostgreSQL: READ COMMITTED for writing, where every transaction locks the rows it decides on in one order (thread, review,
execution, head of the audit chain), and REPEATABLE READ, read only, for one consistent view
(https://www.postgresql.org/docs/current/transaction-iso.html).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from ..errors import BrokenText, StoreError
from ..texts import is_storable
from . import events

__all__ = ["BUSY_TIMEOUT_MS", "AsyncSession", "Store"]

BUSY_TIMEOUT_MS = 15_000
"""How long a writer waits for another one, in milliseconds."""

POOL = 8
"""Connections that one process keeps to PostgreSQL for rows; the checkpointer has a pool of its own."""

CLOSING_SECONDS = 10.0
"""How long closing waits for transactions that still run."""

NO_DRIVER = "PostgreSQL needs a driver: install the extra, as in pip install 'assent[postgres]'."

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}


class Store:
    """A database: `begin()` is one writing transaction, `read()` one consistent view."""

    def __init__(self, url: str) -> None:
        try:
            self.url = sa.make_url(url)
        except sa.exc.ArgumentError:
            raise StoreError("This is not the address of a database: give sqlite:///FILE or postgresql://USER@HOST/NAME.") from None
        name = self.url.get_backend_name()
        if name not in DRIVERS:
            raise StoreError(f"A database is sqlite:///FILE or postgresql://USER@HOST/NAME, not {name}.")
        self.is_sqlite = name == "sqlite"
        self._writer, self._reader = self._sqlite() if self.is_sqlite else self._postgresql()
        self._running, self._at_rest, self._is_closed = 0, asyncio.Event(), False
        self._at_rest.set()
        for engine in {self._writer.sync_engine, self._reader.sync_engine}:
            sa.event.listen(engine, "before_cursor_execute", _refuse_broken_text)

    def _sqlite(self) -> tuple[AsyncEngine, AsyncEngine]:
        if self.path is None:
            raise StoreError("An in-memory database would lose what waits: give a file, as in sqlite:///desk.db.")
        if not self.path.absolute().parent.is_dir():
            raise StoreError(f"The folder {self.path.absolute().parent} does not exist; create it first.")
        return _sqlite_engine(self.url, "BEGIN IMMEDIATE", size=1), _sqlite_engine(self.url, "BEGIN", size=4)

    def _postgresql(self) -> tuple[AsyncEngine, AsyncEngine]:
        try:
            engine = create_async_engine(
                self.url.set(drivername=DRIVERS["postgresql"]),
                isolation_level="READ COMMITTED",  # whatever the server's default: what is read after a lock must be new
                pool_size=POOL,
                max_overflow=0,
                pool_timeout=60,
                pool_pre_ping=True,
                connect_args={"connect_timeout": 10, "options": f"-c lock_timeout={BUSY_TIMEOUT_MS}"},
            )
        except ImportError:
            raise StoreError(NO_DRIVER) from None
        return engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def path(self) -> Path | None:
        """The database file of SQLite; None for PostgreSQL."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    @property
    def conninfo(self) -> str:
        """The address as PostgreSQL's own drivers read it."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Open one writing transaction; it commits at the end, with what was noted for the audit log, or rolls back."""
        async with self._counted(), AsyncSession(self._writer, expire_on_commit=False) as session, _translated(), session.begin():
            yield session
            await events.seal(session)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open one consistent view of the rows; nothing written in it is kept."""
        async with self._counted(), AsyncSession(self._reader, expire_on_commit=False) as session, _translated():
            yield session
            session.expunge_all()  # what was read stays readable after the view is closed
            await session.rollback()

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._running += 1
        self._at_rest.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._at_rest.set()
                if self._is_closed:
                    await self._dispose()

    async def close(self) -> None:
        """Let what runs come to its end and give the connections back: one in use would stay open.

        What comes later all the same, such as the outcome of a tool that was running, is still written and leaves none open.
        """
        self._is_closed = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._at_rest.wait(), CLOSING_SECONDS)
        await self._dispose()

    async def _dispose(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        raise StoreError(explained(error)) from error
    except sa.exc.TimeoutError as error:
        raise StoreError("The database is busy: every connection is in use. Nothing was changed; try again.") from error
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise StoreError(explained(error)) from error
        raise


def explained(error: sa.exc.DBAPIError) -> str:
    """Return what happened to the database, and what to do, in a sentence without secrets."""
    cause = str(error.orig)
    if any(word in cause for word in ("locked", "busy", "lock timeout", "deadlock", "serialize access")):
        return "The database is busy: another process has been writing for too long. Nothing was changed; try again."
    if "full" in cause or "No space left" in cause:
        return "The disk is full. Nothing was changed; make room and try again."
    if error.connection_invalidated or "connection" in cause:
        return "The connection to the database was lost. Try again with the same key: what was written once is not written twice."
    return f"The database cannot be used: {cause}"


def _refuse_broken_text(_connection: Any, _cursor: Any, _statement: str, parameters: Any, _context: Any, many: bool) -> None:
    """Refuse at the last door, on both databases alike, what only one of them would refuse, and in words nobody understands."""
    for values in parameters if many else (parameters,):
        for value in values.values() if isinstance(values, dict) else values or ():
            if isinstance(value, str) and not is_storable(value):
                raise BrokenText


def _sqlite_engine(url: sa.URL, begin: str, *, size: int) -> AsyncEngine:
    engine = create_async_engine(url.set(drivername=DRIVERS["sqlite"]), pool_size=size, max_overflow=0, pool_timeout=60)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            "recursive_triggers=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
