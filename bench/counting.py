"""Exact counts that do not depend on the machine: function calls, commits that reach the disk, bytes; it measures no time."""

from __future__ import annotations

import sqlite3
import struct
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

WAL_HEADER, FRAME_HEADER = 32, 24
"""Bytes; https://www.sqlite.org/fileformat2.html#walformat."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a database's write-ahead log took in."""

    commits: int
    """Transactions that wrote; with synchronous=FULL each of them syncs the log once."""
    pages: int

    def __sub__(self, earlier: Written) -> Written:
        return Written(self.commits - earlier.commits, self.pages - earlier.pages)


def written(database: Path) -> Written:
    """Count the frames of the log of a database, and those that end a commit (their header holds the database's size)."""
    log = database.with_name(database.name + "-wal")
    data = log.read_bytes() if log.exists() else b""
    if len(data) < WAL_HEADER:
        return Written(0, 0)
    (page,) = struct.unpack_from(">I", data, 8)
    salts, commits, pages = data[16:24], 0, 0
    for start in range(WAL_HEADER, len(data) - FRAME_HEADER - page + 1, FRAME_HEADER + page):
        if data[start + 8 : start + 16] != salts:
            break  # left over from before the log was last restarted
        pages += 1
        commits += data[start + 4 : start + 8] != b"\0\0\0\0"
    return Written(commits, pages)


@contextmanager
def growing_log(database: Path) -> Iterator[None]:
    """Empty the log, then keep it from being restarted: a view that stays open lets no checkpoint pass it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as view:
        _truncate(view)
        view.execute("BEGIN")
        view.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield
        view.execute("ROLLBACK")


def used_bytes(database: Path) -> int:
    """Return the bytes of the pages in use, everything in the log included."""
    with closing(sqlite3.connect(database, isolation_level=None)) as view:
        _truncate(view)
        pages, free, size = (view.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
    return int((pages - free) * size)


def _truncate(view: sqlite3.Connection) -> None:
    if view.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise RuntimeError("the log is in use; the counts would be wrong")


class Calls:
    """Counts calls, of Python functions and of built-in ones, by the module that makes or receives them.

    As cProfile counts: entering a function, resuming a coroutine or generator, and calling a built-in function; a
    built-in counts for the module that calls it. Only threads started inside `watching` are seen, besides the one
    that enters `counting`.
    """

    def __init__(self) -> None:
        self._here = threading.local()
        self._all: list[tuple[int, Counter[str]]] = []
        self._on = False

    def _hook(self, frame: FrameType, event: str, argument: Any) -> None:
        if self._on and event in ("call", "c_call"):
            self._mine()[frame.f_globals.get("__name__", "?")] += 1

    def _mine(self) -> Counter[str]:
        mine: Counter[str] | None = getattr(self._here, "counts", None)
        if mine is None:  # one counter per thread: adding is not atomic
            mine = self._here.counts = Counter()
            self._all.append((threading.get_ident(), mine))
        return mine

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every thread that starts from here on."""
        threading.setprofile(self._hook)
        try:
            yield
        finally:
            threading.setprofile(None)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count from here on, in this thread and in the watched ones."""
        sys.setprofile(self._hook)
        self._on = True
        try:
            yield
        finally:
            self._on = False
            sys.setprofile(None)

    def here(self) -> int:
        """Return the calls of this thread so far."""
        return sum(sum(counts.values()) for thread, counts in self._all if thread == threading.get_ident())

    def total(self) -> int:
        """Return the calls of all threads so far."""
        return sum(sum(counts.values()) for _, counts in self._all)

    def by_module(self) -> Counter[str]:
        """Return the calls of all threads by module."""
        merged: Counter[str] = Counter()
        for _, counts in self._all:
            merged.update(counts)
        return merged
