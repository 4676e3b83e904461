"""Claims on PostgreSQL that have to wait for a lock: what is read after it is what holds then, on any server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import assent
import psycopg
import pytest
import sqlalchemy as sa
from assent.graph.authority.claiming import Claimed, Withheld
from assent.graph.authority.ledger import Ledger
from assent.graph.clock import fresh_id
from assent.graph.errors import Unauthorised
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Policy, on
from assent.graph.rules.terms import Terms
from assent.graph.store import reviews, stops, threads
from assent.graph.store.control_models import StopRow
from assent.graph.work.leases import lease
from fakes import Script, approve, asks, calls, on_thread, staff

SHORT = Policy((on("pay", always("review", "People look.", Terms(valid=10))),))


@asynccontextmanager
async def approved(url, till, clock):
    """Open a desk with a payment that is approved and not begun; lends the desk and a claim of it, not started yet."""
    async with assent.open(url, clock=clock) as desk:
        await staff(desk)
        agent = desk.agent(tools=till.tools, policy=SHORT, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
        await agent.ainvoke(asks(), on_thread())
        (card,) = await desk.pending("ada")
        await desk.decide(card.id, approve(card), "ada")
        async with desk.store.read() as tx:
            (row,) = await reviews.actions_of_thread(tx, "t1")
        async with lease(desk.store, "t1", clock) as owner:
            yield desk, Ledger(desk.store, clock).claim(row.id, owner, row.tool_digest, idempotent=False, nonce="n")


async def somebody_waits(url):
    """Return once a session of this database waits for a lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(1000):
            if await (await connection.execute(query)).fetchone() is not None:
                return
            await asyncio.sleep(0.01)
    raise TimeoutError("Nobody waits for a lock.")


@pytest.mark.parametrize(("seconds", "runs"), [(9, True), (11, False)])
async def test_an_approval_that_ran_out_while_the_claim_waited_lets_nothing_run(postgres_url, till, clock, seconds, runs):
    async with approved(postgres_url, till, clock) as (desk, claim):
        async with desk.store.begin() as tx:
            await threads.lock(tx, "t1")
            claiming = asyncio.create_task(claim)
            await somebody_waits(postgres_url)
            clock.forward(seconds)
        if runs:
            assert isinstance(await claiming, Claimed)
        else:
            with pytest.raises(Unauthorised):
                await claiming


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_a_claim_that_waited_for_a_stop_sees_it_whatever_the_servers_isolation(postgres_url, till, clock, isolation):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = sa.make_url(postgres_url).database
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'".encode())
    async with approved(postgres_url, till, clock) as (desk, claim):
        async with desk.store.begin() as tx:
            await stops.seize(tx, desk.tenant)
            claiming = asyncio.create_task(claim)
            await somebody_waits(postgres_url)
            await stops.add(tx, StopRow(id=fresh_id("stop"), tenant=desk.tenant, scope="all", by="lee", at=clock()))
        assert isinstance(await claiming, Withheld)
