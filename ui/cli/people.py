"""`assent users`: who may look and decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...graph.opening import open_desk
from .examples import url_of
from .inbox import Home, Json
from .say import print_json, show, wait_for

app = typer.Typer(help="Who may look and decide.", no_args_is_help=True)


@app.command()
def add(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, operator, lead or admin.")] = "operator",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
    home: Home = Path("desk"),
) -> None:
    """Add a user with a password."""

    async def work() -> None:
        async with open_desk(url_of(home)) as desk:
            await desk.users.add(name, password, role)  # type: ignore[arg-type]  # checked by the desk

    wait_for(work())
    show(f"{name} is {role}")


@app.command("list")
def list_users(home: Home = Path("desk"), as_json: Json = False) -> None:
    """List users."""

    async def work() -> list[dict[str, object]]:
        async with open_desk(url_of(home)) as desk:
            found = await desk.users.list()
            return [{"name": one.name, "role": one.role, "tenant": one.tenant, "active": one.active} for one in found]

    users = wait_for(work())
    if as_json:
        print_json(users)
        return
    for user in users:
        show(f"{user['name']}  {user['role']}{'' if user['active'] else '  (switched off)'}")
