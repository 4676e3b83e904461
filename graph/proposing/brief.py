"""Spares a model what follows from its other words: long texts that a choice fixes are filled in, not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..canonical import canonical
from .legality import same_json
from .step import Offer, Step

LONG = 24
"""Texts longer than this many characters are left out where they follow; shorter ones help a model to think."""


def brief_step(step: Step) -> Step:
    """Return the step with every offer as a model is to answer it."""
    return replace(step, offers=tuple(map(brief, step.offers)))


def brief(offer: Offer) -> Offer:
    """Return the offer without the long texts that its other arguments determine."""
    left_out = determined(offer.choices or ())
    if not left_out:
        return offer
    parts = {name: part for name, part in offer.schema.get("properties", {}).items() if name not in left_out}
    required = [name for name in offer.schema.get("required", ()) if name not in left_out]
    choices = tuple(_without(choice, left_out) for choice in offer.choices or ())
    return replace(offer, schema={**offer.schema, "properties": parts, "required": required}, choices=choices)


def completed(offer: Offer, args: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with the texts that `brief` left out; unchanged when they fit no legal choice."""
    left_out = determined(offer.choices or ())
    for choice in offer.choices or ():
        if all(name in args and same_json(args[name], value) for name, value in _without(choice, left_out).items()):
            return {**args, **{name: choice[name] for name in left_out if name not in args}}
    return args


def determined(choices: Sequence[dict[str, Any]]) -> list[str]:
    """Return the arguments that are long texts and follow from the other arguments of a choice, the longest first.

    None when choices differ in which arguments they fix: what one leaves free, another's value would fit too.
    """
    if len({frozenset(choice) for choice in choices}) > 1:
        return []
    longest = {
        name: max(len(choice[name]) for choice in choices)
        for name in (choices[0] if choices else ())
        if all(isinstance(choice.get(name), str) for choice in choices)
    }
    left_out: list[str] = []
    whole = _distinct(choices, [])
    for name in sorted(longest, key=lambda name: -longest[name]):
        if longest[name] > LONG and _distinct(choices, [*left_out, name]) == whole:
            left_out.append(name)
    return left_out


def _distinct(choices: Sequence[dict[str, Any]], left_out: Sequence[str]) -> int:
    return len({canonical(_without(choice, left_out)) for choice in choices})


def _without(choice: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in choice.items() if name not in names}
