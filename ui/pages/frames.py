"""What the handlers of all pages have in common; refuses the queue and every public name."""

from __future__ import annotations

from typing import Any

from gradio.components import Navbar

from ..card import stopped_banner, top_bar

QUIET: dict[str, Any] = {
    "api_visibility": "private",
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "multiple",
}
"""Every handler answers at once, drops no event, and is no API."""


def navigation() -> None:
    """Place what every page begins with: the ways to the other pages, who is signed in, and what is stopped."""
    Navbar(main_page_name="Review")
    top_bar()
    stopped_banner()
