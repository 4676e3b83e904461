"""The cast of a rehearsal: an agent whose skill is known, customers whose right team is known, and a reviewer who knows it.

The words are the demo shop's own; where the agent errs is drawn from a seed, so that what the gate makes of it can be checked.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage

from ...graph.clock import fresh_id
from ...graph.proposing import Step
from ...tools.shop.messages import Message, packaged_messages

TOOL = "hand_over"
AGENT = "assent"


@dataclass(frozen=True, slots=True)
class Skill:
    """How good the agent is; all five are probabilities."""

    clear: float = 0.8
    """That a case is clear to it; the others are murky."""
    right_if_clear: float = 0.998
    right_if_murky: float = 0.5
    same_if_clear: float = 0.99
    """That it proposes the same again when it is asked afresh."""
    same_if_murky: float = 0.4


BEFORE = Skill()


@dataclass(frozen=True, slots=True)
class Part:
    """One case: who writes what, and the team it belongs to."""

    number: int
    customer: str
    text: str
    team: str

    @property
    def thread(self) -> str:
        """The thread it opens."""
        return f"rehearsal-{self.number:04d}"


def parts(seed: int, count: int) -> list[Part]:
    """Return so many cases: the shop's messages that belong to a team, drawn again and again under new references."""
    known = [one for one in packaged_messages() if one.tool == TOOL and one.hostile is None]
    rng = random.Random(f"parts {seed}")  # noqa: S311 - a rehearsal, not a secret
    return [_part(number, rng.choice(known)) for number in range(1, count + 1)]


def _part(number: int, message: Message) -> Part:
    text = f"{message.text}\n\nOur reference: {number:04d}"
    return Part(number, message.customer, text, str(message.args["team"]))


class RehearsedAgent:
    """A proposer that hands cases over with a known skill; `skill` may change while it works, which no key can tell."""

    def __init__(self, known: Sequence[Part], seed: int, skill: Skill = BEFORE) -> None:
        self.skill, self._seed = skill, seed
        self._parts = {part.text: part for part in known}
        self._draws: dict[int, int] = {}

    async def __call__(self, step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        """Propose to hand the case over; at a temperature above 0 it is another draw."""
        part = self._parts[str(step.messages[-1].text)]
        draw = 0 if temperature == 0 else self._next(part.number)
        team = self.first(part)
        if draw:
            rng, clear = self._rng(part, draw), self._is_clear(part)
            same = self.skill.same_if_clear if clear else self.skill.same_if_murky
            team = team if rng.random() < same else self._other(rng, team, step)
        call = {"name": TOOL, "args": _args(step, team), "id": fresh_id("call"), "type": "tool_call"}
        return AIMessage("", tool_calls=[call], id=fresh_id("msg"))

    def first(self, part: Part) -> str:
        """Return the team that it proposes for a case."""
        rng = self._rng(part, 0)
        right = self.skill.right_if_clear if self._is_clear(part) else self.skill.right_if_murky
        return part.team if rng.random() < right else rng.choice([team for team in TEAMS if team != part.team])

    def _is_clear(self, part: Part) -> bool:
        return self._rng(part, -1).random() < self.skill.clear

    def _rng(self, part: Part, draw: int) -> random.Random:
        return random.Random(f"{self._seed} {part.number} {draw}")  # noqa: S311 - a rehearsal, not a secret

    def _next(self, number: int) -> int:
        self._draws[number] = self._draws.get(number, 0) + 1
        return self._draws[number]

    def _other(self, rng: random.Random, team: str, step: Step) -> str:
        return rng.choice([one for one in TEAMS if one != team])


TEAMS = ("returns", "billing", "delivery", "complaints", "privacy", "security", "sales")


def _args(step: Step, team: str) -> dict[str, Any]:
    """Return the legal arguments that name a team."""
    for offer in step.offers:
        for choice in offer.choices or () if offer.name == TOOL else ():
            if choice.get("team") == team:
                return dict(choice)
    return {"team": team, "note": ""}


def decision_on(card: Any, known: dict[str, Part], choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what a reviewer decides who knows the right team: approve, or edit the team."""
    said = [turn["text"] for turn in card.conversation if turn["role"] == "requester"]
    part = known[said[-1]]
    seen = 4_000 + 25 * len(part.text)
    if card.args["team"] == part.team:
        return {"type": "approve", "digest": card.digest, "seen_ms": seen}
    right = next((dict(one) for one in choices if one.get("team") == part.team), {**card.args, "team": part.team})
    return {"type": "edit", "digest": card.digest, "args": right, "seen_ms": seen}
