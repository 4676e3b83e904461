"""What past decisions teach the model at once: the accepted actions of similar cases, as precedents; it never decides.

A developer's playbook of demonstrations stands beside them, so that a weak model is of use on the first day.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from .precedents import Embedder, Example, PrecedentIndex
from .proposing import Precedent
from .store import examples
from .store.models import ExampleRow
from .store.session import Store

NEAREST = 24
"""How many precedents a step has: votes count them all, a small model is shown the nearest few."""

SETTLED_SECONDS = 60.0
"""After so long no transaction is open any more that took a lower sequence number than one that was read."""

OPEN_AT_ONCE = 1_000
"""So many transactions at most were open when the memory was first read."""


class Memory:
    """The examples of one tenant and agent, kept in step with the store."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        tenant: str,
        agent: str,
        k: int = NEAREST,
        playbook: Sequence[Example] = (),
    ) -> None:
        self._store, self._tenant, self._agent, self._k = store, tenant, agent, k
        self._embedder = embedder
        self._index = PrecedentIndex(embedder)
        self._playbook = {example.example_id: example for example in playbook}
        self._seen: int | None = None
        self._reads: deque[tuple[float, int]] = deque()
        self._lock = asyncio.Lock()

    async def nearest(self, text: str) -> tuple[Precedent, ...]:
        """Return the precedents most similar to `text`, best first; none when there is nothing to learn from."""
        await self.refresh()
        if not len(self._index) or not text.strip():
            return ()
        found = await self._index.nearest(text, self._k)
        return tuple(replace(one, decided=one.example_id not in self._playbook) for one in found)

    async def refresh(self) -> None:
        """Take in what was decided since, and let go what was taken out."""
        async with self._lock:
            if self._seen is None:
                await self._index.add(list(self._playbook.values()))
                self._seen = 0
            async with self._store.read() as tx:
                fresh = await examples.page(tx, self._tenant, after=self._settled(), limit=10_000)
                gone = await examples.retired_ids(tx, self._tenant)
            fresh = [row for row in fresh if row.id not in self._index]
            usable = [row for row in fresh if row.accepted is not None and row.agent == self._agent and row.text.strip()]
            await self._index.add([_example(row) for row in usable])
            for example in gone:
                self._index.remove(example)
            self._seen = max([self._seen, *(row.sequence or 0 for row in fresh)])
            if not self._reads:  # what was open at the first look took one of the last numbers
                self._reads.append((-inf, max(0, self._seen - OPEN_AT_ONCE)))
            self._reads.append((asyncio.get_running_loop().time(), self._seen))

    def _settled(self) -> int:
        """Return up to where nothing can appear any more: PostgreSQL hands numbers out before it commits, in any order."""
        long_ago = asyncio.get_running_loop().time() - SETTLED_SECONDS
        while len(self._reads) > 1 and self._reads[1][0] < long_ago:
            self._reads.popleft()
        return self._reads[0][1] if self._reads else 0


def _example(row: ExampleRow) -> Example:
    return Example(row.id, row.text, row.tool, dict(row.accepted or {}))
