"""The tables that libraries keep in our PostgreSQL database, made and brought up to date under our lock only."""

from __future__ import annotations

import sqlalchemy as sa


def is_behind(connection: sa.Connection) -> bool:
    """Tell whether a library's tables are missing or older than the library; never on SQLite, where they make themselves."""
    if connection.dialect.name == "sqlite":
        return False
    if not sa.inspect(connection).has_table("checkpoint_migrations"):
        return True
    from langgraph.checkpoint.postgres import PostgresSaver

    found = connection.exec_driver_sql("SELECT max(v) FROM checkpoint_migrations").scalar()
    return found is None or int(found) < len(PostgresSaver.MIGRATIONS) - 1


def upgrade(connection: sa.Connection, url: sa.URL) -> None:
    """Make the tables of LangGraph's checkpointer; outside a transaction, because it makes indexes concurrently."""
    if not is_behind(connection):
        return
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(url.set(drivername="postgresql").render_as_string(hide_password=False)) as saver:
        saver.setup()
