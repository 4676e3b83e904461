"""`assent autonomy`: what each class of actions may do, what its next level lacks, and the signature that gives it or takes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ...evals.ladder.levels import UNDO_SECONDS, VETO_SECONDS, demote, promote
from ...evals.ladder.overview import Standing, history, standing, standings
from ...evals.opening import open_desk
from ...graph.autonomy.levels import WORDS, Level
from ...graph.desk import Desk
from .database import Database, url_of
from .inbox import Home, Json, Who
from .place import OPERATOR
from .say import Failed, out, print_json, show, wait_for
from .shown import visible_text

app = typer.Typer(help="What each class of actions has earned: look, sign it up, take it down.", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(help="The agent's name.")]
Tool = Annotated[str, typer.Argument(help="The tool's name.")]
To = Annotated[str, typer.Argument(help="shadow, supervised, certified, monitored or sampled.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words; it is kept with the step.")]
Digest = Annotated[str | None, typer.Option(help="Of the evidence, as `show` prints it; without it you are asked.")]
Seconds = typer.Option(min=0.0, help="Seconds, at level monitored.")

LEVELS = {word: level for level, word in WORDS.items()}


def _do(home: Path, database: str | None, work: Callable[[Desk], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with open_desk(url_of(home, database)) as desk:
            return await work(desk)

    return wait_for(run())


def _level(word: str) -> Level:
    if word not in LEVELS:
        raise Failed(f"A level is one of {', '.join(LEVELS)}, not {word!r}.", 2)
    return LEVELS[word]


@app.command("list")
def list_classes(home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False) -> None:
    """List the classes of actions with their levels, and what the next level lacks."""
    found: list[Standing] = _do(home, database, lambda desk: standings(desk.store, desk.clock, who))
    if as_json:
        print_json([one.as_json() for one in found])
        return
    table = Table("agent", "tool", "level", "next", "what the next level lacks", box=None)
    for one in found:
        state = ", suspended" if one.suspended else ", unwatched" if one.unwatched else ""
        level = f"{WORDS[one.level]}{state}"
        lacks = " ".join(one.evidence.missing) or "nothing: it waits for a signature"
        table.add_row(*(Text(visible_text(word)) for word in (one.agent, one.tool, level, WORDS[one.evidence.to], lacks)))
    out.print(table) if found else show("Policy has ruled `gate` on no action yet, so there is no class that could earn anything.")


@app.command("show")
def show_class(
    agent: Agent, tool: Tool, home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False
) -> None:
    """Show one class with the evidence for its next level, and the digest that a signature names."""
    found: Standing = _do(home, database, lambda desk: standing(desk.store, desk.clock, who, agent, tool))
    if as_json:
        print_json({**found.as_json(), "evidence": dict(found.evidence.body)})
        return
    _print(found)


def _print(found: Standing) -> None:
    state = f", suspended: {found.suspended}" if found.suspended else ""
    passing = f"; passes from {found.threshold:.4f} on, {found.share:.0%} audited" if found.threshold is not None else ""
    show(visible_text(f"{found.agent} {found.tool}: {WORDS[found.level]}{state}{passing}"))
    if found.unwatched:
        show(visible_text(found.unwatched))
    show(f"next: {WORDS[found.evidence.to]}")
    for one in found.evidence.requirements:
        show(visible_text(f"  {'ok     ' if one.met else 'missing'}  {one.name}: {one.told}"))
    if risk := found.evidence.body["system_risk"]:
        show(f"  {risk['sentence']}")
    if head := found.evidence.body["head"]:
        show(visible_text(f"  head: {head['told']}"))
    if monitor := found.evidence.body["monitor"]:
        show(f"  monitor: {monitor['audits']} audits, {monitor['errors']} wrong, evidence {monitor['evidence']:.2f} (alarm at 20)")
    if found.evidence.offered:
        show(f"  certificate: {found.evidence.offered}")
    show(f"digest: {found.evidence.digest}")


@app.command("promote")
def promote_class(
    agent: Agent,
    tool: Tool,
    to: To,
    reason: Reason,
    digest: Digest = None,
    veto: Annotated[float, Seconds] = VETO_SECONDS,
    undo: Annotated[float, Seconds] = UNDO_SECONDS,
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
) -> None:
    """Sign a class up to its next level; a lead or an admin may, on exactly the evidence that was shown."""
    level = _level(to)

    async def work(desk: Desk) -> Standing:
        now = await standing(desk.store, desk.clock, who, agent, tool)
        if digest is None:
            _print(now)
            if not typer.confirm(f"Sign {agent} {tool} up to {to} on this evidence?"):
                raise Failed("Nothing was signed.")
        await promote(
            desk.store,
            desk.clock,
            agent,
            tool,
            level,
            who,
            certificate=now.evidence.offered,
            digest=digest or now.evidence.digest,
            reason=reason,
            veto=veto,
            undo=undo,
        )
        return await standing(desk.store, desk.clock, who, agent, tool)

    _tell(_do(home, database, work), as_json)


@app.command("demote")
def demote_class(
    agent: Agent,
    tool: Tool,
    to: To,
    reason: Reason,
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
) -> None:
    """Take a class down any number of levels, from its next action on; a lead or an admin may."""
    level = _level(to)

    async def work(desk: Desk) -> Standing:
        await demote(desk.store, desk.clock, agent, tool, level, who, reason=reason)
        return await standing(desk.store, desk.clock, who, agent, tool)

    _tell(_do(home, database, work), as_json)


def _tell(found: Standing, as_json: bool) -> None:
    if as_json:
        print_json(found.as_json())
        return
    passing = f", passes from {found.threshold:.4f} on, {found.share:.0%} audited" if found.threshold is not None else ""
    show(visible_text(f"{found.agent} {found.tool}: {WORDS[found.level]} from the next action on{passing}"))


@app.command("history")
def show_history(
    agent: Agent, tool: Tool, home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False
) -> None:
    """Show how a class came to its level, newest first."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        found = await history(desk.store, who, agent, tool)
        if not found:
            await standing(desk.store, desk.clock, who, agent, tool)  # says so where there is no such class
        return found

    steps: list[dict[str, Any]] = _do(home, database, work)
    if as_json:
        print_json(steps)
        return
    for step in steps:
        show(visible_text(f"{step['at']}  {step['before']} -> {step['after']} by {step['by']}: {step['reason']}"))
    if not steps:
        show("Nobody ever moved this class: it is supervised.")
