"""The desk's doors of evidence: what was refused goes on record, what was said can be erased, and what is old is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import erasing, restoring

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from ..clock import Clock
    from ..store.session import Store
    from .denying import Denials


class Evidence:
    """The part of a desk that keeps the record, and empties it where it must be emptied."""

    store: Store
    saver: BaseCheckpointSaver[str]
    clock: Clock
    denials: Denials

    async def denied(self, actor: str, door: str, reason: str = "", *, address: str = "") -> None:
        """Note for the audit log that somebody was refused at a door; floods are counted instead of listed."""
        await self.denials.note(actor, door, reason, address=address)

    async def erase(self, thread: str, actor: str, reason: str = "") -> erasing.Erased:
        """Erase what was said and shown in a thread that is at its end; only an admin may. See `erasing.erase`."""
        return await erasing.erase(self.store, self.saver, self.clock, thread, actor, reason)

    async def retain(self, days: float, actor: str) -> erasing.Retained:
        """Erase the threads of which nothing was said or proposed for so many days; only an admin may."""
        return await erasing.retain(self.store, self.saver, self.clock, days, actor)

    async def restored(self, actor: str) -> restoring.Restored:
        """Say that the database was restored from a backup: what may have run since is asked about, and does not run."""
        return await restoring.restored(self.store, self.clock, actor)
