"""Similarity to past decisions, told apart by what came of them: accepted or corrected; it asks no model and never gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..proposing.step import Precedent, Proposer, Step
from .neighbours import agrees, compared
from .reading import Measured, NamedSignal, Signal


def similar_approved() -> Signal:
    """Return a signal that reads how near the nearest case is in which a person accepted an action of this kind.

    The value is the similarity of its message, 0..1: 0 where none of the remembered cases was of this kind, None where no decision
    is remembered. The kind of an action is its tool and its categorical arguments, as for `precedent`. What a person put in the
    place of an action by editing it was accepted too. It never gates.
    """

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        decided = [past for past in step.precedents if past.decided]
        nearest, raw = _nearest(decided, tool, args, step)
        return Measured(nearest if decided or step.corrected else None, raw, gates=False)

    return NamedSignal("similar approved", measure, gates=False)


def similar_corrected() -> Signal:
    """Return a signal that reads how far the nearest case is in which a person edited or rejected an action of this kind.

    The value is 1 - the similarity of its message, so that more is better, as for every signal: 1 where none of the remembered
    cases was corrected so, None where no decision is remembered. An edit of what is declared cosmetic corrects nothing.
    It never gates.
    """

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        nearest, raw = _nearest(step.corrected, tool, args, step)
        known = bool(step.corrected) or any(past.decided for past in step.precedents)
        return Measured(None if nearest is None or not known else 1 - nearest, raw, gates=False)

    return NamedSignal("similar corrected", measure, gates=False)


def _nearest(past: Sequence[Precedent], tool: str, args: dict[str, Any], step: Step) -> tuple[float | None, dict[str, Any]]:
    """Return the highest similarity of a past action of this kind, None for numbers that are none, and what was looked at."""
    schema = next((offer.schema for offer in step.offers if offer.name == tool), {})
    alike = [one for one in past if agrees(one, tool, args, schema)]
    lines = [{"example_id": one.example_id, "similarity": one.similarity, "label": one.label} for one in alike]
    raw = {"compared": ["tool", *compared(schema)], "remembered": len(past), "of this kind": lines}
    if any(not math.isfinite(one.similarity) or not 0 <= one.similarity <= 1 for one in past):
        return None, raw
    return max((one.similarity for one in alike), default=0.0), raw
