"""What was decided and what it taught; refuses to change either."""

from __future__ import annotations

import gradio as gr

from ..card import RecordsView, TopBar


def build() -> None:
    """Place the history and the examples on the page that is being built."""
    gr.Navbar(main_page_name="Review")
    TopBar()
    RecordsView("history")
    RecordsView("examples")
