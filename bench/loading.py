"""Fills a database with pending reviews, inside the database: a first one is copied with what has to differ."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import sqlalchemy as sa
from assent.graph.actions import Action
from assent.graph.authority.asking import review_of
from assent.graph.canonical import VERSION, canonical
from assent.graph.rules.terms import DEFAULT
from assent.graph.store.models import ActionRow, ReviewRow, ThreadRow
from assent.graph.store.people_models import UserRow
from assent.graph.store.session import Store
from sqlmodel import SQLModel

TENANT = "main"
PER_THREAD, PER_REQUESTER = 5, 20
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ARGS = {"order_id": "10482", "amount": "41.50", "reason": "The parcel arrived two weeks late and the box was wet."}
SAID = [{"role": "requester", "text": "My parcel came two weeks late and everything in it was wet. I want some money back."}]

FIRST = 10_000_000
"""Ids count from here, so that all are equally long and their digests can be worked out from one pattern."""

THREAD, ACTION, REQUESTER = f"'t' || ({FIRST} + n / {PER_THREAD})", f"'act_' || ({FIRST} + n)", f"'c' || (n / {PER_REQUESTER})"

COPIED: dict[type[SQLModel], dict[str, str]] = {
    ThreadRow: {"id": THREAD, "requester": REQUESTER},
    ActionRow: {"id": ACTION, "thread": THREAD, "requester": REQUESTER, "digest": "DIGEST"},
    ReviewRow: {
        "number": "n + 1",
        "id": "'rev_' || n",
        "action": ACTION,
        "thread": THREAD,
        "requester": REQUESTER,
        "digest": "DIGEST",
        "priority": "((n * 97) % 100003) / 20000.0",
    },
}
"""Per table, what differs from the first row, in SQL over the number `n` of the review."""

HASHED = {"sqlite": "sha256hex({})", "postgresql": "encode(sha256(convert_to({}, 'UTF8')), 'hex')"}


def people(count: int) -> list[str]:
    """Return the names of the operators that `load` adds."""
    return [f"op{number}" for number in range(count)]


def load(url: str, pending: int, operators: int = 1) -> None:
    """Add operators and `pending` reviews."""
    asyncio.run(_first(url, operators))
    statements = [_copied(table, pending, HASHED[url.split(":")[0]]) for table in COPIED]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sa.make_url(url).database or "", isolation_level=None)) as connection:
            connection.create_function("sha256hex", 1, lambda text: hashlib.sha256(text.encode()).hexdigest())
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


def _copied(table: type[SQLModel], pending: int, hashed: str) -> str:
    """Return the INSERT that copies the first row of a table for the reviews 1 and up."""
    name, changed = str(table.__tablename__), {**COPIED[table]}
    if "digest" in changed:
        changed["digest"] = hashed.format(_signed())
    columns = [column.name for column in sa.inspect(table).columns]
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f'f."{column}"') for column in columns)
    step = PER_THREAD if table is ThreadRow else 1
    numbers = f"WITH RECURSIVE i(n) AS (SELECT {step} UNION ALL SELECT n + {step} FROM i WHERE n + {step} < {pending})"
    first = {ThreadRow: f"t{FIRST}", ActionRow: f"act_{FIRST}", ReviewRow: "rev_0"}[table]
    return f"INSERT INTO {name} ({quoted}) {numbers} SELECT {values} FROM i, {name} AS f WHERE f.id = '{first}' AND n < {pending}"


def _signed() -> str:
    """Return, in SQL, the text whose SHA-256 is an action's digest."""
    thread, action = f"t{FIRST}", f"act_{FIRST}"
    signed = (VERSION + canonical(["action", "refund", "d" * 64, ARGS, thread, action, TENANT])).decode()
    if hashlib.sha256(signed.encode()).hexdigest() != _action().digest():
        raise RuntimeError("the digest of an action is made in another way now; change this too")
    return f"replace(replace('{signed}', '{thread}', {THREAD}), '{action}', {ACTION})"


def _action() -> Action:
    return Action(f"act_{FIRST}", TENANT, f"t{FIRST}", "assent", "c0", "refund", "d" * 64, ARGS, "costly")


async def _first(url: str, operators: int) -> None:
    action = _action()
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
        tx.add(ThreadRow(id=action.thread, tenant=TENANT, agent="assent", requester="c0", created_at=NOW))
        tx.add_all([UserRow(name=name, tenant=TENANT, role="operator", created_at=NOW) for name in people(operators)])
        await tx.flush()
        tx.add(row)
        await tx.flush()
        tx.add(review)
    await store.close()
