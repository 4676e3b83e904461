"""What was decided and what it taught; refuses to change either."""

from __future__ import annotations

from ..card import records_view
from .frames import navigation


def build() -> None:
    """Place the history and the examples on the page that is being built."""
    navigation()
    records_view("history")
    records_view("examples")
