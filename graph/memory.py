"""What past decisions teach at once: the accepted actions of similar cases, as precedents, and the corrected; it never decides.

Corrected actions, edited or rejected, are for signals to measure with; no model is shown them. A developer's playbook of
demonstrations stands beside the precedents, so that a weak model is of use on the first day.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from .canonical import digest_of
from .comparing import only_cosmetic
from .made import made
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
        self._index, self._corrected = PrecedentIndex(embedder), PrecedentIndex(embedder)
        self._known: set[str] = set()
        self._playbook = {example.example_id: example for example in playbook}
        self._seen: int | None = None
        self._reads: deque[tuple[float, int]] = deque()
        self._lock = asyncio.Lock()

    @property
    def made_with(self) -> dict[str, Any]:
        """What decides which past cases are shown, for the key of a certificate: who finds them, how many, and the playbook.

        Not the cases themselves: each decision adds one, by design.
        """
        lines = sorted(digest_of("demonstration", one.text, one.tool, one.args, one.label) for one in self._playbook.values())
        return {"embedder": made(self._embedder), "k": self._k, "playbook": lines}

    async def nearest(self, text: str) -> tuple[Precedent, ...]:
        """Return the precedents most similar to `text`, best first; none when there is nothing to learn from."""
        return (await self.similar(text))[0]

    async def similar(self, text: str) -> tuple[tuple[Precedent, ...], tuple[Precedent, ...]]:
        """Return the precedents most similar to `text`, and the corrected actions most similar to it, each best first."""
        await self.refresh()
        if not (len(self._index) or len(self._corrected)) or not text.strip():
            return (), ()
        vector = await self._index.vector_of(text)
        found = self._index.nearest_to(vector, self._k)
        accepted = tuple(replace(one, decided=one.example_id not in self._playbook) for one in found)
        return accepted, self._corrected.nearest_to(vector, self._k)

    async def refresh(self) -> None:
        """Take in what was decided since, and let go what was taken out."""
        async with self._lock:
            if self._seen is None:
                await self._index.add(list(self._playbook.values()))
                self._seen = 0
            async with self._store.read() as tx:
                fresh = await examples.page(tx, self._tenant, after=self._settled(), limit=10_000)
                gone = await examples.retired_ids(tx, self._tenant)
            fresh = [row for row in fresh if row.id not in self._known]
            usable = [row for row in fresh if row.agent == self._agent and row.text.strip()]
            await self._index.add([_accepted(row) for row in usable if row.accepted is not None])
            await self._corrected.add([_proposed(row) for row in usable if is_corrected(row)])
            self._known.update(row.id for row in fresh)
            for example in gone:
                self._index.remove(example)
                self._corrected.remove(example)
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


def is_corrected(row: ExampleRow) -> bool:
    """Whether a person turned the proposed action down, or changed more of it than what is declared cosmetic."""
    if row.label == "edit":
        schema = next((offer.get("schema") or {} for offer in row.offers if offer.get("name") == row.tool), {})
        return not only_cosmetic(row.args, row.accepted or {}, schema)
    return row.label == "reject"


def _accepted(row: ExampleRow) -> Example:
    return Example(row.id, row.text, row.tool, dict(row.accepted or {}), row.label)


def _proposed(row: ExampleRow) -> Example:
    return Example(row.id, row.text, row.tool, dict(row.args), row.label)
