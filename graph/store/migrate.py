"""The schema's version: brought up to date once, under a lock; a database from a newer version is refused, never touched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import sleep

import sqlalchemy as sa

from ..errors import SchemaTooNew, StoreError
from . import upstream
from .session import BUSY_TIMEOUT_MS, NO_DRIVER, Store

MIGRATIONS = Path(__file__).with_name("migrations")

LOCK = 0x617373656E74
"""The advisory lock under which a PostgreSQL database is migrated; the number is ASCII for `assent`."""

_one_at_a_time = Lock()
"""Alembic keeps its context in a module, so two databases of one process are not migrated at once."""


async def upgrade(url: sa.URL) -> str:
    """Bring the database to this version's schema; returns the version. Raises SchemaTooNew, StoreError."""
    return await asyncio.to_thread(_upgrade, url)


@dataclass(frozen=True, slots=True)
class Status:
    """Which schema a database has, which one this installation knows, and whether the libraries' tables are there."""

    found: str | None
    known: str
    libraries: bool

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to do."""
        return self.found == self.known and self.libraries

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.found is not None and self.found not in versions():
            return "The database was written by a newer version of Assent; update this installation."
        return "The database is behind this installation: run `assent db upgrade`."


async def status(url: sa.URL) -> Status:
    """Look at a database's schema and change nothing. Raises StoreError."""
    return await asyncio.to_thread(_status, url)


def _status(url: sa.URL) -> Status:
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return Status(None, versions()[-1], True)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        with engine.connect() as connection:
            return Status(_version(connection), versions()[-1], not upstream.is_behind(connection))
    except sa.exc.DatabaseError as error:
        raise StoreError(f"The database {url.database} cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


async def check(store: Store) -> None:
    """Raise SchemaTooNew if a newer version of Assent has raised the schema of a database that is open here."""
    async with store.read() as tx:
        found = await tx.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in versions():
        raise SchemaTooNew(_too_new(store.url, str(found)))


def _too_new(url: sa.URL, found: str) -> str:
    return (
        f"The database {url.database} has schema {found}, this installation knows {versions()[-1]}: "
        "it was written by a newer version of Assent. Update this installation and start again."
    )


def versions() -> list[str]:
    """Return the schema versions this installation knows, oldest first."""
    return sorted(path.stem.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(url: sa.URL) -> str:
    newest = versions()[-1]
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        with engine.connect() as connection:
            if _version(connection) == newest and not upstream.is_behind(connection):
                return newest
            with _locked(connection):
                _raise(connection, url)
                upstream.upgrade(connection, url)
            return newest
    except sa.exc.DatabaseError as error:
        raise StoreError(f"The database {url.database} cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def _raise(connection: sa.Connection, url: sa.URL) -> None:
    """Bring our own tables up to date in one transaction, which is kept only if everything worked."""
    newest = versions()[-1]
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _is_sqlite(connection) else "BEGIN")
    try:
        found = _version(connection)
        if found is not None and found not in versions():
            raise SchemaTooNew(_too_new(url, found))
        if found != newest:
            with _one_at_a_time:
                _run(connection)
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @sa.event.listens_for(engine, "connect")
    def _by_hand(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # a DB-API connection; we begin and commit ourselves

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 10}
        )
    except ImportError:
        raise StoreError(NO_DRIVER) from None


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


@contextmanager
def _locked(connection: sa.Connection) -> Iterator[None]:
    """Hold the one lock under which the schema changes; SQLite's is the transaction itself."""
    if _is_sqlite(connection):
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        yield
        return
    # tried again and again, not waited for: a waiting statement holds a snapshot, which CREATE INDEX CONCURRENTLY waits for in turn
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
        sleep(0.1)
    try:
        yield
    finally:
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return str(row[0]) if row else None


def _run(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
