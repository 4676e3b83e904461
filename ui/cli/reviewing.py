"""Reviewers from a terminal: `assent reviewers` says how they do, `assent reviewing` shows and sets how they are measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ...graph.authority import reviewing
from ...graph.opening import open_desk
from ..reviewers import Reviewers
from .database import Database, url_of
from .place import OPERATOR
from .say import Failed, out, print_json, show, wait_for

app = typer.Typer(help="Show and set how reviewers are measured and how much they are given.", no_args_is_help=True)

Home = Annotated[Path, typer.Option(envvar="ASSENT_HOME", help="The folder the desk lives in.")]
Who = Annotated[str, typer.Option("--as", envvar="ASSENT_USER", help="The user who asks; the default is the demo's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def reviewers(home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False) -> None:
    """Show how reviewers did in the last ninety days: load, times, what they catch, how far they agree."""

    async def work() -> dict[str, Any]:
        async with open_desk(url_of(home, database)) as desk:
            return await Reviewers(desk).overview(who)

    found = wait_for(work())
    if as_json:
        print_json(found)
        return
    if "why" in found:
        show(f"{_healthy(found['healthy'])} {found['why']}")
    columns = (
        "reviewer",
        "today",
        "decided",
        "consequential",
        "approved",
        "median",
        "hasty",
        "left open",
        "caught",
        "at least",
        "kappa",
        "differing",
        "alarms",
    )
    table = Table(*columns, box=None)
    for line in found["reviewers"]:
        table.add_row(*map(Text, _row(line)))
    out.print(table) if found["reviewers"] else show("Nobody has decided anything yet.")


def _healthy(healthy: bool | None) -> str:
    return {True: "Reviewers can be relied on:", False: "Reviewers cannot be relied on now:"}.get(healthy, "Being measured:")  # type: ignore[arg-type]


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    catch, seconds, share = line["catch"], line["median_seconds"], line["approved"]
    return (
        line["name"],
        str(line["today"]),
        str(line["decisions"]),
        str(line["consequential"]),
        "" if share is None else f"{share:.0%}",
        "" if seconds is None else f"{seconds:.1f} s",
        f"{line['hasty']} of {line['timed']}",
        f"{line['left_out']['caught']} of {line['left_out']['n']}",
        f"{catch['caught']} of {catch['n']}",
        f"{catch['low']:.0%}" if catch["n"] else "",
        f"{line['kappa']:.2f} (n {line['pairs']})" if line["kappa"] is not None else f"n {line['pairs']}",
        ", ".join(f"{line[name]} {name}" for name in ("contested", "retired", "unsettled") if line[name]),
        ", ".join(line["alarms"]),
    )


@app.command("show")
def show_settings(home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False) -> None:
    """Show how reviewers are measured."""

    async def work() -> dict[str, Any]:
        async with open_desk(url_of(home, database)) as desk:
            return dict((await Reviewers(desk).overview(who))["settings"])

    _print(wait_for(work()), as_json)


@app.command("set")
def set_settings(
    values: Annotated[list[str], typer.Argument(help=f"NAME=NUMBER, of {', '.join(reviewing.NAMES)}.")],
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
) -> None:
    """Set how reviewers are measured, as a lead; it is noted in the audit log: `assent reviewing set known=.05 daily_cap=200`."""
    wanted = dict(_setting(value) for value in values)

    async def work() -> dict[str, Any]:
        async with open_desk(url_of(home, database)) as desk:
            return (await reviewing.change(desk.store, desk.clock, who, wanted)).as_json()

    _print(wait_for(work()), as_json)


def _setting(value: str) -> tuple[str, float]:
    name, _, text = value.partition("=")
    try:
        return name, int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise Failed(f"{value!r} is no setting: write NAME=NUMBER, as in known=.05.", 2) from None


def _print(chosen: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(chosen)
        return
    for name, value in chosen.items():
        show(f"{name}={value:g}")
