"""The first page: one card, one key; refuses everything that would stand between them."""

from __future__ import annotations

import gradio as gr

from ..card import ReviewCard, TopBar


def build() -> None:
    """Place the card on the page that is being built."""
    gr.Navbar(main_page_name="Review")
    TopBar()
    ReviewCard()
