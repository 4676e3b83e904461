"""Signs the head of the audit chain into a file outside the database, on a schedule and only when it moved; it verifies nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ..clock import Clock, fresh_id
from ..errors import AssentError
from ..store import chores, events, settings
from ..store.session import Store
from . import signing
from .auditing import SIGNED
from .signing import SignedHead, SigningError

EVERY = timedelta(minutes=5)
LEASE = timedelta(seconds=30)

TROUBLE = "audit.trouble"
"""The setting that says why heads cannot be signed, and since when; empty when they can."""

log = logging.getLogger("assent")


@dataclass(frozen=True, slots=True)
class Signing:
    """Where the private key is, and where signed heads go."""

    key: Path
    heads: Path


def signing_of(environment: Mapping[str, str]) -> Signing | None:
    """Return what the environment names: `ASSENT_AUDIT_KEY` with `ASSENT_AUDIT_HEADS`; raises AssentError for one of the two."""
    key, heads = environment.get("ASSENT_AUDIT_KEY", ""), environment.get("ASSENT_AUDIT_HEADS", "")
    if not key and not heads:
        return None
    if not key or not heads:
        raise AssentError("ASSENT_AUDIT_KEY and ASSENT_AUDIT_HEADS belong together: the key, and the file for signed heads.")
    return Signing(Path(key), Path(heads))


async def sign(store: Store, clock: Clock, tenant: str, where: Signing) -> SignedHead | None:
    """Sign the head and append it to the file; None if it was signed before. Raises SigningError, StoreError."""
    key = await asyncio.to_thread(signing.read_key, where.key)
    async with store.read() as tx:
        seq, hash = await events.head(tx, tenant)
        known = signing.as_head(await settings.get(tx, tenant, SIGNED))
    same = known is not None and (known.seq, known.hash, known.key) == (seq, hash, signing.key_id(key.public))
    if seq == 0 or (same and await asyncio.to_thread(_is_in, where.heads, seq)):
        return None
    head = key.sign(tenant, seq, hash, clock().isoformat(timespec="microseconds"))
    await asyncio.to_thread(signing.append, where.heads, head)
    async with store.begin() as tx:
        await settings.put(tx, tenant, SIGNED, head.as_json(), clock())
    return head


def _is_in(heads: Path, seq: int) -> bool:
    return heads.exists() and any(head.seq == seq for head in signing.read_heads(heads))


class Signer:
    """Signs every five minutes what has been added since; any number of processes may have one."""

    def __init__(self, store: Store, clock: Clock, tenant: str, where: Signing | None) -> None:
        self._store, self._clock, self._tenant, self._where = store, clock, tenant, where
        self._owner = fresh_id("signer")
        self._looked: datetime | None = None

    async def __call__(self) -> int:
        """Sign if it is time and nobody else does; returns how many heads were signed, always fewer than two."""
        now = self._clock()
        if self._where is None or (self._looked is not None and now - self._looked < EVERY):
            return 0
        self._looked = now
        async with self._store.begin() as tx:
            if not await chores.take(tx, f"sign {self._tenant}", self._owner, now, LEASE):
                return 0
        try:
            signed = await sign(self._store, self._clock, self._tenant, self._where)
        except SigningError as error:
            log.warning("the head of the audit log cannot be signed: %s", error)
            await self._told({"text": str(error), "since": now.isoformat()})
            return 0
        finally:
            async with self._store.begin() as tx:
                await chores.release(tx, f"sign {self._tenant}", self._owner, self._clock())
        await self._told({})
        return 0 if signed is None else 1

    async def _told(self, trouble: dict[str, str]) -> None:
        async with self._store.begin() as tx:
            known = await settings.get(tx, self._tenant, TROUBLE) or {}
            if trouble.get("text") != known.get("text"):
                await settings.put(tx, self._tenant, TROUBLE, trouble, self._clock())
