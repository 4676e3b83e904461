"""Chooses the kind of action by weighing a model's option scores with past decisions; the rest is another proposer's.

A model that writes its answer word by word commits itself to a tool at its first token. Scoring whole kinds of action
(a tool with its categorical arguments) lets the better one win, and a weak model's word is weighed with precedents.
"""

from __future__ import annotations

import math
import random
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from ..canonical import canonical
from ..errors import ProposalError
from .closed import categorical, closed_values
from .legality import same_json, with_defaults
from .prompt import FENCE_NOTE, action_json, fenced, nearest_last
from .step import Offer, Precedent, Proposer, Step
from .union import FINISH

MOST_KINDS = 64
"""With more kinds of action than this, nothing is scored and the inner proposer chooses by itself."""

_TASK = "Choose the one right action for the message."
_SHARPNESS, _FLOOR = 6.0, 0.02  # near precedents outvote far ones; a kind without precedents stays possible
_EXAMPLE_WEIGHT, _MESSAGE_WEIGHT = 80, 150  # worst-case tokens


class OptionScorer(Protocol):
    """Scores what a model would say next; the embedded server can, most endpoints cannot."""

    async def __call__(self, messages: Sequence[BaseMessage], options: Sequence[str], /) -> Sequence[float]:
        """Return for each option the probability that the model says it, renormalised over the options."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A tool with values for its categorical arguments."""

    tool: str
    args: dict[str, Any]


def weighed(score: OptionScorer, then: Proposer, *, trust: float = 0.3) -> Proposer:
    """Return a proposer that chooses the kind of action by scores and precedents, and leaves the rest to `then`.

    A kind's weight is (share of the precedents' votes) x (the model's probability) ** `trust`. At temperature 0 the
    heaviest is chosen; above, one is drawn from weights ** (1 / temperature). Scores are remembered, so that resampling
    a step asks for no new ones. Raises what the scorer and `then` raise.
    """
    known = remembered(score)

    async def propose(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        """Choose the kind, then propose within it."""
        found = kinds(step)
        if not 1 < len(found) <= MOST_KINDS:
            return await then(step, temperature=temperature, seed=seed)
        chosen = found[_chosen(await _weights(known, step, found, trust), temperature, seed)]
        return await then(within(step, chosen), temperature=temperature, seed=seed)

    return propose


def remembered(score: OptionScorer, keep: int = 64) -> OptionScorer:
    """Return a scorer that asks each question once, as long as no more than `keep` others came after it."""
    known: OrderedDict[tuple[tuple[str, ...], tuple[str, ...]], Sequence[float]] = OrderedDict()

    async def scores(messages: Sequence[BaseMessage], options: Sequence[str]) -> Sequence[float]:
        question = (tuple(f"{message.type} {message.content}" for message in messages), tuple(options))
        if question not in known:
            known[question] = await score(messages, options)
            while len(known) > keep:
                known.popitem(last=False)
        return known[question]

    return scores


def kinds(step: Step) -> list[Kind]:
    """Return the legal kinds of action of a step, answering without an action among them where that is allowed."""
    found = [Kind(offer.name, args) for offer in step.offers for args in _kinds_of(offer)]
    return [*found, Kind(FINISH, {})] if step.may_finish else found


def within(step: Step, kind: Kind) -> Step:
    """Return the step with nothing left but this kind of action."""
    if kind.tool == FINISH:
        return replace(step, offers=(), precedents=())
    offers = tuple(_limited(offer, kind.args) for offer in step.offers if offer.name == kind.tool)
    alike = tuple(past for past in step.precedents if past.tool == kind.tool)
    return replace(step, offers=offers, precedents=alike, may_finish=False)


def _kinds_of(offer: Offer) -> list[dict[str, Any]]:
    names = categorical(offer.schema)
    open_values = {name: closed_values(offer.schema["properties"][name], offer.schema) for name in names}
    found: dict[bytes, dict[str, Any]] = {}
    for choice in [{}] if offer.choices is None else offer.choices:
        values = {name: [choice[name]] if name in choice else open_values[name] for name in names}
        values = {name: options for name, options in values.items() if options}
        if math.prod(map(len, values.values())) <= MOST_KINDS:
            for combination in product(*values.values()):
                args = dict(zip(values, combination, strict=True))
                found.setdefault(canonical(args), args)
    return list(found.values())


def _limited(offer: Offer, args: dict[str, Any]) -> Offer:
    fits = [
        choice
        for choice in ([{}] if offer.choices is None else offer.choices)
        if all(name not in choice or same_json(choice[name], value) for name, value in args.items())
    ]
    return replace(offer, choices=tuple({**choice, **args} for choice in fits))


async def _weights(score: OptionScorer, step: Step, found: list[Kind], trust: float) -> list[float]:
    """Return the weight of each kind; raises ProposalError when the scores are not probabilities."""
    shares = await score(kind_prompt(step, found), [action_json(kind.tool, kind.args) for kind in found])
    if len(shares) != len(found) or not all(0 <= share <= 1 for share in shares):
        raise ProposalError("The model's scores are not probabilities.", list(shares))
    return [vote * max(float(share), 1e-9) ** trust for vote, share in zip(_votes(step, found), shares, strict=True)]


def _votes(step: Step, found: list[Kind]) -> list[float]:
    """Return the share of the precedents' weight that each kind has, with a floor; without precedents all are alike."""
    placed = [(past.similarity, _kind_of(past, step, found)) for past in step.precedents]
    nearest = max((similarity for similarity, _ in placed), default=0.0)
    votes = [0.0] * len(found)
    for similarity, place in placed:
        if place is not None:
            votes[place] += math.exp(_SHARPNESS * (similarity - nearest))
    total = sum(votes) or 1.0
    return [vote / total + _FLOOR for vote in votes]


def _kind_of(past: Precedent, step: Step, found: list[Kind]) -> int | None:
    """Return the place of the kind that a precedent is of, or None when it is not legal here."""
    args = with_defaults(past.args, next((offer.schema for offer in step.offers if offer.name == past.tool), {}))
    for place, kind in enumerate(found):
        fits = all(name in args and same_json(args[name], value) for name, value in kind.args.items())
        if kind.tool == past.tool and fits:
            return place
    return None


def kind_prompt(step: Step, found: list[Kind]) -> list[BaseMessage]:
    """Return the shortest prompt that worked best: the nearest precedents as turns, farthest first, then the message."""
    turns: list[BaseMessage] = [SystemMessage(f"{step.instructions.strip()} {_TASK} {FENCE_NOTE}".strip())]
    for past in nearest_last(step.precedents):
        place = _kind_of(past, step, found)
        if place is not None:
            answer = action_json(found[place].tool, found[place].args)
            turns += [HumanMessage(fenced(past.text, _EXAMPLE_WEIGHT)), AIMessage(answer)]
    last = next((str(one.text) for one in reversed(step.messages) if isinstance(one, HumanMessage)), "")
    return [*turns, HumanMessage(fenced(last, _MESSAGE_WEIGHT))]


def _chosen(weights: Sequence[float], temperature: float, seed: int | None) -> int:
    places = range(len(weights))
    if temperature <= 0:
        return max(places, key=lambda place: weights[place])
    heaviest = max(weights)
    drawn = random.Random(seed).choices(places, [(weight / heaviest) ** (1 / temperature) for weight in weights])  # noqa: S311
    return drawn[0]
