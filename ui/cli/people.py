"""`assent users`: who may look and decide, how they get in, and what programs may do for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ...evals.opening import open_desk
from ...graph.access.tokens import SCOPES
from ...graph.desk import Desk
from .database import instead_of_home, url_of
from .inbox import Home, Json
from .say import Failed, print_json, show, tell, wait_for
from .working import Tenant

app = typer.Typer(help="Who may look and decide.", no_args_is_help=True)
app.callback(help="Who may look and decide.")(instead_of_home)

Admin = Annotated[str, typer.Option("--as", envvar="ASSENT_USER", help="The admin who does it.")]
Actor = Annotated[str, typer.Option("--as", envvar="ASSENT_USER", help="Who does it; default: the user for themselves.")]
Address = Annotated[str, typer.Option(envvar="ASSENT_ADDRESS", help="Where people reach the desk, for the link.")]
Link = Annotated[bool, typer.Option("--link", help="Print a one-time link that sets the password, and ask for none here.")]
LOCAL = "http://localhost:7860"


@app.command("create-admin")
def create_admin(
    name: str, link: Link = False, address: Address = LOCAL, tenant: Tenant = "main", home: Home = Path("desk")
) -> None:
    """Add the first admin; refused where there is one."""
    password = None if link else _asked()

    async def work() -> str:
        async with _opened(home) as desk:
            await desk.users.first_admin(name, password, tenant)
            return await desk.users.mint_first(name) if link else ""

    token = wait_for(work())
    show(f"{name} is admin")
    _tell_link(address, token)


@app.command()
def add(
    name: str,
    role: Annotated[str, typer.Option(help="service, viewer, operator, lead or admin.")] = "operator",
    who: Admin = "",
    link: Link = False,
    address: Address = LOCAL,
    home: Home = Path("desk"),
) -> None:
    """Add a user; a service gets no password, only tokens."""
    admin, service = _named(who), role == "service"
    password = None if link or service else _asked()

    async def work() -> str:
        async with _opened(home) as desk:
            await desk.users.add(name, password, role, by=admin)  # type: ignore[arg-type]  # checked by the desk
            return await desk.users.mint_first(name) if link and not service else ""

    token = wait_for(work())
    show(f"{name} is {role}")
    _tell_link(address, token)


@app.command("list")
def list_users(home: Home = Path("desk"), as_json: Json = False) -> None:
    """List users."""

    async def work() -> list[dict[str, Any]]:
        async with _opened(home) as desk:
            return [asdict(one) for one in await desk.users.list()]

    users = wait_for(work())
    if as_json:
        print_json(users)
        return
    for user in users:
        show(f"{user['name']}  {user['role']}{'' if user['active'] else '  (switched off)'}")


@app.command()
def role(name: str, new: Annotated[str, typer.Argument(metavar="ROLE")], who: Admin = "", home: Home = Path("desk")) -> None:
    """Give a user another role; ends their sessions."""
    admin = _named(who)

    async def work() -> None:
        async with _opened(home) as desk:
            await desk.users.set_role(name, new, admin)  # type: ignore[arg-type]  # checked by the desk

    wait_for(work())
    show(f"{name} is {new}")


@app.command()
def off(name: str, who: Admin = "", home: Home = Path("desk")) -> None:
    """Switch an account off; ends its sessions, and its tokens open nothing."""
    _switch(name, _named(who), home, active=False)


@app.command()
def on(name: str, who: Admin = "", home: Home = Path("desk")) -> None:
    """Switch an account on again."""
    _switch(name, _named(who), home, active=True)


@app.command()
def reset(name: str, who: Admin = "", address: Address = LOCAL, home: Home = Path("desk")) -> None:
    """Void a password, end all sessions, and print a one-time link that sets a new password."""
    admin = _named(who)

    async def work() -> tuple[str, int]:
        async with _opened(home) as desk:
            return await desk.users.mint_reset(name, admin), len(await desk.users.tokens.of(name))

    token, tokens = wait_for(work())
    show(f"{name} has no password and no session now")
    if tokens:
        tell(f"{tokens} API tokens of {name} still open doors; see `assent users tokens {name}`")
    _tell_link(address, token)


@app.command()
def unlock(name: str, who: Admin = "", home: Home = Path("desk")) -> None:
    """Let a name try to sign in at once, after too many failures."""
    admin = _named(who)

    async def work() -> bool:
        async with _opened(home) as desk:
            return await desk.users.unlock(name, admin)

    show(f"{name} may try again" if wait_for(work()) else f"{name} was not locked")


@app.command()
def sessions(
    name: str,
    end: Annotated[bool, typer.Option("--end", help="End all of them.")] = False,
    who: Actor = "",
    home: Home = Path("desk"),
    as_json: Json = False,
) -> None:
    """List a user's open sessions, or end them."""

    async def work() -> tuple[int, list[dict[str, Any]]]:
        async with _opened(home) as desk:
            await _known(desk, name)
            ended = await desk.users.end_sessions(name, who or name) if end else 0
            return ended, [asdict(one) for one in await desk.users.sessions.of(name)]

    ended, open_ones = wait_for(work())
    if as_json:
        print_json({"ended": ended, "sessions": open_ones})
        return
    if end:
        show(f"{ended} sessions of {name} ended")
    for one in open_ones:
        show(f"{one['id']}  used {one['used_at']:%d %b %H:%M} UTC, ends {one['expires_at']:%d %b %H:%M} UTC at the latest")


