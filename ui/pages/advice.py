"""What the evidence advises for each type of actions; refuses to change what runs."""

from __future__ import annotations

from ..card import records_view
from .frames import navigation


def build() -> None:
    """Place the advice on the page that is being built."""
    navigation()
    records_view("advice")
