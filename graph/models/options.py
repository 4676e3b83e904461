"""How likely the model of a llama.cpp server would say each of a few texts next; it scores and chooses nothing.

A text is scored token by token along the tree that the texts' tokens form: where they part, the probabilities of the
next token are renormalised over the tokens that lead on to a text. Branches too unlikely to matter are not walked.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage

from ..errors import ModelUnavailable

if TYPE_CHECKING:
    import httpx

LISTED = 400
"""How many of the likeliest next tokens the server is asked for."""
NEGLIGIBLE = 1e-3
"""A branch with less probability than this is shared out evenly among its texts instead of being walked."""

NextTokens = Callable[[list[int]], Awaitable[dict[int, float]]]
"""From the tokens said so far to the probabilities of the likeliest next tokens."""


class OptionScorer(Protocol):
    """Scores what a model would say next."""

    async def __call__(self, messages: Sequence[BaseMessage], options: Sequence[str]) -> Sequence[float]:
        """Return for each option the probability that the model says it, renormalised over the options."""
        ...


@dataclass(slots=True)
class Branch:
    """A point up to which some texts are alike."""

    said: tuple[int, ...]
    """Their common tokens."""
    texts: list[int] = field(default_factory=list)
    """Places of the texts that come through here."""
    ways: dict[int, Branch] = field(default_factory=dict)
    """By next token."""


def tree(tokens: Sequence[Sequence[int]]) -> Branch:
    """Return the tree of the texts; where only one way leads on, the point after it stands for both.

    Raises ValueError when a text is given twice, or is the beginning of another: then it has no end of its own.
    """
    root = Branch(_common(tokens), list(range(len(tokens))))
    if len(tokens) < 2:
        return root
    groups: dict[int, list[int]] = {}
    for place, text in enumerate(tokens):
        if len(text) == len(root.said):
            raise ValueError("an option is the same as another or the beginning of it")
        groups.setdefault(text[len(root.said)], []).append(place)
    for token, places in groups.items():
        branch = tree([tokens[place] for place in places])
        root.ways[token] = _renumbered(branch, places)
    return root


def _common(tokens: Sequence[Sequence[int]]) -> tuple[int, ...]:
    columns = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*tokens, strict=False))
    return tuple(column[0] for column in columns)


def _renumbered(branch: Branch, places: list[int]) -> Branch:
    ways = {token: _renumbered(way, places) for token, way in branch.ways.items()}
    return Branch(branch.said, [places[text] for text in branch.texts], ways)


async def walk(root: Branch, following: NextTokens, negligible: float = NEGLIGIBLE) -> tuple[list[float], int]:
    """Return the probability of each text (their sum is 1) and how often the model was asked."""
    shares = [0.0] * len(root.texts)
    order = itertools.count()
    waiting = [(-1.0, next(order), root)]
    calls = 0
    while waiting:
        mass, _, branch = heapq.heappop(waiting)
        if not branch.ways or -mass < negligible:
            for text in branch.texts:
                shares[text] = -mass / len(branch.texts)
            continue
        listed = await following(list(branch.said))
        calls += 1
        for token, share in _renormalised(list(branch.ways), listed).items():
            heapq.heappush(waiting, (mass * share, next(order), branch.ways[token]))
    return shares, calls


def _renormalised(tokens: list[int], listed: dict[int, float]) -> dict[int, float]:
    """Return shares that sum to 1; a token that is not listed counts as the least likely one that is."""
    least = min(listed.values(), default=1.0)
    found = {token: listed.get(token, least) for token in tokens}
    total = sum(found.values())
    return {token: share / total for token, share in found.items()} if total > 0 else dict.fromkeys(tokens, 1 / len(tokens))


def option_scorer(base_url: str, api_key: str, timeout_seconds: float = 120.0) -> OptionScorer:
    """Return a scorer that asks a llama.cpp server (base_url as for OpenAI, ending in /v1).

    It needs that server's own routes (/apply-template, /tokenize, /completion); other servers do not have them. A score
    takes one short request per point where the options part. Raises ModelUnavailable when the server does not answer.
    """
    import httpx

    host = base_url.rstrip("/").removesuffix("/v1")
    headers = {"Authorization": f"Bearer {api_key}"}

    async def score(messages: Sequence[BaseMessage], options: Sequence[str]) -> list[float]:
        try:
            async with httpx.AsyncClient(base_url=host, headers=headers, timeout=timeout_seconds) as client:
                return await _score(client, messages, options)
        except httpx.TimeoutException as error:
            raise ModelUnavailable(f"The model did not answer within {timeout_seconds:g} seconds.") from error
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise ModelUnavailable("The model server cannot score options; it needs to be llama.cpp's.") from error

    return score


async def _score(client: httpx.AsyncClient, messages: Sequence[BaseMessage], options: Sequence[str]) -> list[float]:
    before = (await _post(client, "/apply-template", {"messages": [_wire(message) for message in messages]}))["prompt"]
    start = await _tokens(client, before, special=True)
    root = tree([await _tokens(client, option, special=False) for option in options])

    async def following(said: list[int]) -> dict[int, float]:
        question = {"prompt": start + said, "n_predict": 1, "n_probs": LISTED, "temperature": 0, "cache_prompt": True}
        answer = await _post(client, "/completion", question)
        return _listed(answer)

    shares, _ = await walk(root, following)
    return shares


def _listed(answer: dict[str, Any]) -> dict[int, float]:
    import math

    (first,) = answer["completion_probabilities"][:1]
    return {entry["id"]: math.exp(entry["logprob"]) for entry in first["top_logprobs"]}


async def _tokens(client: httpx.AsyncClient, text: str, *, special: bool) -> list[int]:
    """Return the tokens of a text; `special` for the server's own template, whose marks count."""
    question = {"content": text, "add_special": special, "parse_special": special}
    tokens: list[int] = (await _post(client, "/tokenize", question))["tokens"]
    return tokens


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    answer.raise_for_status()
    parsed: dict[str, Any] = answer.json()
    return parsed


def _wire(message: BaseMessage) -> dict[str, str]:
    role = "system" if isinstance(message, SystemMessage) else "assistant" if isinstance(message, AIMessage) else "user"
    return {"role": role, "content": str(message.text)}
