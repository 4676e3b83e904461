"""Draws fresh proposals of one step, several at once if that is wished, within a budget; it judges none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from ..errors import ProposalError
from ..proposing.calling import tokens_of
from ..proposing.step import Proposer, Step

Ended = Literal["all drawn", "disagreement", "no answer", "time spent"]
Drawn = dict[str, Any]
"""What came of one draw: `calls`, `tokens`, `problem` for a malformed proposal, `unavailable` where there was no answer."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One fresh proposal to ask for."""

    propose: Proposer
    temperature: float
    seed: int | None = None
    model: str = ""
    """Who is asked, where that is not the proposer itself."""


@dataclass(slots=True)
class Drawing:
    """The draws made so far, by the place of what was asked; what is cut off keeps what it has."""

    asks: Sequence[Ask]
    draw: Callable[[Ask], Coroutine[Any, Any, Drawn]]
    ends: Callable[[Drawn], Ended | None]
    """How a draw ends the drawing, if it does."""
    found: dict[int, Drawn] = field(default_factory=dict)
    begun: int = 0
    ended: Ended = "all drawn"

    @property
    def draws(self) -> list[Drawn]:
        """Return what was drawn, in the order in which it was asked for."""
        return [self.found[place] for place in sorted(self.found)]

    async def run(self, concurrency: int, budget_seconds: float) -> None:
        """Draw, so many at once; ends early when the budget is spent or a draw ends it, and then cancels what still runs."""
        try:
            async with asyncio.timeout(budget_seconds):
                await self._run(concurrency)
        except TimeoutError:
            self.ended = "time spent"

    async def _run(self, concurrency: int) -> None:
        running: dict[asyncio.Task[Drawn], int] = {}
        try:
            while self.begun < len(self.asks) or running:
                while self.begun < len(self.asks) and len(running) < concurrency:
                    running[asyncio.create_task(self.draw(self.asks[self.begun]))] = self.begun
                    self.begun += 1
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in running if task.done()]:
                    place = running.pop(task)
                    self.found[place] = task.result()
                for drawn in self.draws:
                    if (early := self.ends(drawn)) is not None:
                        self.ended = early
                        return
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def drawn(ask: Ask, step: Step) -> Drawn:
    """Return one fresh proposal's calls, or none and why: malformed, or no answer at all; kept out of token streams."""

    async def quietly(_: None) -> AIMessage:
        return await ask.propose(step, temperature=ask.temperature, seed=ask.seed)

    try:
        message = await RunnableLambda(quietly).ainvoke(None, {"tags": ["nostream"]})
    except ProposalError as error:
        return {"calls": [], "tokens": error.tokens, "problem": str(error)}
    except Exception as error:  # whatever it is, it is no proposal
        return {"calls": [], "tokens": None, "unavailable": f"{type(error).__name__}: {error}"[:500]}
    return {"calls": [{"tool": call["name"], "args": call["args"]} for call in message.tool_calls], "tokens": tokens_of(message)}
