"""Precedent: how near past decisions are, times how far they agree with the action; it asks no model."""

from __future__ import annotations

import math
from typing import Any

from ..comparing import same
from ..proposing.closed import categorical
from ..proposing.step import Precedent, Proposer, Step
from .reading import Measured, NamedSignal, Signal


def precedent(sharpness: float = 0.0) -> Signal:
    """Return a signal read from the step's precedents without a model call.

    The value is the highest similarity of an agreeing decision times the similarity-weighted share of precedents that
    agree with the action on the tool and on its categorical arguments: those whose schema is an enumeration, a constant
    or a boolean. Other arguments belong to one case and are not compared. Demonstrations count in the share, but without
    a person's decision among the precedents the value is 0, so that a cold start waits for a person.

    A `sharpness` s multiplies each weight by exp(s x (similarity - highest similarity)): near neighbours outvote far ones.
    """

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        schema = next((offer.schema for offer in step.offers if offer.name == tool), {})
        found = [(past, agrees(past, tool, args, schema)) for past in step.precedents]
        lines = [{"example_id": past.example_id, "similarity": past.similarity, "agrees": alike} for past, alike in found]
        return Measured(_value(found, sharpness), {"compared": ["tool", *compared(schema)], "precedents": lines})

    return NamedSignal("precedent", measure)


def compared(schema: dict[str, Any]) -> list[str]:
    """Return the arguments that make out the kind of an action: the categorical ones."""
    return categorical(schema)


def agrees(past: Precedent, tool: str, args: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether a past action is of the same kind: the same tool, and the same in every categorical argument."""
    if past.tool != tool:
        return False
    names = compared(schema)
    parts = {name: part for name, part in schema.get("properties", {}).items() if name in names}
    here, there = ({name: value for name, value in one.items() if name in names} for one in (args, past.args))
    return same(here, there, {**schema, "properties": parts})


def _value(neighbours: list[tuple[Precedent, bool]], sharpness: float) -> float | None:
    """Return max similarity of the decided x weighted agreement of all; None when a similarity is not from 0 to 1."""
    similar = [past.similarity for past, _ in neighbours]
    if any(not math.isfinite(similarity) or not 0 <= similarity <= 1 for similarity in similar):
        return None
    decided = [past.similarity for past, agrees in neighbours if past.decided and agrees]
    if not decided or sum(similar) == 0:
        return 0.0
    weights = [past.similarity * math.exp(sharpness * (past.similarity - max(similar))) for past, _ in neighbours]
    share = sum(weight for weight, (_, agrees) in zip(weights, neighbours, strict=True) if agrees) / sum(weights)
    return min(1.0, max(decided) * share)
