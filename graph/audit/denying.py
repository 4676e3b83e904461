"""Refusals for the audit log: the first of its kind in a minute is noted, the rest are counted, so that no flood fills a disk."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime

from ..clock import Clock
from ..errors import StoreError
from ..store.session import Store
from . import records

KINDS = 60
"""How many kinds of refusal one process notes one by one in a minute; the rest of that minute is only counted."""

LONGEST = 200
"""How many characters of a name from outside are kept."""

log = logging.getLogger("assent")

Kind = tuple[str, str, str]


class Denials:
    """What this process refused; bounded to `KINDS` notes and one count a minute, whatever is thrown at it."""

    def __init__(self, store: Store, clock: Clock, tenant: str) -> None:
        self._store, self._clock, self._tenant = store, clock, tenant
        self._minute = 0
        self._noted: set[Kind] = set()
        self._counted: Counter[Kind] = Counter()

    async def note(self, actor: str, door: str, reason: str = "", *, address: str = "") -> None:
        """Note that `actor` was refused at `door`; a database that cannot be written is logged and refuses nobody less."""
        await self._turn()
        kind = (_bounded(actor) or "anonymous", _bounded(door), _bounded(reason))
        if kind in self._noted or len(self._noted) >= KINDS:
            self._count(kind)
            return
        self._noted.add(kind)
        try:
            async with self._store.begin() as tx:
                payload = {"address": _bounded(address)} if address else None
                records.denied(tx, self._tenant, self._clock(), *kind, payload)
        except StoreError as error:
            log.warning("a refusal could not be noted: %s", error)
            self._count(kind)

    async def flush(self) -> None:
        """Note how many refusals were only counted until now."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            async with self._store.begin() as tx:
                since = datetime.fromtimestamp(self._minute * 60, UTC)
                records.denials_counted(tx, self._tenant, self._clock(), since, counted)
        except StoreError as error:
            log.warning("counted refusals could not be noted: %s", error)
            self._counted.update(counted)

    def _count(self, kind: Kind) -> None:
        known = kind in self._counted or len(self._counted) < KINDS
        self._counted[kind if known else ("others", "others", "")] += 1

    async def _turn(self) -> None:
        minute = int(self._clock().timestamp() // 60)
        if minute != self._minute:
            await self.flush()
            self._minute, self._noted = minute, set()


def _bounded(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text)[:LONGEST])
