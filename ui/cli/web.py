"""`assent serve`: the desk in a browser, for a deployment; keeps nothing of its own, so that several may run."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Annotated, Any

import typer

from ...evals.opening import open_desk
from ...graph.desk import Desk
from ...graph.errors import SchemaTooNew, StoreError
from ...graph.store import migrate
from ..settings import UiSettings
from .database import Database, named, shown
from .demo import free_port
from .say import Failed, err, show, tell, wait_for
from .target import Target, load, prepared
from .working import Tenant, quiet_libraries

WATCH_SECONDS = 5.0
GRACE_SECONDS = 60.0
"""How long running work may take to end when the desk is stopped."""

LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    target: Target,
    database: Database = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 7860,
    name: Annotated[list[str] | None, typer.Option(help="A host name the desk answers to; may be given several times.")] = None,
    https: Annotated[
        bool, typer.Option("--https", help="The desk is reached over https: cookies are sent over nothing else.")
    ] = False,
    proxy: Annotated[bool, typer.Option("--proxy", help="Believe X-Forwarded-* headers: a proxy of yours is in front.")] = False,
    worker: Annotated[bool, typer.Option("--worker", help="Carry out decisions in this process too.")] = False,
    tenant: Tenant = "main",
) -> None:
    """Serve the desk in a browser; decisions are carried out by `assent worker`, or here with --worker."""
    url = named(database)
    if host not in LOCAL and not name:
        raise Failed("Say with --name which host names the desk answers to; any other is refused.", 2)
    free_port(port, host)
    quiet_libraries()
    hosts = UiSettings().hosts | frozenset(name or ())
    settings = UiSettings(hosts=hosts, secure_cookies=https, trust_proxy=proxy, run_worker=False)
    address = f"{'https' if https else 'http'}://{name[0] if name else f'{host}:{port}'}/"
    wait_for(_served(target, url, tenant, settings, host, port, worker, address))
    tell("Stopped. What waits is kept.")


async def _served(
    target: str, url: str, tenant: str, settings: UiSettings, host: str, port: int, worker: bool, address: str
) -> None:
    build = load(target)
    async with open_desk(url, tenant=tenant) as desk, prepared(target, build, desk):
        with err.status("Opening the desk"):
            server = await asyncio.to_thread(_server, desk, settings, host, port)
        for one in (signal.SIGTERM, signal.SIGINT):  # or uvicorn would end the process before its leases were given back
            asyncio.get_running_loop().add_signal_handler(one, setattr, server, "should_exit", True)
        serving = asyncio.create_task(server.serve())
        beside = asyncio.create_task(desk.worker.run() if worker else _watched(desk))
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if server.started:
            tell(f"The desk of {shown(url)}{' and its worker' if worker else ''}; stop with Ctrl-C or SIGTERM.")
            show(address)
            if not any(one.role == "admin" and one.active and one.tenant == tenant for one in await desk.users.list()):
                tell("There is no admin yet: `assent users create-admin NAME` on this database makes the first one.")
        await asyncio.wait((serving, beside), return_when=asyncio.FIRST_COMPLETED)
        await _ended(desk, server, serving, beside, GRACE_SECONDS if worker else 0.0)


async def _ended(desk: Desk, server: Any, serving: asyncio.Task[None], beside: asyncio.Task[None], grace: float) -> None:
    """End both; raises what ended either, such as a newer schema."""
    server.should_exit = True
    await serving
    desk.worker.stop()
    await asyncio.wait((beside,), timeout=grace)
    beside.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beside


async def _watched(desk: Desk) -> None:
    """Wait until cancelled; raises SchemaTooNew when a newer version raises the schema meanwhile."""
    while True:
        try:
            await migrate.check(desk.store)
        except SchemaTooNew:
            raise
        except StoreError:  # away for a moment: nothing can be said of its schema
            await asyncio.sleep(WATCH_SECONDS)
        await asyncio.sleep(WATCH_SECONDS)


def _server(desk: Desk, settings: UiSettings, host: str, port: int) -> Any:
    """Return the web server; imports gradio, which takes seconds."""
    import uvicorn

    from .. import create_app

    app = create_app(desk, settings)
    return uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False))
