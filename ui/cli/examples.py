"""`assent examples`: what decisions taught, to look at and to take away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from ...evals.exports import FORMATS, export
from ...evals.opening import open_desk
from ...graph.looking.views import ExampleView
from .database import Database, url_of
from .inbox import Home, Json, Who
from .place import OPERATOR
from .say import Failed, out, print_json, show, tell, wait_for

app = typer.Typer(help="What decisions taught.", no_args_is_help=True)


@app.command("list")
def list_examples(
    home: Home = Path("desk"), database: Database = None, who: Who = OPERATOR, as_json: Json = False, limit: int = 200
) -> None:
    """List examples, oldest first, those taken out too."""

    async def work() -> list[ExampleView]:
        async with open_desk(url_of(home, database)) as desk:
            return await desk.examples(who, limit=limit)

    found = wait_for(work())
    if as_json:
        print_json([one.as_json() for one in found])
        return
    table = Table("example", "decision", "by", "tool", "message", "taken out", box=None)
    for one in found:
        words = (one.id, one.label, one.actor, one.tool, one.text[:60].replace("\n", " "), one.retired_by or "")
        table.add_row(*(Text(word) for word in words))
    out.print(table) if found else show("There are no examples yet; every decision makes one.")


@app.command("export")
def export_examples(
    format: Annotated[str, typer.Option(help="jsonl, openai-sft, openai-dpo, trl-sft, trl-dpo or trl-kto.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")] = None,
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
) -> None:
    """Write examples in a format that trainers read, one JSON object a line."""
    if format not in FORMATS:
        raise Failed(f"--format is one of {', '.join(FORMATS)}, not {format!r}.", 2)

    async def work() -> list[str]:
        async with open_desk(url_of(home, database)) as desk:
            user = await desk.users.get(who)
            if user is None:
                raise Failed(f"There is no user {who!r}; see `assent users list`.")
            return [line async for line in export(desk.store, user.tenant, format)]

    lines = wait_for(work())
    if not lines:
        tell(f"assent: no example fits {format}; preference pairs need an edit, or a rejection with an accepted alternative")
    text = "".join(f"{line.rstrip()}\n" for line in lines)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        tell(f"{len(lines)} lines in {output}")


@app.command()
def retire(
    example: Annotated[str, typer.Argument(help="The example's id.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
) -> None:
    """Take an example out, so that it teaches no more."""

    async def work() -> None:
        async with open_desk(url_of(home, database)) as desk:
            await desk.retire(example, who, reason)

    wait_for(work())
    show(f"{example} is taken out")
