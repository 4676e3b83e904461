"""Which errors pass by themselves, so that a thread is tried again, and how they are told to people."""

from __future__ import annotations

import sqlite3
import sys

from ..errors import AssentError, Halfway, ModelUnavailable, QueueFull, StoreError

AWAY = "The connection to the database was lost while the agent was at work; it goes on when the database is back."


def is_away(error: BaseException | None) -> bool:
    """Tell whether an error says that the database is busy or away, in our words or in those of the checkpointer's driver."""
    return isinstance(error, (StoreError, sqlite3.OperationalError, *_driver_errors()))


def is_passing(error: BaseException) -> bool:
    """Tell whether a trouble passes by itself."""
    return is_away(error) or isinstance(error, (Halfway, ModelUnavailable, QueueFull))


def told(error: BaseException) -> str:
    """Return what happened, in words for the desk."""
    if isinstance(error, AssentError):
        return str(error)
    return AWAY if is_away(error) else f"Unexpected {type(error).__name__}: {error}"


def _driver_errors() -> tuple[type[BaseException], ...]:
    """Return what psycopg and its pool raise when the server is away; a pool's timeout is one of them."""
    psycopg = sys.modules.get("psycopg")  # where it was never imported it cannot have raised anything
    return (psycopg.OperationalError, psycopg.InterfaceError) if psycopg is not None else ()
