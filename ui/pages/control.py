"""The stop button and what it holds back; refuses to stop anything by one stray click."""

from __future__ import annotations

from ..card import records_view
from .frames import navigation


def build() -> None:
    """Place the stops on the page that is being built."""
    navigation()
    records_view("control")
