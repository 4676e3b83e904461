"""`assent worker`: carries out what was decided, on any machine, any number of them."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Annotated

import typer

from ...evals.opening import open_desk
from .database import Database, named, shown
from .say import tell, wait_for
from .target import Target, load, prepared

Tenant = Annotated[str, typer.Option(help="Whose work this is.")]


def worker(
    target: Target,
    database: Database = None,
    concurrency: Annotated[int, typer.Option(help="How many threads are driven at once.", min=1, max=64)] = 4,
    grace: Annotated[float, typer.Option(help="Seconds that running work has to end when the worker is stopped.", min=0)] = 60.0,
    tenant: Tenant = "main",
) -> None:
    """Carry out what people decided and hand new messages to the agents, until stopped; several may run."""
    url = named(database)
    quiet_libraries()
    wait_for(_work(target, url, concurrency, grace, tenant))
    tell("Stopped. What waits is kept; any worker goes on with it.")


async def _work(target: str, url: str, concurrency: int, grace: float, tenant: str) -> None:
    build = load(target)
    async with open_desk(url, tenant=tenant) as desk, prepared(target, build, desk):
        if not desk.agents:
            tell(f"{target} added no agent; nothing will be taken until it does.")
        running = asyncio.create_task(desk.worker.run(concurrency))
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if desk.worker.is_stopping:
                running.cancel()  # asked twice
                return
            tell(f"Stopping: what runs has {grace:g} seconds to end.")
            desk.worker.stop()
            loop.call_later(grace, running.cancel)

        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, stop)
        tell(f"Working for {', '.join(sorted(desk.agents)) or 'nobody'} on {shown(url)}; stop with Ctrl-C or SIGTERM.")
        try:
            await running
        except asyncio.CancelledError:
            tell("Cut off what was still running; its leases were given back.")


def quiet_libraries() -> None:
    """Let the log say in our words, and once, that the database is away."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("psycopg.pool", "sqlalchemy.pool", "procrastinate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
