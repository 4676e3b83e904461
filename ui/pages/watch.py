"""What runs without being asked about: held actions to veto and done ones to undo; refuses to hide a deadline."""

from __future__ import annotations

from ..card import records_view
from .frames import navigation


def build() -> None:
    """Place the feed on the page that is being built."""
    navigation()
    records_view("watch")
