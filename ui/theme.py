"""Colours, type and page frame of the desk; refuses fonts and files from elsewhere."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .card import joined

HEAD = '<meta name="robots" content="noindex"><style>' + joined("tokens.css", "frame.css") + "</style>"
"""In the head, because Gradio rewrites the rules of its `css` argument."""


def desk_theme() -> Any:
    """Return Gradio's default theme with system fonts, our ground and readable subdued text."""
    return gr.themes.Default(
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
        primary_hue="emerald",
        neutral_hue="gray",
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        body_background_fill="var(--as-ground)",
        body_background_fill_dark="var(--as-ground)",
    )
