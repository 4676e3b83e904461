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
_LIST = (*_BASE, "diff.js", "take_out.js", "records.js")
_CARD = (
    *(*_BASE, "diff.js", "form.js", "edit.js", "take_out.js", "facts.js", "outbox.js", "undo.js", "keys.js"),
    *("queue.js", "panels.js", "stage.js", "status.js", "desk.js", "start_review.js"),
)


@cache
def joined(*names: str) -> str:
    """Return static files of this folder, one after another."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def review_card() -> gr.HTML:
    """Return the card on which a person decides; it speaks to the desk's HTTP door, never through Gradio's queue."""
    return _static("assent-review", "card.css", _CARD)


def records_view(kind: Literal["inbox", "history", "tasks", "examples"]) -> gr.HTML:
    """Return the list of what waits, was decided, needs a person or is taught."""
    return _static(f"assent-{kind}", "records.css", (*_LIST, f"start_{kind}.js"))


def conversation_view() -> gr.HTML:
    """Return a thread of the playground; its value is JSON, read by the script and never put into the template."""
    return _static("assent-conversation", "conversation.css", (*_BASE, "conversation.js"))


def top_bar() -> gr.HTML:
    """Return the name of the product, the signed-in user, light or dark, and the way out."""
    return _static("assent-top", "top_bar.css", ("dom.js", "top_bar.js"))


def _static(name: str, style: str, scripts: tuple[str, ...]) -> gr.HTML:
    return gr.HTML(
        value=None,
        html_template=joined("card.html"),
        css_template=joined(style),
        js_on_load="(() => {\n'use strict';\n" + joined(*scripts) + "\n})();",
        apply_default_css=False,
        elem_id=name,
    )
