"""The desk's own Gradio components: static template, static style, scripts joined from files; refuses values at build time."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

_HERE = Path(__file__).parent
_BASE = ("dom.js", "hidden.js")
_CARD = (
    *_BASE,
    "diff.js",
    "form.js",
    "edit.js",
    "facts.js",
    "outbox.js",
    "undo.js",
    "keys.js",
    "queue.js",
    "panels.js",
    "desk.js",
    "start_review.js",
)


@cache
def joined(*names: str) -> str:
    """Return static files of this folder, one after another, in a scope of their own."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def _script(*names: str) -> str:
    return "(() => {\n'use strict';\n" + joined(*names) + "\n})();"

from gradio.events import Dependency

class _Static(gr.HTML):
    """A component with nothing but static files in it."""

    def __init__(self, style: str, scripts: tuple[str, ...], **options: Any) -> None:
        super().__init__(
            value=None,
            html_template=joined("card.html"),
            css_template=joined(style),
            js_on_load=_script(*scripts),
            apply_default_css=False,
            **options,
        )

    def get_block_name(self) -> str:
        """Tell Gradio's front end to draw this as its HTML component."""
        return "html"
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class ReviewCard(_Static):
    """The card on which a person decides; it speaks to the desk's HTTP door, never through Gradio's queue."""

    def __init__(self) -> None:
        super().__init__("card.css", _CARD, elem_id="assent-review")
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class RecordsView(_Static):
    """A list of what waits (`inbox`), was decided (`history`), needs a person (`tasks`) or is taught (`examples`)."""

    def __init__(self, kind: str) -> None:
        super().__init__("records.css", (*_BASE, "diff.js", "take_out.js", "records.js", f"start_{kind}.js"), elem_id=f"assent-{kind}")
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class ConversationView(_Static):
    """A thread of the playground; its value is what was said and what waits."""

    def __init__(self, render: bool = True, **_configured: Any) -> None:  # gradio makes it anew from its configuration
        super().__init__("conversation.css", (*_BASE, "conversation.js"), elem_id="assent-conversation", render=render)
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class TopBar(_Static):
    """The name of the product, the signed-in user, light or dark, and the way out."""

    def __init__(self) -> None:
        super().__init__("top_bar.css", ("dom.js", "top_bar.js"), elem_id="assent-top")
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component