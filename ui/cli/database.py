"""`assent db`: which schema a database has, and bringing it up to date; also how every command is told its database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .say import Failed, print_json, show, tell, wait_for

app = typer.Typer(help="The database's schema.", no_args_is_help=True)

VARIABLE = "ASSENT_DATABASE_URL"

Database = Annotated[
    str | None,
    typer.Option(envvar=VARIABLE, help="The database: postgresql://USER@HOST/NAME or sqlite:///FILE.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def named(database: str | None) -> str:
    """Return the address of the database; raises Failed where none was given."""
    if not database:
        raise Failed(f"Name the database with --database or in {VARIABLE}: postgresql://USER@HOST/NAME or sqlite:///FILE.", 2)
    return database


def instead_of_home(database: Database = None) -> None:
    """Let a group of commands work on a named database instead of the demo's."""
    if database:
        os.environ[VARIABLE] = database


def url_of(home: Path, database: str | None = None) -> str:
    """Return the named database, by an argument or the environment, or the demo's in its folder."""
    named_one = database or os.environ.get(VARIABLE)
    if named_one:
        return named_one
    path = home.absolute() / "assent.db"
    if not path.exists():
        raise Failed(f"There is no desk in {home}; start one with `assent demo`, or name another folder with --home.", 2)
    return f"sqlite:///{path}"


def shown(url: str) -> str:
    """Return an address without its password."""
    import sqlalchemy as sa

    return sa.make_url(url).render_as_string(hide_password=True)


@app.command()
def upgrade(database: Database = None, as_json: AsJson = False) -> None:
    """Bring the tables up to this version's schema, once, under a lock; does nothing where they are."""
    from ...graph.store import migrate
    from ...graph.store.session import Store

    url = Store(named(database)).url
    before = wait_for(migrate.status(url))
    tell(f"Upgrading {shown(str(database))}")
    after = wait_for(migrate.upgrade(url))
    if as_json:
        print_json({"from": before.found, "to": after})
    elif before.is_current:
        show(f"schema {after}: up to date, nothing to do")
    else:
        show(f"schema {before.found or 'none'} -> {after}")


@app.command()
def status(database: Database = None, as_json: AsJson = False) -> None:
    """Say which schema the database has and which one this installation knows; exit code 1 if they differ."""
    from ...graph.store import migrate
    from ...graph.store.session import Store

    found = wait_for(migrate.status(Store(named(database)).url))
    if as_json:
        print_json({"found": found.found, "known": found.known, "libraries": found.libraries, "current": found.is_current})
    else:
        show(f"database      {shown(str(database))}")
        show(f"schema        {found.found or 'none'}; this installation knows {found.known}")
        show(f"libraries     {'up to date' if found.libraries else 'tables to be made'}")
    if not found.is_current:
        raise Failed(found.advice, 1)
