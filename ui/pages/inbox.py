"""All that waits, to search and to open from, and what needs a person; refuses to decide in bulk."""

from __future__ import annotations

import gradio as gr

from ..card import RecordsView, TopBar


def build() -> None:
    """Place the list and the tasks on the page that is being built."""
    gr.Navbar(main_page_name="Review")
    TopBar()
    RecordsView("inbox")
    RecordsView("tasks")
