"""Plays messages one by one through the gate's own parts, and remembers only what a person reviewed; there is no oracle.

What was automated is counted right or wrong for the report, but nothing of that reaches the memory or the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from ...graph.confidence import Reading, confidence, option_probability, precedent
from ...graph.precedents import Embedder, Example, PrecedentIndex
from ...graph.proposing import Offer, Step
from ...graph.proposing.weighing import OptionScorer, weighed
from ..examples import Call
from .labelled import Labelled, offers_for
from .threshold import calibrate

INSTRUCTIONS = "You sort the messages that customers write."
SHARPNESS = 12.0
"""How much near precedents outvote far ones."""
_KNOWN = "known "
_HOPELESS = 0.8
"""Below this share of the threshold the model is not asked; above, its answer also teaches the threshold."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How a stream is played; set on other draws than those that are reported."""

    target: float = 0.88
    """The least chance of being right, estimated one standard error down, at which a proposal is automated."""
    first_reviews: int = 15
    """So many reviews with a confidence come before anything may be automated."""
    precedents: int = 4
    """How many of the nearest examples the model sees and the precedent signal weighs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message, as it is written to a report."""

    automated: bool
    right: bool
    """Whether the proposal was the right action; a person saw it only if it was not automated."""
    confidence: float | None
    threshold: float | None
    """The confidence it had to reach; None while nothing could be automated."""
    complete: bool = True
    """Whether every signal was read."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A proposal and how sure it is."""

    proposal: Call
    readings: Sequence[Reading]
    complete: bool = True
    """Whether every signal was read; False: the first ones alone put the threshold out of reach."""


class Decider(Protocol):
    """Proposes for a step and measures how sure the proposal is."""

    async def __call__(self, step: Step, least: float | None) -> Measured:
        """Return the proposal and its readings; `least` is the confidence it has to reach, None while nothing may."""
        ...


async def play(
    stream: Sequence[Labelled],
    kinds: Sequence[Call],
    embedder: Embedder,
    decide: Decider,
    settings: StreamSettings,
    tell: Callable[[int], None] = lambda done: None,
    demonstrations: Sequence[Labelled] = (),
) -> list[Outcome]:
    """Return what became of each message, in order.

    Args:
        stream: the messages with the action a person would decide on.
        kinds: every legal action; their names in words are known before the first review.
        embedder: makes messages comparable.
        decide: proposes and measures.
        settings: when to automate.
        tell: called with the number of messages played.
        demonstrations: a developer's playbook, known before the first review too; like names, they vouch for nothing.
    """
    index, offers = await _started(kinds, demonstrations, embedder), offers_for(kinds)
    outcomes: list[Outcome] = []
    reviews: list[tuple[float, bool]] = []
    threshold: float | None = None
    for place, message in enumerate(stream):
        measured = await decide(await _step(index, offers, message.text, settings.precedents), threshold)
        sure, right = confidence(measured.readings), measured.proposal == message.right
        automated = sure is not None and threshold is not None and measured.complete and sure >= threshold
        outcomes.append(Outcome(automated, right, sure, threshold, measured.complete))
        if not automated:
            await index.add([Example(f"review {place}", message.text, message.right.tool, message.right.args)])
            if measured.complete and sure:
                reviews.append((sure, right))
            threshold = calibrate(reviews).threshold(settings.target) if len(reviews) >= settings.first_reviews else None
        tell(place + 1)
    return outcomes


async def _started(kinds: Sequence[Call], demonstrations: Sequence[Labelled], embedder: Embedder) -> PrecedentIndex:
    """Return an index of what is known without a person: the legal actions' own names, and the playbook."""
    index = PrecedentIndex(embedder)
    lone = len({call.tool for call in kinds}) == 1
    known = [*(Labelled(worded(call, lone), call) for call in kinds), *demonstrations]
    await index.add([Example(f"{_KNOWN}{place}", one.text, one.right.tool, one.right.args) for place, one in enumerate(known)])
    return index


def worded(call: Call, lone: bool) -> str:
    """Return an action's name in plain words; a lone tool's own name says nothing and is left out."""
    parts = [*([] if lone else [call.tool]), *map(str, call.args.values())]
    return " ".join(parts or [call.tool]).replace("_", " ")


async def _step(index: PrecedentIndex, offers: tuple[Offer, ...], text: str, k: int) -> Step:
    near = await index.nearest(text, k)
    decided = tuple(replace(one, decided=not one.example_id.startswith(_KNOWN)) for one in near)
    return Step(INSTRUCTIONS, (HumanMessage(text),), offers, decided, may_finish=False)


def retriever_alone(sharpness: float = SHARPNESS) -> Decider:
    """Return the baseline: the action for which the precedents speak most, without any model."""
    signal = precedent(sharpness)

    async def decide(step: Step, least: float | None) -> Measured:
        best: Measured | None = None
        for near in step.precedents:
            reading = await signal(near.tool, near.args, step, _nothing)
            if best is None or (reading.value or 0.0) > (best.readings[0].value or 0.0):
                best = Measured(Call(near.tool, near.args), [reading])
        if best is None:
            raise ValueError("there is no precedent, not even the name of an action")
        return best

    return decide


def model_and_precedents(score: OptionScorer, sharpness: float = SHARPNESS) -> Decider:
    """Return the demo's way: precedents and the model's scores choose together, and both gate what was chosen.

    The scores that chose are also the probability that gates, so that a message takes one question to the model. It is
    not asked where the precedents, whichever action they favour, keep the product clearly below the threshold.
    """
    said: dict[str, float] = {}

    async def ask(messages: Sequence[BaseMessage], options: Sequence[str]) -> Sequence[float]:
        shares = await score(messages, options)
        said.clear()
        said.update(zip(options, shares, strict=True))
        return shares

    async def again(messages: Sequence[BaseMessage], options: Sequence[str]) -> Sequence[float]:
        return [said[option] for option in options]

    alone, propose = retriever_alone(sharpness), weighed(ask, _only_choice)
    signals = (precedent(sharpness), option_probability(again))

    async def decide(step: Step, least: float | None) -> Measured:
        first = await alone(step, least)
        if least is not None and (first.readings[0].value or 0.0) < _HOPELESS * least:
            return replace(first, complete=False)
        (call,) = (await propose(step)).tool_calls
        readings = [await signal(call["name"], call["args"], step, _nothing) for signal in signals]
        return Measured(Call(call["name"], call["args"]), readings)

    return decide


async def _only_choice(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    """Propose the one action that is left once its kind is chosen: these actions have no other arguments."""
    (offer,) = step.offers
    (args,) = offer.choices or ({},)
    return AIMessage("", tool_calls=[{"name": offer.name, "args": args, "id": "only"}])


async def _nothing(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    """Propose nothing: the signals used here ask no model of their own."""
    raise NotImplementedError
