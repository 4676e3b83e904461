"""Option probability: how likely the model finds this action among all legal ones; it scores, it does not choose."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, Literal

from ..proposing.brief import brief_step
from ..proposing.closed import closed_values
from ..proposing.legality import same_json, with_defaults
from ..proposing.prompt import action_json, prompt
from ..proposing.step import Offer, Proposer, Step
from ..proposing.union import FINISH, merged
from ..proposing.weighing import OptionScorer, kind_prompt, kinds
from .reading import Measured, NamedSignal, Signal

__all__ = ["MOST_OPTIONS", "OptionScorer", "legal_actions", "option_probability"]

MOST_OPTIONS = 256
"""More legal actions than this are not scored."""


def option_probability(score: OptionScorer | None = None, *, of: Literal["action", "kind"] = "action") -> Signal:
    """Return a signal that reads the action's probability among the legal actions of its case.

    Of a `kind`, only the tool and its categorical arguments count, as in `weighed`: with many orders and amounts, even a
    sure action is shared out among many, and scoring them all takes long.

    Only arguments with a closed set of values take part; free text is left out on both sides. Without a scorer there is
    no value and nothing gates; with one, an action that is not among the options has no value and gates.
    """

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        if score is None:
            return Measured(None, {"error": "this model server cannot score options"}, gates=False)
        step = brief_step(step)
        options = legal_actions(step) if of == "action" else [(kind.tool, kind.args) for kind in kinds(step)]
        chosen = _place(options, tool, args, step)
        if chosen is None or len(options) > MOST_OPTIONS:
            return Measured(None, {"error": "the action cannot be scored among the options", "options": len(options)})
        asked = prompt(step) if of == "action" else kind_prompt(step, kinds(step))
        shares = [float(share) for share in await score(asked, [action_json(*option) for option in options])]
        if len(shares) != len(options) or not all(0 <= share <= 1 for share in shares):
            return Measured(None, {"error": "the scores are not probabilities", "options": len(options)}, calls=1)
        ranked = sorted(zip(shares, options, strict=True), key=lambda scored: -scored[0])[:5]
        best = [{"tool": name, "args": values, "p": share} for share, (name, values) in ranked]
        return Measured(shares[chosen], {"options": len(options), "best": best}, calls=1)

    return NamedSignal("option probability", measure)


def legal_actions(step: Step) -> list[tuple[str, dict[str, Any]]]:
    """Return every legal action of the step, with the arguments that have a closed set of values only."""
    actions = [(offer.name, args) for offer in step.offers for args in _combinations(offer)]
    return [*actions, (FINISH, {})] if step.may_finish else actions


def _combinations(offer: Offer) -> list[dict[str, Any]]:
    """Return the combinations of an offer's closed arguments: legal choices times the enumerations they leave open."""
    found: list[dict[str, Any]] = []
    for box in [{}] if offer.choices is None else merged(offer.choices):
        open_values = {name: closed_values(part, offer.schema) for name, part in offer.schema.get("properties", {}).items()}
        closed = {name: values for name, values in {**open_values, **box}.items() if values}
        if math.prod(map(len, closed.values())) > MOST_OPTIONS:
            closed = box
        found += [dict(zip(closed, values, strict=True)) for values in product(*closed.values())]
    return found


def _place(options: list[tuple[str, dict[str, Any]]], tool: str, args: dict[str, Any], step: Step) -> int | None:
    """Return the place of the option that the call falls under, or None."""
    args = with_defaults(args, next((offer.schema for offer in step.offers if offer.name == tool), {}))
    for index, (name, values) in enumerate(options):
        if name == tool and all(key in args and same_json(args[key], value) for key, value in values.items()):
            return index
    return None
