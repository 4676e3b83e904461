"""The desk's own Gradio components: static template, static style, scripts joined from files; refuses values at build time.

They are functions, not subclasses of `gr.HTML`: Gradio writes a stub file beside every module that subclasses a component.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import gradio as gr

_HERE = Path(__file__).parent
_BASE = ("dom.js", "hidden.js")
_LIST = (*_BASE, "diff.js", "take_out.js", "trail.js", "records.js")
_PAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "inbox": (("inbox.css",), ("start_inbox.js",)),
    "history": ((), ("start_history.js",)),
    "tasks": ((), ("start_tasks.js",)),
    "examples": ((), ("start_examples.js",)),
    "watch": (("stops.css", "watch.css"), ("standing.js", "stops.js", "start_watch.js")),
    "control": (("stops.css", "control.css"), ("stops.js", "start_control.js")),
    "advice": (("advice.css",), ("start_advice.js",)),
}
"""Which further styles and scripts each list needs."""
_CARD = (
    *(*_BASE, "diff.js", "form.js", "edit.js", "take_out.js", "facts.js", "outbox.js", "undo.js", "keys.js"),
    *("queue.js", "panels.js", "moves.js", "trail.js", "standing.js", "stage.js", "status.js", "lease.js", "doors.js"),
    *("desk.js", "start_review.js"),
)

_INSIGHTS = (
    "charts.js",
    "figures.js",
    "evidence.js",
    "ladder.js",
    "signing.js",
    "insights.js",
    "reviewers.js",
    "start_insights.js",
)


@cache
def joined(*names: str) -> str:
    """Return static files of this folder, one after another."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def review_card() -> gr.HTML:
    """Return the card on which a person decides; it speaks to the desk's HTTP door, never through Gradio's queue."""
    return _static("assent-review", ("card.css", "standing.css", "trail.css"), _CARD)


def records_view(kind: Literal["inbox", "history", "tasks", "examples", "watch", "control", "advice"]) -> gr.HTML:
    """Return the list of what waits, was decided, needs a person, is taught, runs under watch, is stopped or advised."""
    styles, scripts = _PAGES[kind]
    return _static(f"assent-{kind}", ("records.css", "trail.css", *styles), (*_LIST, *scripts))


def insights_view() -> gr.HTML:
    """Return what each class of actions has earned: the list, the figures of one class, and where a lead signs."""
    return _static(
        "assent-insights", ("records.css", "insights.css", "charts.css", "signing.css", "reviewers.css"), (*_BASE, *_INSIGHTS)
    )


def conversation_view() -> gr.HTML:
    """Return a thread of the playground; its value is JSON, read by the script and never put into the template."""
    return _static("assent-conversation", ("conversation.css",), (*_BASE, "conversation.js"))


def stopped_banner() -> gr.HTML:
    """Return what every page says while something is stopped."""
    return _static("assent-stopped", ("stopped.css",), (*_BASE, "stops.js", "start_stopped.js"))


def top_bar() -> gr.HTML:
    """Return the name of the product, the signed-in user, light or dark, and the way out."""
    return _static("assent-top", ("top_bar.css",), ("dom.js", "top_bar.js"))


def _static(name: str, styles: tuple[str, ...], scripts: tuple[str, ...]) -> gr.HTML:
    return gr.HTML(
        value=None,
        html_template=joined("card.html"),
        css_template=joined(*styles),
        js_on_load="(() => {\n'use strict';\n" + joined(*scripts) + "\n})();",
        apply_default_css=False,
        elem_id=name,
    )
