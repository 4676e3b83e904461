"""Room in the queue: whether one more action may wait, asked in the transaction that makes it wait; no count passes its cap."""

from __future__ import annotations

from ..errors import QueueFull
from ..store import reviews
from ..store.models import ActionRow
from ..store.session import AsyncSession
from .limits import Limits

SHARE = 20
"""A count of the whole queue serves for this part of the room that it found: what is full is met exactly, what is empty cheaply."""


class Room:
    """The limits of one process; the whole queue's may be passed by a twentieth of its room for each further process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._spare: dict[str, int] = {}

    async def crowded(self, tx: AsyncSession, tenant: str, thread: str, requester: str) -> tuple[str | None, int]:
        """Return why one more action may not wait, or None, and how many of its requester wait."""
        caps = (self.limits.per_thread, self.limits.per_requester)
        of_thread, of_requester = await reviews.crowd(tx, tenant, thread, requester, caps)
        return self.limits.crowded(of_thread, of_requester), of_requester

    async def admit(self, tx: AsyncSession, row: ActionRow, *, refusable: bool) -> int:
        """Return how many others of its requester wait before an action that is to wait; a crowd's verdict turns into `refuse`.

        Raises QueueFull when the queue is full, and for a crowd when the verdict can no longer turn.
        """
        full, waiting = await self.crowded(tx, row.tenant, row.thread, row.requester)
        if full is not None:
            if not refusable:
                raise QueueFull(full)
            row.verdict, row.reasons = "refuse", [{"check": "limits", "ruling": "refuse", "text": full}, *row.reasons]
            return waiting
        await self._whole(tx, row.tenant)
        return waiting

    async def _whole(self, tx: AsyncSession, tenant: str) -> None:
        if (left := self._spare.get(tenant, 0)) > 0:
            self._spare[tenant] = left - 1
            return
        count = await reviews.count_pending(tx, tenant, self.limits.queue)
        if count >= self.limits.queue:
            raise QueueFull
        self._spare[tenant] = (self.limits.queue - count) // SHARE
