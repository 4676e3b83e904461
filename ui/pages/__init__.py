"""The pages of the desk, one builder each; refuses to hold data when they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ..conversations import Conversations
from . import advice, control, history, inbox, insights, playground, review, watch

if TYPE_CHECKING:
    from ...graph.desk import Desk
    from ..settings import UiSettings

__all__ = ["build_pages"]

_PAGES = (
    ("Inbox", inbox.build),
    ("Watch", watch.build),
    ("History", history.build),
    ("Insights", insights.build),
    ("Advice", advice.build),
    ("Control", control.build),
)


def build_pages(desk: Desk, settings: UiSettings) -> Any:
    """Return the Blocks of all pages, Review first."""
    blocks = gr.Blocks(title=settings.title, analytics_enabled=False, fill_width=True)
    blocks.pages[0] = ("", "Review", True)  # else it is called Home until the Navbar is drawn
    first = blocks.current_page
    for name in (*(name for name, _ in _PAGES), "Playground"):
        blocks.route(name, f"/{name.lower()}")
    blocks.current_page = first
    with blocks:  # entered once: each time it is left, Gradio builds the whole application
        review.build()
        for name, build in _PAGES:
            blocks.current_page = name.lower()
            build()
        blocks.current_page = "playground"
        playground.build(blocks, Conversations(desk, settings))
    return blocks
