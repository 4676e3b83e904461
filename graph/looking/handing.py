"""Who was handed what a moment ago: people who ask for work at the same time get different cards first; it reserves nothing.

It is the memory of one process, for the moment between asking and taking a card: from then on the card's lease keeps others away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .views import ReviewCard

MOMENT = timedelta(seconds=30)


class Handed:
    """The card that each person was handed first, and when."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, datetime]] = {}

    def others(self, actor: str, now: datetime) -> frozenset[str]:
        """Return the cards that somebody else was just handed."""
        self._first = {name: one for name, one in self._first.items() if now - one[1] < MOMENT}
        return frozenset(card for name, (card, _) in self._first.items() if name != actor)

    def hand(self, actor: str, cards: Sequence[ReviewCard], now: datetime) -> list[ReviewCard]:
        """Return the cards in their order, but last those that somebody else was just handed; the first one counts as handed."""
        taken = self.others(actor, now)
        given = sorted(cards, key=lambda card: card.id in taken)
        if given:
            self._first[actor] = (given[0].id, now)
        return given
