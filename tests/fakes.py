"""Stand-ins where words are not the point: a scripted proposer, a clock set by hand, and a bank on a real file of its own."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import assent
import sqlalchemy as sa
from assent.tools.declaration import ActionTool
from langchain_core.messages import AIMessage

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAFE = assent.Policy((assent.on("look", lambda facts: assent.Ruling("allow", "Reading changes nothing.")),))
"""Lets `look` pass; everything else waits for a person."""


def calls(*wanted: tuple[str, dict[str, Any]], text: str = "", ids: Sequence[str] | None = None) -> AIMessage:
    """Return a model's message that proposes these calls."""
    named = ids or [f"call_{index}" for index in range(len(wanted))]
    return AIMessage(
        text, tool_calls=[{"name": name, "args": args, "id": id} for (name, args), id in zip(wanted, named, strict=True)]
    )


def says(text: str = "Done.") -> AIMessage:
    """Return a model's plain answer."""
    return AIMessage(text)


class Script:
    """A proposer that reads its lines in order: messages, exceptions to raise, or functions of the step; then it says `Done.`"""

    def __init__(self, *lines: Any) -> None:
        self.lines, self.steps = list(lines), []

    async def __call__(self, step: Any, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        self.steps.append(step)
        line = self.lines.pop(0) if self.lines else says()
        if callable(line):
            line = line(step)
            line = await line if inspect.isawaitable(line) else line
        if isinstance(line, Exception):
            raise line
        return line.model_copy(deep=True)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def later_clock(seconds: float) -> Callable[[], datetime]:
    """Return a running clock that is ahead by some seconds."""
    return lambda: datetime.now(UTC) + timedelta(seconds=seconds)


class Till:
    """Three tools and a list of what they really did."""

    def __init__(self) -> None:
        self.ran: list[tuple[Any, ...]] = []

        @assent.action(consequence="costly")
        async def pay(to: str, amount: int) -> str:
            """Pay somebody."""
            self.ran.append(("pay", to, amount))
            return f"paid {amount} to {to}"

        @assent.action(consequence="read")
        async def look(what: str) -> str:
            """Look something up."""
            self.ran.append(("look", what))
            return f"{what}: ok"

        @assent.action(consequence="reversible")
        async def note(text: str) -> str:
            """Write a note."""
            self.ran.append(("note", text))
            return "noted"

        self.pay, self.look, self.note = pay, look, note
        self.tools: list[ActionTool] = [pay, look, note]

    @property
    def paid(self) -> list[tuple[Any, ...]]:
        """The payments, in order."""
        return [one for one in self.ran if one[0] == "pay"]


class Bank:
    """Accounts in a SQLite file of their own, beside the desk's: the oracle that cannot be talked into anything."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with sqlite3.connect(path, timeout=30) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE IF NOT EXISTS calls (to_whom TEXT, amount INTEGER)")
            connection.execute("CREATE TABLE IF NOT EXISTS refunds (to_whom TEXT, amount INTEGER)")
            connection.execute("CREATE TABLE IF NOT EXISTS payments (key TEXT UNIQUE, to_whom TEXT, amount INTEGER)")
        connection.close()

    def pay(self, key: str | None, to: str, amount: int) -> None:
        """Pay; with a key the second payment under it changes nothing, without one every call pays."""
        connection = sqlite3.connect(self.path, timeout=30)
        with connection:
            connection.execute("INSERT INTO calls VALUES (?, ?)", (to, amount))
            connection.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, ?)", (key, to, amount))
        connection.close()

    def refund(self, to: str, amount: int) -> None:
        """Take a payment back; every call does."""
        connection = sqlite3.connect(self.path, timeout=30)
        with connection:
            connection.execute("INSERT INTO refunds VALUES (?, ?)", (to, amount))
        connection.close()

    @property
    def refunds(self) -> list[tuple[str, int]]:
        """What was taken back."""
        return self._all("SELECT to_whom, amount FROM refunds ORDER BY rowid")

    @property
    def payments(self) -> list[tuple[str, int]]:
        """What was paid."""
        return self._all("SELECT to_whom, amount FROM payments ORDER BY rowid")

    @property
    def calls(self) -> list[tuple[str, int]]:
        """How the bank was called, repeats included."""
        return self._all("SELECT to_whom, amount FROM calls ORDER BY rowid")

    def _all(self, query: str) -> list[tuple[str, int]]:
        connection = sqlite3.connect(self.path, timeout=30)
        found = connection.execute(query).fetchall()
        connection.close()
        return found


def drop_guards(connection: sqlite3.Connection) -> None:
    """Drop the triggers that keep the record, as only the owner of the database can."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


@contextmanager
def as_owner(url: str, *, guarded: bool = False) -> Iterator[sa.Connection]:
    """Reach around the desk into its rows, on either database; what keeps the record is out of the way unless `guarded`."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg"), poolclass=sa.NullPool
    )
    with engine.begin() as connection:
        if not guarded and engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        elif not guarded:
            drop_guards(connection.connection.driver_connection)  # type: ignore[arg-type]
        yield connection


def on_thread(thread: str = "t1", requester: str = "carol") -> dict[str, Any]:
    """Return a run's configuration."""
    return {"configurable": {"thread_id": thread, "requester": requester}}


def asks(text: str = "Please see to it.") -> dict[str, Any]:
    """Return a requester's message as a graph takes it."""
    return {"messages": [("user", text)]}


def approve(card: Any) -> dict[str, Any]:
    """Return an approval of a card as it was shown."""
    return {"type": "approve", "digest": card.digest}


def reject(card: Any, reason: str = "wrong", feedback: str = "") -> dict[str, Any]:
    """Return a rejection of a card as it was shown."""
    return {"type": "reject", "digest": card.digest, "reason": reason, "feedback": feedback}


def edit(card: Any, **args: Any) -> dict[str, Any]:
    """Return an edit of a card as it was shown."""
    return {"type": "edit", "digest": card.digest, "args": {**card.args, **args}}


def respond(card: Any, message: str) -> dict[str, Any]:
    """Return an answer in the tool's place."""
    return {"type": "respond", "digest": card.digest, "message": message}


async def staff(desk: Any) -> None:
    """Add the people of the tests: a viewer, two operators, a lead and an admin."""
    for name, role in (("vi", "viewer"), ("ada", "operator"), ("bob", "operator"), ("lee", "lead"), ("root", "admin")):
        if await desk.users.get(name) is None:
            await desk.users.add(name, role=role, tenant=desk.tenant)


def told(values: dict[str, Any]) -> list[str]:
    """Return what the tool messages of a state say."""
    return [str(message.content) for message in values["messages"] if message.type == "tool"]
