"""The first page: one card, one key; refuses everything that would stand between them."""

from __future__ import annotations

from ..card import review_card
from .frames import navigation


def build() -> None:
    """Place the card on the page that is being built."""
    navigation()
    review_card()
