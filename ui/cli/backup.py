"""`assent db backup`: a copy of a SQLite database, whole and consistent, while the desk goes on working."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from .database import Database, url_of
from .inbox import Home
from .say import Failed, progress, show

PAGES = 2_000


def backup(
    file: Annotated[Path, typer.Argument(help="A new file for the copy.")],
    database: Database = None,
    home: Home = Path("desk"),
) -> None:
    """Copy a SQLite database while it is in use, rows and checkpoints of one moment; for PostgreSQL use pg_dump."""
    from ...graph.store.session import Store

    path = Store(url_of(home, database)).path
    if path is None:
        raise Failed("This is a PostgreSQL database: back it up with pg_dump --format=custom; see docs/backup.md.", 2)
    if not path.exists():
        raise Failed(f"There is no database {path}.", 2)
    part = file.with_name(f"{file.name}.part")
    if file.exists() or part.exists():
        raise Failed(f"The file {file if file.exists() else part} is there already; name another one.")
    try:
        _copy(path, part)
        os.replace(part, file)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise Failed(f"The backup could not be made: {error}.") from None
    show(f"{path} is copied to {file}")


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    reading, writing = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True), sqlite3.connect(target)
    try:
        with progress() as bars:
            task = bars.add_task("copying", total=None)
            reading.execute("BEGIN")  # one moment, however long the copy takes
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=PAGES, progress=lambda _, left, all: bars.update(task, completed=all - left, total=all))
        found = writing.execute("PRAGMA integrity_check").fetchone()
        if found != ("ok",):
            raise sqlite3.DatabaseError(f"the copy is broken: {found}")
    finally:
        reading.close()
        writing.close()
    with target.open("rb+") as copy:
        os.fsync(copy.fileno())
