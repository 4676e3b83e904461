"""LangGraph's checkpointer beside our rows, with a serializer that builds no type a row asks for (strict msgpack, no pickle)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from .store.session import BUSY_TIMEOUT_MS, Store

POOL = 8
"""Connections that one process keeps to PostgreSQL for checkpoints."""


def checkpointer(store: Store) -> AbstractAsyncContextManager[BaseCheckpointSaver[str]]:
    """Open the checkpointer on the store's database; every write is on disk before the run goes on."""
    return _sqlite(store) if store.is_sqlite else _postgresql(store)


def _strict() -> JsonPlusSerializer:
    return JsonPlusSerializer(allowed_msgpack_modules=None)


@asynccontextmanager
async def _sqlite(store: Store) -> AsyncIterator[BaseCheckpointSaver[str]]:
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with aiosqlite.connect(str(store.path), timeout=BUSY_TIMEOUT_MS / 1000) as connection:
        await connection.execute("PRAGMA synchronous=FULL")
        saver = AsyncSqliteSaver(connection, serde=_strict())
        saver.jsonplus_serde = _strict()
        await saver.setup()
        yield saver


@asynccontextmanager
async def _postgresql(store: Store) -> AsyncIterator[BaseCheckpointSaver[str]]:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        store.conninfo,
        min_size=0,
        max_size=POOL,
        timeout=8,
        reconnect_timeout=2,  # its pauses grow up to half of this: a database that is back is found at once
        open=False,
        check=AsyncConnectionPool.check_connection,  # a server that was restarted leaves dead connections behind
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row, "connect_timeout": 10},
    )
    async with pool:
        saver = AsyncPostgresSaver(pool, serde=_strict())
        # a real transaction for each step: half of a step's writes would look like a step that ended, and the agent would stop
        saver.supports_pipeline = False
        yield saver
