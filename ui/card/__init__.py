"""Gradio components whose DOM is built by textContent alone; refuses to put data into a template."""

from __future__ import annotations

from .components import conversation_view, insights_view, joined, records_view, review_card, stopped_banner, top_bar

__all__ = ["conversation_view", "insights_view", "joined", "records_view", "review_card", "stopped_banner", "top_bar"]
