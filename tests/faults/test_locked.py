"""Another program writes to the SQLite file for twelve seconds: whoever decides meanwhile waits, and nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import assent
import pytest
from fakes import SAFE, Script, Till, approve, asks, calls, on_thread, staff

pytestmark = pytest.mark.faults

HELD_SECONDS = 12.0
PAY = calls(("pay", {"to": "bob", "amount": 5}))


def hold(path: str, held: threading.Event, seconds: float) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    held.set()
    threading.Event().wait(seconds)
    connection.execute("COMMIT")
    connection.close()


async def test_a_decision_waits_for_a_writer_that_takes_its_time_and_then_runs_once(url, tmp_path):
    till = Till()
    async with assent.open(url) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY))
        await agent.ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
        held = threading.Event()
        holder = asyncio.create_task(asyncio.to_thread(hold, str(tmp_path / "desk.db"), held, HELD_SECONDS))
        await asyncio.to_thread(held.wait)
        assert (await desk.card(card.id, "bob")).status == "pending", "reading goes on meanwhile"
        first, second = await asyncio.gather(
            desk.decide(card.id, approve(card), "ada"), desk.decide(card.id, approve(card), "bob"), return_exceptions=True
        )
        await holder
        assert [isinstance(one, assent.AssentError) for one in (first, second)].count(True) == 1, (first, second)
        await desk.drain()
        assert till.paid == [("pay", "bob", 5)] and await desk.tasks("ada") == []
