"""What the handlers of all pages have in common; refuses the queue and every public name."""

from __future__ import annotations

from typing import Any

QUIET: dict[str, Any] = {
    "api_visibility": "private",
    "queue": False,
    "show_progress": "hidden",
    "trigger_mode": "multiple",
}
"""Every handler answers at once, drops no event, and is no API."""
