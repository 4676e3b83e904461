"""The tables that libraries keep in our PostgreSQL database, made and brought up to date under our lock only."""

from __future__ import annotations

import re

import sqlalchemy as sa

from ..errors import StoreError


def is_behind(connection: sa.Connection) -> bool:
    """Tell whether a library's tables are missing or older than the library; never on SQLite, where they make themselves."""
    if connection.dialect.name == "sqlite":
        return False
    return _checkpoints_behind(connection) or not sa.inspect(connection).has_table("procrastinate_jobs")


def upgrade(connection: sa.Connection, url: sa.URL) -> None:
    """Make the tables of LangGraph's checkpointer and of Procrastinate; outside a transaction, because of concurrent indexes."""
    if connection.dialect.name == "sqlite":
        return
    if _checkpoints_behind(connection):
        _make_checkpoints(url)
    if not sa.inspect(connection).has_table("procrastinate_jobs"):
        _make_jobs(connection)
    _fits(connection)


def _checkpoints_behind(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table("checkpoint_migrations"):
        return True
    from langgraph.checkpoint.postgres import PostgresSaver

    found = connection.exec_driver_sql("SELECT max(v) FROM checkpoint_migrations").scalar()
    return found is None or int(found) < len(PostgresSaver.MIGRATIONS) - 1


def _make_checkpoints(url: sa.URL) -> None:
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(url.set(drivername="postgresql").render_as_string(hide_password=False)) as saver:
        saver.setup()


def _make_jobs(connection: sa.Connection) -> None:
    """Make Procrastinate's tables: one text of many statements, which PostgreSQL runs as one transaction."""
    from procrastinate.schema import SchemaManager

    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(SchemaManager.get_schema())


def _fits(connection: sa.Connection) -> None:
    """Refuse tables that another version of Procrastinate made, before a job is lost in them."""
    from procrastinate.schema import SchemaManager

    needed = set(re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (procrastinate_\w+)", SchemaManager.get_schema()))
    found = set(connection.exec_driver_sql("SELECT proname FROM pg_proc WHERE starts_with(proname, 'procrastinate_')").scalars())
    if needed - found:
        raise StoreError(
            "The tables of Procrastinate in this database are of another version than the installed one: apply its own "
            "migrations (https://procrastinate.readthedocs.io, Migrations), or install the version that made them."
        )
