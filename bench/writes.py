"""How many transactions that write one pause and resume takes on PostgreSQL, beside stock LangGraph: `python -m bench.writes`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import assent
import psycopg
import sqlalchemy as sa
from langchain_core.tools import tool
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from .databases import databases
from .peers import ANSWER, REVIEWER, AssentPeer, LangGraphPeer, Peer, Scripted, hand_written, transfer_to
from .report import machine_line

WARM_UP, COUNTED = 2, 5

NEXT = b"SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""The number of the next transaction that writes; asking takes none."""


def main() -> None:
    """Count, print; exits with 1 if a cycle did not do its work."""
    with databases(("postgresql",)) as made:
        urls = [sa.make_url(made.fresh("postgresql")).set(drivername="postgresql").render_as_string(False) for _ in range(2)]
        found = asyncio.run(_counted(urls))
    print(f"{'transactions that write':<26}{'LangGraph':>12}{'Assent':>12}{'Assent / LangGraph':>22}")
    for number, leg in enumerate(("pause", "resume")):
        reference, ours = (median(cycle[number] for cycle in cycles) for cycles in found)
        print(f"  {leg:<24}{reference:>12g}{ours:>12g}{ours / reference:>22.2f}")
    print(f"PostgreSQL, {COUNTED} cycles; {machine_line()}")


async def _counted(urls: list[str]) -> list[list[tuple[int, int]]]:
    found = []
    for opened, url in zip((langgraph, our_own), urls, strict=True):
        print(f"counting on {opened.__name__}", file=sys.stderr, flush=True)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watch, opened(url) as peer:
            for number in range(WARM_UP):
                await peer.resume(f"w{number}", await peer.pause(f"w{number}"))
            found.append([await _cycle(watch, peer, f"c{number}") for number in range(COUNTED)])
    return found


async def _cycle(watch: psycopg.AsyncConnection, peer: Peer, run: str) -> tuple[int, int]:
    """Return how many transactions wrote in a pause and in its resume."""
    peer.ran.clear()
    first = await _next(watch)
    ticket = await peer.pause(run)
    middle = await _next(watch)
    await peer.resume(run, ticket)
    last = await _next(watch)
    if len(peer.ran) != 1 or await peer.answer(run) != ANSWER:
        raise SystemExit(f"The tool ran {len(peer.ran)} times in one cycle, or the answer is not stored.")
    return middle - first, last - middle


async def _next(watch: psycopg.AsyncConnection) -> int:
    row = await (await watch.execute(NEXT)).fetchone()
    return int(row[0]) if row else 0


@asynccontextmanager
async def langgraph(url: str) -> AsyncIterator[Peer]:
    """Open stock LangGraph."""
    ran: list[str] = []
    async with AsyncPostgresSaver.from_conn_string(url) as saver:
        await saver.setup()
        yield LangGraphPeer(Path(), hand_written(tool(transfer_to(ran)), saver), ran)


@asynccontextmanager
async def our_own(url: str) -> AsyncIterator[Peer]:
    """Open Assent, with one reviewer and a policy under which everything is reviewed."""
    ran: list[str] = []
    async with assent.open(url) as desk:
        await desk.users.add(REVIEWER, role="operator")
        pay = assent.action(consequence="costly")(transfer_to(ran))
        yield AssentPeer(Path(), desk, desk.agent(Scripted(), [pay], policy=assent.Policy(())), ran)


if __name__ == "__main__":
    main()
