"""Agreement: the share of fresh proposals for the same step that are the same action; the first is not counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel

from ..comparing import same
from ..proposing.calling import tokens_summed
from ..proposing.native import native
from ..proposing.step import Proposer, Step
from .drawing import Ask, Drawing, Drawn, Ended, drawn
from .reading import SIGNAL_SECONDS, Measured, NamedSignal, Signal

_GRACE = 30.0  # seconds beyond the budget for draws to end once they are cancelled

DRAWS = 3
"""How many fresh proposals are drawn when nothing else is asked for."""


def same_action(
    tool: str, args: dict[str, Any], other_tool: str, other_args: dict[str, Any], schema: dict[str, Any] | None = None
) -> bool:
    """Whether two calls are the same action, as the tool's schema says its arguments compare.

    Without a word in the schema values compare with their types, so 1, 1.0, True and "1" all differ.
    """
    return tool == other_tool and same(args, other_args, schema or {})


def agreement(
    k: int | None = None,
    temperature: float | None = None,
    budget_seconds: float = 60.0,
    *,
    strict: bool = False,
    seed: int | None = None,
    concurrency: int = 1,
    models: Sequence[BaseChatModel | Proposer] = (),
) -> Signal:
    """Return a signal that draws fresh proposals of the step and reads the share that equals the action.

    By default the agent's own proposer draws k = 3 at temperature 0.7, one after the other. The value is (equal proposals) / k: a
    draw that was not made counts against the action, whether drawing ended at the first disagreement (`strict`) or because
    `budget_seconds` of wall time were spent; the raw reading says which. A malformed proposal is a disagreement. When the model
    does not answer, or no draw fitted into the time, there is no value. With a `seed` the draws use seed, seed + 1, ...; else the
    server chooses.

    With `concurrency` so many are drawn at once; when drawing ends early, those that still run are cancelled.

    With `models` each of them proposes the step once, at temperature 0 unless another is given: a chat model through its tool
    calls, a proposer (`structured(model)`) as it does. The reading is called `agreement of models`. A model that does not answer,
    or not in time, is recorded and not measured: unless drawing ended at a disagreement, there is then no value, because the share
    among those who answered would rise when the one who disagrees is down.

    Raises ValueError for settings that measure nothing.
    """
    if models and k is not None:
        raise ValueError("agreement needs k or models, not both: each model proposes once")
    count = len(models) or (DRAWS if k is None else k)
    warm = temperature if temperature is not None else 0.0 if models else 0.7
    is_warm = warm > 0 or (bool(models) and warm == 0)
    if count < 1 or concurrency < 1 or not is_warm or not budget_seconds > 0:
        raise ValueError("agreement needs k and concurrency >= 1, a temperature above 0 and a budget above 0 seconds")
    models, seeds = tuple(models), tuple(None if seed is None else seed + index for index in range(count))
    proposers = tuple((_proposer(model), _name_of(model)) for model in models)

    def ends(draw: Drawn) -> Ended | None:
        if "unavailable" in draw:
            return None if models else "no answer"
        return "disagreement" if strict and not draw["same"] else None

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        schema = next((offer.schema for offer in step.offers if offer.name == tool), {})

        async def draw(ask: Ask) -> Drawn:
            found = await drawn(ask, step)
            equal = any(same_action(tool, args, one["tool"], one["args"], schema) for one in found["calls"])
            return {**({"model": ask.model} if models else {}), **found, "same": equal}

        asked = proposers or ((propose, ""),) * count
        asks = [Ask(who, warm, number, name) for (who, name), number in zip(asked, seeds, strict=True)]
        drawing = Drawing(asks, draw, ends)
        await drawing.run(concurrency, budget_seconds)
        return _measured(drawing, warm, bool(models))

    name = "agreement of models" if models else "agreement"
    return NamedSignal(name, measure, budget_seconds=max(SIGNAL_SECONDS, budget_seconds + _GRACE))


def _measured(drawing: Drawing, temperature: float, of_models: bool) -> Measured:
    k, draws = len(drawing.asks), drawing.draws
    same = sum(draw["same"] for draw in draws)
    answered = sum("unavailable" not in draw for draw in draws)
    raw = {"k": k, "drawn": len(draws), "same": same, "ended": drawing.ended, "temperature": temperature, "draws": draws}
    unknown = drawing.ended == "no answer" or (of_models and answered < k and drawing.ended != "disagreement")
    value = None if unknown or not answered else same / k
    return Measured(value, raw, calls=drawing.begun, tokens=tokens_summed(draw["tokens"] for draw in draws))


def _proposer(model: BaseChatModel | Proposer) -> Proposer:
    return native(model) if isinstance(model, BaseChatModel) else model


def _name_of(model: BaseChatModel | Proposer) -> str:
    found = getattr(model, "model_name", None) or getattr(model, "model", None) or getattr(model, "__name__", type(model).__name__)
    return str(found)
