"""The desk's doors of time and control: later, longer, somebody else, not at all, back again, stop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from . import timing

if TYPE_CHECKING:
    from .clock import Clock
    from .store.session import Store


class Controls:
    """The part of a desk that holds work back, moves it in time and takes it back."""

    store: Store
    clock: Clock

    async def snooze(self, review_id: str, until: datetime, actor: str) -> None:
        """Put a review aside until a moment before it is due; it wakes by itself, and to warn."""
        await timing.snooze(self.store, self.clock, review_id, until, actor)

    async def unsnooze(self, review_id: str, actor: str) -> None:
        """Put a snoozed review back into the queue."""
        await timing.unsnooze(self.store, self.clock, review_id, actor)

    async def escalate(self, review_id: str, to: str, actor: str, reason: str = "") -> None:
        """Call in a role (`role:lead`), needed from then on, or a person (`user:ada`); it comes first, and people are told."""
        await timing.escalate(self.store, self.clock, review_id, to, actor, reason)

    async def extend(self, review_id: str, until: datetime, actor: str, reason: str = "") -> None:
        """Give a review longer, up to 30 days after it was asked; its warning moves along."""
        await timing.extend(self.store, self.clock, review_id, until, actor, reason)
