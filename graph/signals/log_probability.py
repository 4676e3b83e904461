"""Log-probability: how likely the model found the values it wrote, where its server tells; it never gates.

Only the tokens of the arguments' values count: names and punctuation are laid down by the schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from ..errors import ModelUnavailable, ProposalError
from ..proposing.brief import completed
from ..proposing.calling import tokens_of
from ..proposing.legality import same_json
from ..proposing.native import native
from ..proposing.step import Proposer, Step
from .agreement import same_action
from .reading import Measured, NamedSignal, Signal

MOST_SAID = 20_000
"""An answer of more bytes than this is not searched for its arguments."""

_ROUNDING = 1e-6  # servers round a certain token's log-probability to either side of 0
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer: where it stands in the answer's bytes, and its log-probability."""

    start: int
    end: int
    logprob: float


def log_probability(model: BaseChatModel, ask: Callable[..., Proposer] = native) -> Signal:
    """Return a signal that reads exp(mean log-probability) of the tokens that make up the values of the action's arguments.

    They are taken from the proposal itself where the server gave them, as OpenAI's chat API does. Else the model is asked once more
    at temperature 0 with `logprobs` switched on, in the way of `ask` (`native` or `structured`, as the agent's own), and only if it
    proposes the same action are its tokens read. Without log-probabilities there is no value.

    It never gates: a llama.cpp server tells the probabilities from before its grammar was applied, and a sure mistake is as likely
    as a sure truth. Numbers are recorded and no tokens, so that no secret is written down in pieces.
    """
    again = ask(model, settings={"logprobs": True})

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Proposer) -> Measured:
        if step.proposed is not None and (found := _of(step.proposed, tool, args, step)) is not None:
            return Measured(_mean(found.values()), {"from": "proposal", **_raw(found)}, gates=False)
        try:
            message = await again(step, temperature=0.0)
        except (ModelUnavailable, ProposalError) as error:
            cost = getattr(error, "tokens", None)
            return Measured(None, {"from": "asked again", "error": str(error)}, calls=1, gates=False, tokens=cost)
        tokens = tokens_of(message)
        schema = _schema(tool, step)
        if not any(same_action(tool, args, call["name"], call["args"], schema) for call in message.tool_calls):
            told = "asked again, the model proposes another action"
        elif (found := _of(message, tool, args, step)) is not None:
            return Measured(_mean(found.values()), {"from": "asked again", **_raw(found)}, calls=1, gates=False, tokens=tokens)
        else:
            told = "the model server gives no log-probabilities of the arguments"
        return Measured(None, {"from": "asked again", "error": told}, calls=1, gates=False, tokens=tokens)

    return NamedSignal("log probability", measure, gates=False)


def _schema(tool: str, step: Step) -> dict[str, Any]:
    return next((offer.schema for offer in step.offers if offer.name == tool), {})


def _of(message: AIMessage, tool: str, args: dict[str, Any], step: Step) -> dict[str, list[float]] | None:
    """Return the log-probabilities of the tokens of each argument's value, or None when the message does not tell."""
    read = tokens_in(message)
    schema = _schema(tool, step)
    calls = [call["args"] for call in message.tool_calls if same_action(tool, args, call["name"], call["args"], schema)]
    if read is None or not calls:
        return None
    said, tokens = read
    offer = next((offer for offer in step.offers if offer.name == tool), None)

    def is_meant(written: dict[str, Any]) -> bool:
        return same_json(written, calls[0]) or (offer is not None and same_json(completed(offer, written), calls[0]))

    spans = values_in(said, is_meant)
    found = {name: [token.logprob for token in tokens if token.start < end and token.end > start] for name, start, end in spans}
    return {name: numbers for name, numbers in found.items() if numbers} or None


def tokens_in(message: AIMessage) -> tuple[str, Sequence[Token]] | None:
    """Return what a message's tokens spell, and the tokens; None without log-probabilities as OpenAI's chat API has them."""
    given = (message.response_metadata.get("logprobs") or {}).get("content")
    if not isinstance(given, list) or not given:
        return None
    said, tokens = bytearray(), []
    for entry in given:
        written = bytes(entry["bytes"]) if entry.get("bytes") is not None else str(entry["token"]).encode()
        tokens.append(Token(len(said), len(said) + len(written), _number(entry["logprob"])))
        said += written
    if len(said) > MOST_SAID or any(math.isnan(token.logprob) for token in tokens):
        return None
    try:
        return said.decode(), tokens
    except UnicodeDecodeError:
        return None


def values_in(said: str, is_meant: Callable[[dict[str, Any]], bool]) -> Iterator[tuple[str, int, int]]:
    """Yield name and place (in UTF-8 bytes) of each value of the last JSON object in a text that is the one meant.

    The last, because a model may think aloud before it calls. A text's quotation marks are left out of its place.
    """
    for start in reversed([place for place, character in enumerate(said) if character == "{"]):
        try:
            written, _ = _DECODER.raw_decode(said, start)
        except (ValueError, RecursionError):
            continue
        if is_meant(written):
            yield from ((name, _bytes(said, first), _bytes(said, last)) for name, first, last in _entries(said, start))
            return


def _entries(said: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, first and last place (in characters) of each value of the valid JSON object that begins at a place."""
    place = _blank(said, start + 1)
    while said[place] != "}":
        name, place = _DECODER.raw_decode(said, place)
        place = _blank(said, _blank(said, place) + 1)
        value, end = _DECODER.raw_decode(said, place)
        quoted = isinstance(value, str)
        yield name, place + quoted, end - quoted
        place = _blank(said, end)
        if said[place] == ",":
            place = _blank(said, place + 1)


def _blank(said: str, place: int) -> int:
    while said[place] in " \t\r\n":
        place += 1
    return place


def _bytes(said: str, place: int) -> int:
    return len(said[:place].encode())


def _number(value: Any) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value <= _ROUNDING
    return min(float(value), 0.0) if usable else math.nan


def _mean(found: Iterable[Sequence[float]]) -> float:
    numbers = [number for numbers in found for number in numbers]
    return math.exp(math.fsum(numbers) / len(numbers))


def _raw(found: dict[str, list[float]]) -> dict[str, Any]:
    numbers = [number for numbers in found.values() for number in numbers]
    arguments = {name: round(_mean([numbers]), 6) for name, numbers in found.items()}
    return {"tokens": len(numbers), "least": round(math.exp(min(numbers)), 6), "arguments": arguments}
