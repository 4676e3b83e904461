"""How a database means to carry out what a door asks of it: scans and sorts of what grows with the queue are named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

GROWING = ("reviews", "actions", "threads")
"""The tables that the benchmark fills; what is empty is rightly read as a whole."""

FEW = 100
"""So many rows may be sorted: what belongs to one review or thread."""

TOLD = ("SELECT", "UPDATE", "DELETE", "WITH")


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement as a door sent it."""

    sql: str
    parameters: Any


@contextmanager
def watched() -> Iterator[list[Asked]]:
    """Collect every statement that this process sends meanwhile."""
    found: list[Asked] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().startswith(TOLD) and not many:
            found.append(Asked(statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def offences(url: str, asked: Sequence[Asked]) -> list[str]:
    """Return what the plans of these statements read or sort as a whole, and where; nothing is carried out."""
    named = sa.make_url(url)
    if named.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(named.database or "")) as connection:
            return [fault for one in asked for fault in _of_sqlite(connection, one)]
    address = named.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, cursor_factory=psycopg.ClientCursor) as server:
        return [fault for one in asked for fault in _of_postgresql(server, one)]


def _of_sqlite(connection: sqlite3.Connection, asked: Asked) -> list[str]:
    steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {asked.sql}", asked.parameters)]
    read = [step for step in steps if step.startswith(("SCAN ", "SEARCH ")) and _table(step.split()[1]) in GROWING]
    scans = [step for step in read if step.startswith("SCAN ")]
    sorts = [step for step in steps if read and "TEMP B-TREE" in step]
    return [f"{fault}: {_short(asked)}" for fault in scans + sorts]


def _of_postgresql(server: psycopg.Connection[Any], asked: Asked) -> list[str]:
    found = server.execute(f"EXPLAIN (FORMAT JSON) {asked.sql}".encode(), asked.parameters).fetchone()
    nodes = list(_nodes(found[0][0]["Plan"])) if found else []
    scans = [f"Seq Scan on {node['Relation Name']}" for node in nodes if _scans(node)]
    sorts = [f"{node['Node Type']} by {node.get('Sort Key')}" for node in nodes if _sorts(node)]
    return [f"{fault}: {_short(asked)}" for fault in scans + sorts]


def _scans(node: dict[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROWING


def _sorts(node: dict[str, Any]) -> bool:
    return "Sort" in node["Node Type"] and node["Plan Rows"] > FEW


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _table(name: str) -> str:
    """Return a table's name without the number that an alias adds to it."""
    return name.rstrip("0123456789").rstrip("_")


def _short(asked: Asked) -> str:
    return " ".join(asked.sql.split())[:300]
