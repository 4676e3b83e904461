"""What learns beside a desk: takes in audits at once, demotes where they say so, and offers certificates when labels allow.

Any number of processes may have one. Answers are taken in under the lock of their class, each once; the slow work is done by one
process at a time under a lease, outside any transaction and in a thread. Nothing is promoted here: that takes a person.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from ..graph.autonomy.learner import Learner as Protocol
from ..graph.clock import Clock
from ..graph.errors import StoreError
from ..graph.store import probes
from ..graph.store.autonomy_models import ProbeRow
from ..graph.store.session import Store
from .ladder.offering import Offers
from .reviewing.probing import mix_in
from .reviewing.reviewer_health import AGAIN, look
from .watch.counting import taken_in
from .watch.lowering import watched_over
from .watch.renewing import PATIENCE, renewed

__all__ = ["Learner"]

BATCH = 200

EVERY = 25
"""So many new decisions on a class make it worth looking at again."""

PAUSE = timedelta(minutes=10)
"""After so long a class with fewer new decisions is looked at all the same."""

log = logging.getLogger("assent")


class Learner(Protocol):
    """Learns for one desk."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tenant: str,
        *,
        every: int = EVERY,
        pause: timedelta = PAUSE,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._store, self._clock, self._tenant, self._patience = store, clock, tenant, patience
        self._offers = Offers(store, clock, tenant, every=every, pause=pause)
        self._unable = False
        self._looked: datetime | None = None

    async def count(self) -> int:
        """Take in what was answered since; a class is demoted in the transaction that takes in what speaks against it."""
        async with self._store.read() as tx:  # a look costs no write lock
            waiting = await probes.uncounted(tx, self._tenant, BATCH)
        taken = 0
        for (agent, tool), answers in groupby(sorted(waiting, key=_class), key=_class):
            taken += await self._counted(agent, tool, list(answers))
        return taken

    async def _counted(self, agent: str, tool: str, answers: Sequence[ProbeRow]) -> int:
        try:
            async with self._store.begin() as tx:
                return await taken_in(tx, self._tenant, agent, tool, answers, self._clock())
        except StoreError:
            raise
        except Exception:  # a class whose answers cannot be counted must not keep the others from being watched
            log.exception("what was answered about %s of %s could not be counted; it is tried again", tool, agent)
            return 0

    async def learn(self) -> int:
        """Do some of what is due; a fault of one part is told in the log and keeps no other from its turn."""
        changed = 0
        for part in self._parts():
            changed += await self._tried(part)
        return changed

    def _parts(self) -> Sequence[Callable[[], Awaitable[int]]]:
        return (self._watch, self._offer, self._mix_in, self._look)

    async def _tried(self, part: Callable[[], Awaitable[int]]) -> int:
        try:
            return await part()
        except StoreError:
            raise
        except Exception:  # learning must not end the sweep
            log.exception("a part of learning failed; it is tried again")
            return 0

    async def _watch(self) -> int:
        changed = await watched_over(self._store, self._clock, self._tenant)
        return changed + await renewed(self._store, self._clock, self._tenant, self._patience)

    async def _mix_in(self) -> int:
        return await mix_in(self._store, self._clock, self._tenant)

    async def _look(self) -> int:
        if self._looked is not None and self._clock() - self._looked < AGAIN:
            return 0
        self._looked = self._clock()
        return await look(self._store, self._clock, self._tenant)

    async def _offer(self) -> int:
        if self._unable:
            return 0
        try:
            return await self._offers()
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("scipy", "sklearn"):
                raise
            self._unable = True
            log.warning("no certificates are offered: %s is missing; pip install 'assent[calibrate]'", error.name)
            return 0


def _class(row: ProbeRow) -> tuple[str, str]:
    return row.agent, row.tool
