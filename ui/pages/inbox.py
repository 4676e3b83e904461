"""All that waits, to search and to open from, and what needs a person; refuses to decide in bulk."""

from __future__ import annotations

from ..card import records_view
from .frames import navigation


def build() -> None:
    """Place the list and the tasks on the page that is being built."""
    navigation()
    records_view("inbox")
    records_view("tasks")
