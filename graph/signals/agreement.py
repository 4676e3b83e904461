"""Agreement: the share of fresh proposals for the same step that are the same action; the first is not counted."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from ..comparing import same
from ..errors import ProposalError
from ..proposing.step import Proposer, Step
from .reading import Measured, NamedSignal, Signal

Ended = Literal["all drawn", "disagreement", "time spent"]


def same_action(
    tool: str, args: dict[str, Any], other_tool: str, other_args: dict[str, Any], schema: dict[str, Any] | None = None
) -> bool:
    """Whether two calls are the same action, as the tool's schema says its arguments compare.

    Without a word in the schema values compare with their types, so 1, 1.0, True and "1" all differ.
    """
    return tool == other_tool and same(args, other_args, schema or {})


def agreement(
    k: int = 3,
    temperature: float = 0.7,
    budget_seconds: float = 60.0,
    *,
    strict: bool = False,
    seed: int | None = None,
) -> Signal:
    """Return a signal that draws k fresh proposals, one after the other, and reads the share that equals the action.

    The value is (equal proposals) / k: a draw that was not made counts against the action, whether drawing ended at the
    first disagreement (`strict`) or because `budget_seconds` of wall time were spent; the raw reading says which. A
    malformed proposal is a disagreement. When the model does not answer, or no draw fitted into the time, there is no
    value. With a `seed` the draws use seed, seed + 1, ...; else the server chooses. Raises ValueError for settings that
    measure nothing.
    """
    if k < 1 or not temperature > 0 or not budget_seconds > 0:
        raise ValueError("agreement needs k >= 1, a temperature above 0 and a budget above 0 seconds")

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        drawn: list[dict[str, Any]] = []
        ended: Ended = "all drawn"
        try:
            async with asyncio.timeout(budget_seconds):
                for index in range(k):
                    drawn.append(await _draw(propose, step, temperature, None if seed is None else seed + index))
                    drawn[-1]["same"] = _agrees(tool, args, drawn[-1]["calls"], step)
                    if strict and not drawn[-1]["same"]:
                        ended = "disagreement"
                        break
        except TimeoutError:
            ended = "time spent"
        same = sum(draw["same"] for draw in drawn)
        raw = {"k": k, "drawn": len(drawn), "same": same, "ended": ended, "temperature": temperature, "draws": drawn}
        return Measured(same / k if drawn else None, raw, calls=len(drawn) + (ended == "time spent"))

    return NamedSignal("agreement", measure)


async def _draw(propose: Proposer, step: Step, temperature: float, seed: int | None) -> dict[str, Any]:
    """Return one fresh proposal's calls, or none and the reason when it was malformed; kept out of token streams."""

    async def quietly(_: None) -> AIMessage:
        return await propose(step, temperature=temperature, seed=seed)

    try:
        message = await RunnableLambda(quietly).ainvoke(None, {"tags": ["nostream"]})
    except ProposalError as error:
        return {"calls": [], "problem": str(error)}
    return {"calls": [{"tool": call["name"], "args": call["args"]} for call in message.tool_calls]}


def _agrees(tool: str, args: dict[str, Any], calls: list[dict[str, Any]], step: Step) -> bool:
    """Whether one of the calls is the action; arguments left out compare as the defaults of the tool's schema."""
    schema = next((offer.schema for offer in step.offers if offer.name == tool), {})
    return any(same_action(tool, args, call["tool"], call["args"], schema) for call in calls)
