"""One crash each: a process works a case until an armed point ends it; then others take up what the dead have left."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assent.graph.crashpoints import POINTS, VARIABLE
from desk import Place, all_drained, approved_and_drained, asked, card_of, opened, payees_of, people, settled, sqlite_place
from fakes import Bank, approve
from oracle import Found, judge
from processes import asking, one

PROPOSING = ("after-propose", "after-record", "before-interrupt")
"""Points before anything waits: the one who dies there was told of a message."""

DOUBTFUL = ("after-claim", "before-effect", "after-effect")
"""Points at which nobody can know whether a tool without a key has acted."""

UNDOING = ("after-undo-claim", "after-undo-effect")
"""Points of an undo, of which the same is true."""

PREFIX = {"after-quorum-partial": "q", **dict.fromkeys(UNDOING, "u")}
"""How the cases are called in which a point is reached, where not every case reaches it; see `desk.POLICY`."""

SEALS = {"before-seal": 3, "after-seal": 3}
"""How many audit events a decided case writes until it is done: decided, claimed, finished."""

MEMORY = "/dev/shm"
"""Where files are kept if there is such a place: a killed process loses what it had in its hands, not what it had written."""


@contextmanager
def places(database: str, *, idempotent: bool) -> Any:
    """Lend a place on a fresh database."""
    with tempfile.TemporaryDirectory(prefix="assent-faults-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        if database == "sqlite":
            yield sqlite_place(Path(folder), idempotent)
            return
        import postgres

        with postgres.fresh() as url:
            yield Place(url, Bank(Path(folder) / "bank.db"), idempotent)


async def victim(place: Place, point: str, thread: str) -> None:
    """Work one case until the armed point ends this process."""
    os.environ[VARIABLE] = point
    async with opened(place) as desk:
        if point.partition(":")[0] in PROPOSING:
            await desk.send(thread, f"Pay {payees_of(thread)[0]}.", requester="carol")
            await desk.drain()
            return
        if point in UNDOING:
            (action,) = [line.action for line in await desk.feed("ada", limit=1000) if line.thread == thread]
            await desk.undo(action, "ada", "a mistake")
            await desk.drain()
            return
        card = await card_of(desk, payees_of(thread)[0])
        await desk.decide(card.id, approve(card), "ada")
        await desk.drain()


def crash(database: str, point: str, size: int, *, idempotent: bool) -> Found:
    """Kill `size` processes at a point, each in a case of its own, and let the living go on; returns what the judge found."""
    return crash_at(database, [numbered(point, index) for index in range(size)], idempotent=idempotent)


def numbered(point: str, index: int) -> str:
    """Return a point as it is armed: one that is reached more than once is armed for each of its times in turn."""
    return f"{point}:{1 + index % SEALS[point]}" if point in SEALS else point


def crash_at(database: str, points: Sequence[str], *, idempotent: bool) -> Found:
    """Kill one process at each of these points, each in a case of its own."""
    threads = [f"{PREFIX.get(point, 't')}{index}" for index, point in enumerate(points)]
    waiting = [thread for thread, point in zip(threads, points, strict=True) if point not in PROPOSING]
    with places(database, idempotent=idempotent) as place:
        assert one(asked, place, waiting) == 0 if waiting else one(people, place) == 0
        for thread, point in zip(threads, points, strict=True):
            assert one(victim, place, point, thread) == -9, f"nobody died at {point}"
        assert one(approved_and_drained, place) == 0
        payees = [payee for thread in threads for payee in payees_of(thread)]
        first = asking(judge, place, payees)
        if idempotent:
            assert first.unknown == sum(point in UNDOING for point in points), "a tool with a key left a doubt"
        assert one(all_drained, place) == 0
        assert len(place.bank.calls) == len(place.bank.payments) or idempotent
        assert one(settled, place) == 0
        last = asking(judge, place, payees)
        assert last.unknown == 0, "a settled doubt came back"
        for name in ("lost", "twice", "without"):
            getattr(first, name).extend(getattr(last, name))
        return first


def any_points(size: int, seed: int) -> list[str]:
    """Return points in random order, as a machine that loses its power picks them."""
    chosen = random.Random(seed)
    return [numbered(point, chosen.randrange(3)) for point in chosen.choices(POINTS, k=size)]
