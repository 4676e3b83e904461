"""Keeps of the legal choices those that the message's own words speak for; it never adds one, and never decides the kind of action.

A legal value such as an order's number means nothing to a small model. But the case's own texts (a reply that names the
order's goods, an invoice with its amounts) stand in the legal choices too, and people use the same words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from ..canonical import canonical
from .closed import categorical
from .prompt import MESSAGE_WEIGHT, cleaned
from .step import Offer, Proposer, Step

MOST_CHOICES = 200
"""An offer with more legal choices than this is left as it is."""

_DOCUMENT = 60  # a value longer than this many characters is a text about the case, not something to choose by
_NAMED = 10.0  # a value that stands in the message itself outweighs any number of shared words
_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]{4,}")
_LINE = re.compile(r"\n|(?<=[^\W\d_)])\. ")


def grounded(propose: Proposer) -> Proposer:
    """Return a proposer that proposes among the best supported choices of each offer; without any hint, among all."""

    async def narrowed(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        """Propose; raises what the inner proposer raises."""
        return await propose(replace(step, offers=supported(step)), temperature=temperature, seed=seed)

    return narrowed


def supported(step: Step) -> tuple[Offer, ...]:
    """Return the offers with their best supported choices, among those alike in every categorical argument."""
    message = next((str(one.text) for one in reversed(step.messages) if isinstance(one, HumanMessage)), "")
    evidence = _Evidence.of(cleaned(message, MESSAGE_WEIGHT), step.offers)
    return tuple(_narrowed(offer, evidence) for offer in step.offers)


@dataclass(frozen=True, slots=True)
class _Evidence:
    message: str
    words: frozenset[str]
    documents: tuple[tuple[tuple[str, frozenset[str]], ...], ...]
    """The lines, with their words, of each text that stands in a legal choice."""
    rarity: dict[str, float]

    @classmethod
    def of(cls, message: str, offers: Sequence[Offer]) -> _Evidence:
        values = (value for offer in offers for choice in offer.choices or () for value in choice.values())
        texts = dict.fromkeys(value for value in values if isinstance(value, str) and len(value) > _DOCUMENT)
        documents = tuple(tuple((line, _words(line)) for line in _LINE.split(text)) for text in list(texts)[:MOST_CHOICES])
        count = Counter(word for lines in documents for word in frozenset().union(*(words for _, words in lines)))
        rarity = {word: math.log(len(documents) / times) for word, times in count.items()}
        return cls(message, _words(message), documents, rarity)

    def support(self, choice: dict[str, Any]) -> float:
        """Return how much the message speaks for a choice: values it names, and words of texts and lines about them."""
        values = [value for value in choice.values() if isinstance(value, str) and 2 < len(value) <= _DOCUMENT]
        named = sum(_NAMED for value in values if _stands_in(value, self.message))
        return named + max((self._shared(lines, values) for lines in self.documents), default=0.0)

    def _shared(self, lines: Sequence[tuple[str, frozenset[str]]], values: Sequence[str]) -> float:
        """Return the weight of the words shared with a text that holds every number-like value, or 0."""
        about = [[words for line, words in lines if _stands_in(value, line)] for value in values]
        if any(not found and any(map(str.isdigit, value)) for found, value in zip(about, values, strict=True)):
            return 0.0
        if not any(about):
            return 0.0
        near = {id(words): words for found in about for words in found}.values()
        return sum(map(self._weight, (words for _, words in lines))) + sum(map(self._weight, near))

    def _weight(self, words: frozenset[str]) -> float:
        return sum(self.rarity.get(word, 0.0) for word in words & self.words)


def _narrowed(offer: Offer, evidence: _Evidence) -> Offer:
    choices = offer.choices
    if choices is None or not 1 < len(choices) <= MOST_CHOICES:
        return offer
    kinds = categorical(offer.schema)
    scores = [evidence.support(choice) for choice in choices]
    groups = [canonical({name: choice[name] for name in kinds if name in choice}) for choice in choices]
    best = {group: max(score for score, other in zip(scores, groups, strict=True) if other == group) for group in groups}
    kept = (choice for choice, score, group in zip(choices, scores, groups, strict=True) if score >= best[group])
    return replace(offer, choices=tuple(kept))


def _words(text: str) -> frozenset[str]:
    """Return the words by their beginning, so that a plural is the same word, and the numbers as they are."""
    found = _WORD.findall(text)
    return frozenset(word if word[0].isdigit() else word.casefold()[:6].rstrip("s") for word in found)


def _stands_in(value: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", text, re.IGNORECASE) is not None
