"""`assent erase` and `assent audit retain`: empties what was said in a case, or in everything that is old enough."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...evals.opening import open_desk
from .database import Database, url_of
from .inbox import Home
from .say import show, wait_for

Admin = Annotated[str, typer.Option("--as", envvar="ASSENT_USER", help="The admin who does it.")]


def erase(
    thread: Annotated[str, typer.Argument(help="The case, by the id of its thread; it has to be at its end.")],
    who: Admin,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    database: Database = None,
    home: Home = Path("desk"),
) -> None:
    """Erase what was said and shown in a case; ids and digests stay, and the audit log still verifies."""

    async def work() -> int:
        async with open_desk(url_of(home, database)) as desk:
            return (await desk.erase(thread, who, reason)).records

    show(f"{thread} is erased; {wait_for(work())} records of the audit log have lost their payload")


def retain(
    who: Admin,
    days: Annotated[float, typer.Option(help="How many days are kept.")],
    database: Database = None,
    home: Home = Path("desk"),
) -> None:
    """Erase every case of which nothing was said or proposed for so many days; run it daily."""

    async def work() -> tuple[int, int]:
        async with open_desk(url_of(home, database)) as desk:
            done = await desk.retain(days, who)
            return done.erased, done.open

    erased, left = wait_for(work())
    show(f"{erased} cases erased; {left} are as old, but not at their end")


def restored(who: Admin, database: Database = None, home: Home = Path("desk")) -> None:
    """Say, before anything works again, that this database was restored from a backup: what may have run since is asked about."""

    async def work() -> tuple[int, int]:
        async with open_desk(url_of(home, database)) as desk:
            done = await desk.restored(who)
            return done.unknown, done.superseded

    unknown, superseded = wait_for(work())
    show(f"{unknown} actions are tasks now: did they run? {superseded} reviews were closed; they may have been decided since")
