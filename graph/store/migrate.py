"""The schema's version: brought up to date once, under a lock; a database from a newer version is refused, never touched."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from ..errors import SchemaTooNew, StoreError
from .session import BUSY_TIMEOUT_MS

MIGRATIONS = Path(__file__).with_name("migrations")

_one_at_a_time = Lock()
"""Alembic keeps its context in a module, so two databases of one process are not migrated at once."""


async def upgrade(url: sa.URL) -> str:
    """Bring the database to this version's schema; returns the version. Raises SchemaTooNew, StoreError."""
    return await asyncio.to_thread(_upgrade, url)


def versions() -> list[str]:
    """Return the schema versions this installation knows, oldest first."""
    return sorted(path.stem.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(url: sa.URL) -> str:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    sa.event.listen(engine, "connect", _by_hand)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            if _version(connection) == versions()[-1]:
                return versions()[-1]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            found = _version(connection)
            if found is not None and found not in versions():
                connection.exec_driver_sql("ROLLBACK")
                raise SchemaTooNew(
                    f"The database {url.database} has schema {found}, this installation knows {versions()[-1]}: "
                    "it was written by a newer version of Assent. Update this installation and start again."
                )
            if found != versions()[-1]:
                with _one_at_a_time:
                    _run(connection)
            connection.exec_driver_sql("COMMIT")
            return versions()[-1]
    except sa.exc.DatabaseError as error:
        raise StoreError(f"The database {url.database} cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def _by_hand(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # a DB-API connection; we begin and commit ourselves


def _version(connection: sa.Connection) -> str | None:
    known = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.exec_driver_sql(known).first() is None:
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
