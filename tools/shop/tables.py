"""The shop's SQLite tables and the opened shop; it holds no rule about who may do what."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiosqlite

from .seeding import read_customers, seed

SCHEMA: tuple[str, ...] = (
    """CREATE TABLE IF NOT EXISTS customers (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS addresses (
        customer_id TEXT NOT NULL REFERENCES customers(id), label TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (customer_id, label)) STRICT""",
    """CREATE TABLE IF NOT EXISTS orders (
        id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers(id), placed TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('placed', 'packed', 'shipped', 'delivered', 'cancelled')),
        ship_to TEXT NOT NULL, shipping_fee INTEGER NOT NULL CHECK (shipping_fee >= 0),
        paid INTEGER NOT NULL CHECK (paid >= 0)) STRICT""",
    "CREATE INDEX IF NOT EXISTS orders_of_customer ON orders(customer_id)",
    """CREATE TABLE IF NOT EXISTS items (
        order_id TEXT NOT NULL REFERENCES orders(id), position INTEGER NOT NULL, sku TEXT NOT NULL, name TEXT NOT NULL,
        price INTEGER NOT NULL CHECK (price >= 0), quantity INTEGER NOT NULL CHECK (quantity > 0),
        PRIMARY KEY (order_id, position)) STRICT""",
    """CREATE TABLE IF NOT EXISTS shipments (
        order_id TEXT PRIMARY KEY REFERENCES orders(id), carrier TEXT NOT NULL, tracking TEXT NOT NULL,
        shipped TEXT NOT NULL, delivered TEXT) STRICT""",
    """CREATE TABLE IF NOT EXISTS refunds (
        id INTEGER PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id),
        amount INTEGER NOT NULL CHECK (amount > 0), reason TEXT NOT NULL, key TEXT UNIQUE, made REAL) STRICT""",
    "CREATE INDEX IF NOT EXISTS refunds_of_order ON refunds(order_id)",
    """CREATE TABLE IF NOT EXISTS address_changes (
        id INTEGER PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders(id), previous TEXT NOT NULL,
        address TEXT NOT NULL, key TEXT UNIQUE, made REAL NOT NULL, undone REAL) STRICT""",
    """CREATE TABLE IF NOT EXISTS hand_overs (
        id INTEGER PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers(id), thread TEXT NOT NULL,
        team TEXT NOT NULL, note TEXT NOT NULL, key TEXT UNIQUE, made REAL NOT NULL, undone REAL) STRICT""",
)
"""Money is whole pence, days are ISO dates, moments are epoch seconds; a `key` makes an effect happen once."""

_PATIENCE_MS = 10_000
"""How long a transaction waits for another process before SQLite gives up, in milliseconds."""


@dataclass(slots=True)
class Shop:
    """An opened shop: one connection, used by one transaction at a time, and the folder for outgoing mail."""

    connection: aiosqlite.Connection
    outbox: Path
    clock: Callable[[], float] = time.time
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[aiosqlite.Connection]:
        """Open a transaction that sees one unchanging state; whatever it did is rolled back."""
        async with self._turn:
            try:
                await self.connection.execute("BEGIN")
                yield self.connection
            finally:
                await self.connection.rollback()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[aiosqlite.Connection]:
        """Open a transaction that holds the write lock from its start; it commits at the end, or not at all."""
        async with self._turn:
            try:
                await self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
                await self.connection.commit()
            finally:
                await self.connection.rollback()


async def _prepare(connection: aiosqlite.Connection) -> None:
    connection.row_factory = aiosqlite.Row
    await connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    await connection.execute("PRAGMA journal_mode = WAL")
    await connection.execute("PRAGMA synchronous = FULL")
    await connection.execute("PRAGMA foreign_keys = ON")


@asynccontextmanager
async def open_shop(
    path: str | os.PathLike[str],
    *,
    outbox: str | os.PathLike[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Shop]:
    """Open the shop kept in the SQLite file `path`, creating and seeding it where needed.

    Args:
        path: the database file; its folder is created.
        outbox: where sent replies are put as .eml files; default is a folder `outbox` beside the database.
        data: a folder with customers-*.json to seed from (default: the packaged one); customers already there stay.
        clock: seconds since the epoch.
    """
    customers = await asyncio.to_thread(read_customers, None if data is None else Path(data))
    file = Path(path)
    folder = file.parent / "outbox" if outbox is None else Path(outbox)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
    async with aiosqlite.connect(file, isolation_level=None) as connection:
        await _prepare(connection)
        shop = Shop(connection, folder, clock)
        async with shop.changing() as db:
            for statement in SCHEMA:
                await db.execute(statement)
            await seed(db, customers)
        yield shop
