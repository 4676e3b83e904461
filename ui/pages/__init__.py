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


def build_pages(desk: Desk, settings: UiSettings) -> Any:
    """Return the Blocks of all pages, Review first."""
    with gr.Blocks(title=settings.title, analytics_enabled=False, fill_width=True) as blocks:
        review.build()
    with blocks.route("Inbox", "/inbox"):
        inbox.build()
    with blocks.route("Watch", "/watch"):
        watch.build()
    with blocks.route("History", "/history"):
        history.build()
    with blocks.route("Insights", "/insights"):
        insights.build()
    with blocks.route("Advice", "/advice"):
        advice.build()
    with blocks.route("Control", "/control"):
        control.build()
    with blocks.route("Playground", "/playground"):
        playground.build(blocks, Conversations(desk, settings))
    return blocks
