"""Control from a terminal: `assent inbox unsnooze|feed|veto|undo|resend` and `assent stops`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ...evals.opening import open_desk
from ...graph.control.stopping import StopView
from ...graph.desk import Desk
from . import inbox
from .database import Database, url_of
from .inbox import Home, Json, Which, Who
from .place import OPERATOR
from .say import print_json, show, wait_for
from .shown import visible_text

app = typer.Typer(help="Stop everything, an agent or a tool, and lift it again.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why, in a few words.")]
Action = Annotated[str, typer.Argument(help="The action's id, as `inbox feed` shows it.")]


def _do(home: Path, database: str | None, work: Callable[[Desk], Awaitable[Any]], *, drain: bool = False) -> Any:
    async def run() -> Any:
        if not drain:  # nothing is carried out, so that no model has to be at hand: a stop button is quick
            async with open_desk(url_of(home, database)) as desk:
                return await work(desk)
        async with inbox.opened(home, database) as desk:
            await work(desk)
            await desk.drain()

    return wait_for(run())


@inbox.app.command()
def unsnooze(which: Which, home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR) -> None:
    """Put a snoozed review back into the queue."""

    async def work(desk: Desk) -> int:
        card = await inbox.found(desk, which, who)
        await desk.unsnooze(card.id, who)
        return card.number

    show(f"RQ-{_do(home, database, work)} is in the queue again")


@inbox.app.command()
def feed(home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False) -> None:
    """List what runs without a person and can still be vetoed or undone."""
    lines = _do(home, database, lambda desk: desk.feed(who))
    if as_json:
        print_json([line.as_json() for line in lines])
        return
    for line in lines:
        show(f"{line.kind} until {line.until}: {line.title} {visible_text(str(line.args))} [{line.action}]")
    if not lines:
        show("Nothing can be vetoed or undone.")


@inbox.app.command()
def veto(action: Action, reason: Reason = "", home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR) -> None:
    """Say no to a held action."""
    _do(home, database, lambda desk: desk.veto(action, who, reason), drain=True)
    show(f"{action}: vetoed")


@inbox.app.command()
def undo(action: Action, reason: Reason = "", home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR) -> None:
    """Have an action that ran without a person undone; a worker of its agent does it."""
    _do(home, database, lambda desk: desk.undo(action, who, reason), drain=True)
    show(f"{action}: the undo is asked for; `inbox list` shows it if it needs a person")


@inbox.app.command()
def cancel(
    thread: Annotated[str, typer.Argument(help="The case, by the id of its thread; `inbox show --json` has it.")],
    reason: Reason = "",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
) -> None:
    """Cancel a case: its reviews are closed, and nothing more of it runs."""
    closed = _do(home, database, lambda desk: desk.cancel(thread, who, reason))
    show(f"{thread}: cancelled; reviews closed: {closed}")


@inbox.app.command()
def resend(
    notice: Annotated[str, typer.Argument(help="The notice's id, as `inbox list --json` shows it.")],
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
) -> None:
    """Let a notice that could not be sent be tried again."""
    _do(home, database, lambda desk: desk.resend(notice, who), drain=True)
    show(f"{notice}: tried again")


@app.command("list")
def list_stops(home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False) -> None:
    """List the stops that are pressed, with what is in flight and how many cases wait."""
    found: list[StopView] = _do(home, database, lambda desk: desk.stops(who))
    if as_json:
        print_json([stop.as_json() for stop in found])
        return
    for stop in found:
        counts = f"{len(stop.in_flight)} in flight, {stop.waiting} waiting"
        show(f"{stop.id}: {_covered(stop)} stopped by {stop.by} since {stop.at}: {visible_text(stop.reason)} ({counts})")
    if not found:
        show("Nothing is stopped.")


def _covered(stop: StopView) -> str:
    return "everything" if stop.scope == "all" else f"the {stop.scope} {stop.name}"


@app.command()
def press(
    scope: Annotated[str, typer.Argument(help="all, agent or tool.")],
    name: Annotated[str, typer.Argument(help="The agent's or tool's exact name.")] = "",
    reason: Reason = "",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
) -> None:
    """Press the stop button: nothing it covers starts until it is lifted; a lead or an admin may."""
    stop: StopView = _do(home, database, lambda desk: desk.stop(scope, name, who, reason))
    if as_json:
        print_json(stop.as_json())
        return
    show(f"{stop.id}: {_covered(stop)} is stopped; {stop.waiting} cases wait, {len(stop.in_flight)} in flight")
    for one in stop.in_flight:
        show(f"  in flight since {one['since']}: {one['title']} of {one['agent']} [{one['action']}]")


@app.command()
def lift(
    stop: Annotated[str, typer.Argument(help="The stop's id, as `stops list` shows it.")],
    reason: Reason = "",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
) -> None:
    """Lift a stop; what it kept back goes on."""
    _do(home, database, lambda desk: desk.lift(stop, who, reason), drain=True)
    show(f"{stop}: lifted")
