"""LangGraph's checkpointer beside our rows, with a serializer that builds no type a row asks for (strict msgpack, no pickle)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from .store.session import BUSY_TIMEOUT_MS, Store


@asynccontextmanager
async def checkpointer(store: Store) -> AsyncIterator[AsyncSqliteSaver]:
    """Open the checkpointer on the store's database; every write is on disk before the run goes on."""
    async with aiosqlite.connect(str(store.path), timeout=BUSY_TIMEOUT_MS / 1000) as connection:
        await connection.execute("PRAGMA synchronous=FULL")
        saver = AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        saver.jsonplus_serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        await saver.setup()
        yield saver
