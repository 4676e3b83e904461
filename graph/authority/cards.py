"""The desk's doors to a card that somebody works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import card_leases
from .card_leases import CardLease

if TYPE_CHECKING:
    from ..clock import Clock
    from ..store.session import Store


class Cards:
    """The part of a desk that keeps two people from working on one card."""

    store: Store
    clock: Clock

    async def take(self, review_id: str, actor: str, *, over: bool = False) -> CardLease:
        """Take a card for two minutes, or keep it for two more; a lead may take it `over` from somebody else.

        Raises HeldByAnother with who and until when, AlreadyDecided, NotAllowed, UnknownReview.
        """
        return await card_leases.take(self.store, self.clock, review_id, actor, over=over)

    async def release(self, review_id: str, actor: str) -> None:
        """Give a card back; one that is somebody else's by now stays theirs."""
        await card_leases.release(self.store, review_id, actor)