@app.command()
def token(
    name: str,
    scope: Annotated[list[str], typer.Option(help=f"What it may do, once or more: {', '.join(SCOPES)}.")],
    days: Annotated[float, typer.Option(help="For how many days it is good.")] = 30,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    who: Actor = "",
    home: Home = Path("desk"),
    as_json: Json = False,
) -> None:
    """Make an API token and show its secret, once."""

    async def work() -> tuple[str, dict[str, Any]]:
        async with _opened(home) as desk:
            secret, made = await desk.users.tokens.make(name, scope, who or name, days=days, label=label)
            return secret, asdict(made)

    secret, made = wait_for(work())
    if as_json:
        print_json({**made, "secret": secret})
        return
    tell(f"{made['id']} for {name}: {', '.join(made['scopes'])}, until {made['expires_at']:%d %b %Y}. It is not shown again:")
    show(secret)


@app.command()
def tokens(name: str, home: Home = Path("desk"), as_json: Json = False) -> None:
    """List a user's open API tokens."""

    async def work() -> list[dict[str, Any]]:
        async with _opened(home) as desk:
            await _known(desk, name)
            return [asdict(one) for one in await desk.users.tokens.of(name)]

    found = wait_for(work())
    if as_json:
        print_json(found)
        return
    for one in found:
        used = f"used {one['used_at']:%d %b %Y}" if one["used_at"] else "never used"
        show(f"{one['id']}  {', '.join(one['scopes'])}  until {one['expires_at']:%d %b %Y}  {used}  {one['label']}")


@app.command()
def revoke(name: str, token_id: str, who: Actor = "", home: Home = Path("desk")) -> None:
    """End an API token."""

    async def work() -> None:
        async with _opened(home) as desk:
            await desk.users.tokens.revoke(name, token_id, who or name)

    wait_for(work())
    show(f"{token_id} is revoked")


def _switch(name: str, admin: str, home: Path, *, active: bool) -> None:
    async def work() -> None:
        async with _opened(home) as desk:
            await desk.users.switch(name, admin, active=active)

    wait_for(work())
    show(f"{name} is switched {'on' if active else 'off'}")


def _named(who: str) -> str:
    if not who:
        raise Failed("Say which admin does this with --as NAME; the first admin is made with `assent users create-admin NAME`.", 2)
    return who


def _asked() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _tell_link(address: str, token: str) -> None:
    if token:
        tell("This link sets the password, once, within a day:")
        show(f"{address.rstrip('/')}/sign-in/reset?token={token}")


@asynccontextmanager
async def _opened(home: Path) -> AsyncIterator[Desk]:
    async with open_desk(url_of(home)) as desk:
        yield desk


async def _known(desk: Desk, name: str) -> None:
    """Raise Failed for a name that nobody has, so that a slip of the pen does not look like an account without access."""
    if await desk.users.get(name) is None:
        raise Failed(f"There is no user {name!r}; see `assent users list`.")
