"""`assent inbox`: decide from a terminal, through the same door as the desk; the decision is carried out before it returns."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from ...evals.opening import open_desk
from ...graph.authority.deciding import Decided
from ...graph.desk import Desk
from ...graph.looking.views import ReviewCard
from .database import Database
from .place import OPERATOR, reopen_place
from .say import Failed, out, print_json, show, wait_for
from .shown import visible_text
from .standing import add_commands, standing

app = typer.Typer(help="List, show and decide what waits.", no_args_is_help=True)

Home = Annotated[Path, typer.Option(envvar="ASSENT_HOME", help="The folder the desk lives in.")]
Who = Annotated[str, typer.Option("--as", envvar="ASSENT_USER", help="The user who decides; the default is the demo's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(help="The review's number (12 or RQ-12) or id.")]
Model = Annotated[str | None, typer.Option(help="The model that goes on after the decision; default: the embedded one.")]


@app.command("list")
def list_reviews(
    home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False, limit: int = 50
) -> None:
    """List what waits, most urgent first, and what else needs a person."""

    async def work() -> tuple[list[ReviewCard], list[Any]]:
        async with opened(home, database) as desk:
            return await desk.pending(who, limit=limit), await desk.tasks(who)

    cards, tasks = wait_for(work())
    if as_json:
        print_json({"pending": [card.as_json() for card in cards], "tasks": [task.as_json() for task in tasks]})
        return
    now = datetime.now(UTC)
    table = Table("review", "action", "arguments", "for", "confidence", "why you are asked", "where it stands", box=None)
    for card in cards:
        sure = card.confidence["value"] if card.confidence else None
        words = (f"RQ-{card.number}", f"{card.title} ({card.consequence})", visible_text(_short(card.args)), card.requester)
        why = next((one["text"] for one in card.reasons if one["ruling"] == "review"), "")
        table.add_row(
            *(Text(word) for word in (*words, "" if sure is None else f"{sure:.2f} uncertified", why, standing(card, now)))
        )
    out.print(table) if cards else show("Nothing waits.")
    for task in tasks:
        show(f"needs a person ({task.kind}): {task.title} {_short(task.args)} {task.text} [{task.subject}]")
        show(f"  {task.next}")


def _short(args: dict[str, Any]) -> str:
    text = ", ".join(f"{name}={value}" for name, value in args.items())
    return text if len(text) <= 90 else text[:89] + "…"


@app.command("show")
def show_review(
    which: Which, home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False
) -> None:
    """Show one review with everything a decision needs."""

    async def work() -> ReviewCard:
        async with opened(home, database) as desk:
            return await found(desk, which, who)

    card = wait_for(work())
    if as_json:
        print_json(card.as_json())
        return
    show(f"RQ-{card.number}  {card.title}  ({card.consequence}, for {card.requester}, {card.status})")
    for name, value in card.args.items():
        show(f"  {name}: {_text(value)}")
    _section(
        "edited from", [f"{name}: {_text(value)}" for name, value in (card.proposed or {}).items() if value != card.args.get(name)]
    )
    stands = [standing(card, datetime.now(UTC)), visible_text(card.close_reason), visible_text(card.blocked)]
    _section("where it stands", [line for line in stands if line])
    _section("why you are asked", [f"{one['check']}: {one['text']}" for one in card.reasons])
    _section("evidence", [one["text"] for one in card.evidence])
    if card.confidence:
        value = card.confidence["value"]
        _section("confidence (uncertified)", ["not measured" if value is None else f"{value:.2f}"])
    _section("conversation (not checked)", [f"{turn['role']}: {visible_text(turn['text'])}" for turn in card.conversation])


def _text(value: Any) -> str:
    return visible_text(value if isinstance(value, str) else json.dumps(value))


def _section(title: str, lines: list[str]) -> None:
    if lines:
        show(f"{title}:")
    for line in lines:
        show(f"  {line}")


@app.command()
def approve(
    which: Which,
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Let the action run exactly as shown."""
    _decide(which, home, database, who, as_json, model, {"type": "approve"})


