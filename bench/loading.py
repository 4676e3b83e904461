"""Fills a database with pending reviews, inside the database: a first one is copied with what has to differ."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import sqlalchemy as sa
from assent.graph.actions import Action
from assent.graph.asking import review_of
from assent.graph.store.models import ActionRow, ReviewRow, ThreadRow
from assent.graph.store.people_models import UserRow
from assent.graph.store.session import Store
from assent.graph.terms import DEFAULT
from sqlmodel import SQLModel

TENANT = "main"
PER_THREAD, PER_REQUESTER = 5, 20
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ARGS = {"order_id": "10482", "amount": "41.50", "reason": "The parcel arrived two weeks late and the box was wet."}
SAID = [{"role": "requester", "text": "My parcel came two weeks late and everything in it was wet. I want some money back."}]

COPIED: dict[type[SQLModel], dict[str, str]] = {
    ThreadRow: {"id": f"'t' || (n / {PER_THREAD})", "requester": f"'c' || (n / {PER_REQUESTER})"},
    ActionRow: {
        "id": "'act_' || n",
        "thread": f"'t' || (n / {PER_THREAD})",
        "requester": f"'c' || (n / {PER_REQUESTER})",
    },
    ReviewRow: {
        "number": "n + 1",
        "id": "'rev_' || n",
        "action": "'act_' || n",
        "thread": f"'t' || (n / {PER_THREAD})",
        "requester": f"'c' || (n / {PER_REQUESTER})",
        "priority": "((n * 97) % 100003) / 20000.0",
    },
}
"""Per table, what differs from the first row, in SQL over the number `n` of the review."""


def people(count: int) -> list[str]:
    """Return the names of the operators that `load` adds."""
    return [f"op{number}" for number in range(count)]


def load(url: str, pending: int, operators: int = 1) -> None:
    """Add operators and `pending` reviews."""
    asyncio.run(_first(url, operators))
    statements = [_copied(table, pending) for table in COPIED]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sa.make_url(url).database or "", isolation_level=None)) as connection:
            connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-262144; BEGIN")
            for statement in statements:
                connection.execute(statement)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with psycopg.connect(sa.make_url(url).set(drivername="postgresql").render_as_string(False), autocommit=True) as server:
        server.execute(b"SET synchronous_commit=off")
        for statement in statements:
            server.execute(statement.encode())
        server.execute(f"SELECT setval(pg_get_serial_sequence('reviews', 'number'), {pending + 1})".encode())
        server.execute(b"VACUUM ANALYZE")


def _copied(table: type[SQLModel], pending: int) -> str:
    """Return the INSERT that copies row 0 of a table for the reviews 1 and up."""
    name, changed = str(table.__tablename__), COPIED[table]
    columns = [column.name for column in sa.inspect(table).columns]
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f'f."{column}"') for column in columns)
    step = PER_THREAD if table is ThreadRow else 1
    numbers = f"WITH RECURSIVE i(n) AS (SELECT {step} UNION ALL SELECT n + {step} FROM i WHERE n + {step} < {pending})"
    key = "'t0'" if table is ThreadRow else "'act_0'" if table is ActionRow else "'rev_0'"
    return f"INSERT INTO {name} ({quoted}) {numbers} SELECT {values} FROM i, {name} AS f WHERE f.id = {key} AND n < {pending}"


async def _first(url: str, operators: int) -> None:
    action = Action("act_0", TENANT, "t0", "assent", "c0", "refund", "d" * 64, ARGS, "costly")
    row = ActionRow(
        id=action.id, tenant=TENANT, thread=action.thread, agent=action.agent, requester=action.requester, tool=action.tool,
        tool_digest=action.tool_digest, args=ARGS, digest=action.digest(), consequence="costly", title="Refund an order",
        verdict="review", reasons=[{"check": "rule", "ruling": "review", "text": "Refunds above 20 wait for a person."}],
        readings=[], evidence=[], conversation=SAID, precedents=[], args_schema={"type": "object"}, provenance={"model": "none"},
        created_at=NOW,
    )  # fmt: skip
    review = review_of(row, DEFAULT, NOW)
    review.id, review.requester = "rev_0", row.requester
    store = Store(url)
    async with store.begin() as tx:
        tx.add(ThreadRow(id="t0", tenant=TENANT, agent="assent", requester="c0", created_at=NOW))
        tx.add_all([UserRow(name=name, tenant=TENANT, role="operator", created_at=NOW) for name in people(operators)])
        await tx.flush()
        tx.add(row)
        await tx.flush()
        tx.add(review)
    await store.close()
