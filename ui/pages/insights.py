"""What each class of actions has earned and how far it can be trusted; refuses to change a level without a lead's reason."""

from __future__ import annotations

from ..card import insights_view
from .frames import navigation


def build() -> None:
    """Place the classes and the figures on the page that is being built."""
    navigation()
    insights_view()
