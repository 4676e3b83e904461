"""A chat as a seeded customer, to see an action wait and go on; refuses to speak as the operator."""

from __future__ import annotations

import json
import secrets
from typing import Any

import gradio as gr

from ...graph.errors import AssentError
from ..card import conversation_view
from ..conversations import Conversations
from .frames import QUIET, navigation

_POLL = 2.0
_MOVE = "(written) => ['', written]"
"""Empties the box when Send is pressed, so that no late answer wipes out what is written next."""


def build(blocks: gr.Blocks, conversations: Conversations) -> None:
    """Place the chat on the page that is being built."""
    navigation()
    with gr.Row(elem_id="assent-speaker"):
        requester = gr.Dropdown([], label="Write as this customer", scale=3, allow_custom_value=True)
        fresh = gr.Button("New conversation", scale=0, min_width=190, elem_id="assent-new")
    view = conversation_view()
    with gr.Row(elem_id="assent-say"):
        text = gr.Textbox(label="Message", placeholder="My parcel never came…", lines=2, max_lines=8, scale=5, max_length=20_000)
        send = gr.Button("Send", variant="primary", scale=0, min_width=120, elem_id="assent-send")
    thread = gr.Textbox(visible="hidden", label="Thread")
    outgoing = gr.Textbox(visible="hidden", label="Outgoing")
    chat = _Chat(conversations)
    blocks.load(chat.start, None, [requester, thread, view], **QUIET)
    gr.Timer(_POLL).tick(chat.read, [thread, requester], [requester, thread, view], **QUIET)
    moved = gr.on([send.click, text.submit], None, text, [text, outgoing], js=_MOVE, **QUIET)
    moved.then(chat.send, [thread, requester, outgoing], [text, thread, view], **QUIET)
    gr.on([fresh.click, requester.input], chat.renew, None, [thread, view], **QUIET)


class _Chat:
    """The handlers of the page; who speaks to the desk is always the session's user."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def start(self, request: gr.Request) -> tuple[Any, Any, Any]:
        return await self._begun("", request)

    async def _begun(self, thread: str, request: gr.Request) -> tuple[Any, Any, Any]:
        if not request.username:
            return gr.skip(), gr.skip(), _problem("Sign in first.")
        known = [(one.label, one.id) for one in await self._conversations.requesters()]
        if not known:
            return gr.skip(), gr.skip(), _problem("This desk has no customers to speak as.")
        return gr.update(choices=known, value=known[0][1]), thread or _new_thread(), gr.skip()

    async def renew(self) -> tuple[str, str]:
        return _new_thread(), ""

    async def read(self, thread: str, requester: str | None, request: gr.Request) -> tuple[Any, Any, Any]:
        if not thread or not requester:  # the browser drew its widgets after the first answer and lost it
            return await self._begun(thread, request)
        return gr.skip(), gr.skip(), await self._shown(thread, request)

    async def send(self, thread: str, requester: str | None, text: str, request: gr.Request) -> tuple[Any, str, Any]:
        thread = thread or _new_thread()
        if not request.username or not text.strip() or not await self._conversations.requesters():
            return text, thread, await self._shown(thread, request)
        try:
            speaker = requester or (await self._conversations.requesters())[0].id
            await self._conversations.send(request.username, thread, text.strip(), speaker)
        except AssentError as error:
            return text, thread, _problem(str(error))
        return gr.skip(), thread, await self._shown(thread, request)

    async def _shown(self, thread: str, request: gr.Request) -> Any:
        if not request.username or not thread:
            return gr.skip()
        try:
            return _json(await self._conversations.read(request.username, thread))
        except AssentError:  # nothing was said yet
            return gr.skip()


def _new_thread() -> str:
    return f"play-{secrets.token_hex(6)}"


def _problem(text: str) -> str:
    return _json({"messages": [], "waiting": [], "busy": False, "problem": text})


def _json(conversation: dict[str, Any]) -> str:
    return json.dumps(conversation).replace("<", "\\u003c")  # gradio looks for tags in every value of such a component