@app.command()
def edit(
    which: Which,
    changes: Annotated[list[str], typer.Argument(help="Fields to change: amount=12.50 note='new text'.")],
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Let the action run with changed arguments; values are JSON where they parse as the field's type, else text."""
    _decide(which, home, database, who, as_json, model, {"type": "edit", "changes": changes})


@app.command()
def reject(
    which: Which,
    reason: Annotated[str, typer.Option(help="Why, in a few words.")],
    feedback: Annotated[str, typer.Option(help="What the agent should know.")] = "",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Do not run the action; the agent hears why and may try something else."""
    _decide(which, home, database, who, as_json, model, {"type": "reject", "reason": reason, "feedback": feedback})


@app.command()
def respond(
    which: Which,
    message: Annotated[str, typer.Option(help="What the agent hears in the tool's place.")],
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Answer in the tool's place; the action does not run."""
    _decide(which, home, database, who, as_json, model, {"type": "respond", "message": message})


@app.command()
def settle(
    action: Annotated[str, typer.Argument(help="The action's id, as `inbox list` shows it.")],
    outcome: Annotated[str, typer.Argument(help="done or not_done.")],
    note: str = "",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
) -> None:
    """Say what became of an execution whose outcome nobody knows."""

    async def work() -> None:
        async with opened(home, database) as desk:
            await desk.settle(action, outcome, who, note)  # type: ignore[arg-type]  # checked by the desk
            await desk.drain()

    wait_for(work())
    show(f"{action}: {outcome}")


@app.command()
def retry(
    thread: Annotated[str, typer.Argument(help="The case, as `inbox list` shows it.")],
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    model: Model = None,
) -> None:
    """Let an agent that could not go on try again."""

    async def work() -> None:
        async with opened(home, database, model) as desk:
            await desk.retry(thread, who)
            await desk.drain()

    wait_for(work())
    show(f"{thread}: tried again")


def _decide(
    which: str, home: Path, database: str | None, who: str, as_json: bool, model: str | None, answer: dict[str, Any]
) -> None:
    async def work() -> dict[str, Any]:
        async with opened(home, database, model) as desk:
            card = await found(desk, which, who)
            wanted = dict(answer)
            if "changes" in wanted:
                wanted["args"] = _edited(card, wanted.pop("changes"))
            decided = await desk.decide(card.id, {**wanted, "digest": card.digest}, who)
            await desk.drain()
            lines = await desk.history(who, limit=200, automatic=False)
            line = next(one for one in lines if one.review == card.id)
            return {"review": card.id, "number": card.number, "status": decided.status, **_counts(decided), **line.as_json()}

    try:
        done = wait_for(work())
    except ValidationError as error:
        raise Failed(f"{error.errors()[0]['msg']}.", 2) from None
    if as_json:
        print_json(done)
        return
    show(f"RQ-{done['number']} {done['status']} by {who}: {done['title']} {_short(done['accepted'] or done['args'])}")
    _tell(done)


def _tell(done: dict[str, Any]) -> None:
    """Say what a decision came to, and what the card was, which is told only now."""
    for line in (done["revealed"], done["hasty"]):
        if line:
            show(line)
    if done["probe"]:
        return
    if done["outcome"]:
        show(f"{done['outcome']}: {done['result']}")
    elif done["status"] == "pending":
        show(f"{done['approvals']} of {done['quorum']} approved: it still waits for somebody else.")
    elif done["status"] == "approved":
        show("Not carried out yet: a worker, or whoever is at work on this case, does it next.")


def _edited(card: ReviewCard, changes: list[str]) -> dict[str, Any]:
    """Return the card's arguments with the changes; a value keeps its field's type where it parses as it."""
    args = dict(card.args)
    for change in changes:
        name, sign, text = change.partition("=")
        if not sign or name not in card.schema.get("properties", {}):
            known = ", ".join(card.schema.get("properties", {}))
            raise Failed(f"{change!r} is not a change: write field=value, with a field of {known}.", 2)
        args[name] = _value(text, card.schema["properties"][name])
    return args


def _value(text: str, schema: dict[str, Any]) -> Any:
    kinds = {schema.get("type"), *(part.get("type") for part in schema.get("anyOf", []))}
    if "string" in kinds:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


async def found(desk: Desk, which: str, who: str) -> ReviewCard:
    """Return the review that somebody named by number or id."""
    number = which.upper().removeprefix("RQ-")
    if not number.isdigit():
        return await desk.card(which, who)
    return await desk.card_by_number(int(number), who)


@asynccontextmanager
async def opened(home: Path, database: str | None, model: str | None = None) -> AsyncIterator[Desk]:
    """Open the named database, whose workers carry decisions out, or the demo, which does it here."""
    if database:
        async with open_desk(database) as desk:
            yield desk
    else:
        async with reopen_place(home, model) as place:
            yield place.desk


def _counts(decided: Decided) -> dict[str, Any]:
    told = {"probe": decided.probe, "revealed": decided.revealed, "hasty": decided.hasty}
    return {"approvals": decided.approvals, "quorum": decided.quorum, **told}


add_commands(app, opened, found)
