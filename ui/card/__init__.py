"""Gradio components whose DOM is built by textContent alone; refuses to put data into a template."""

from __future__ import annotations

from .components import ConversationView, RecordsView, ReviewCard, TopBar

__all__ = ["ConversationView", "RecordsView", "ReviewCard", "TopBar"]
