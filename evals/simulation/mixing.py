"""Known-answer items and second looks in a simulation: drawn, chosen and judged by the rules of a desk, asked from memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, NamedTuple

from ...graph.authority.reviewing import Reviewing
from ...graph.autonomy.drawing import draw
from ...graph.store.reviewed import Past, Said
from ..reviewing.contested import standing
from ..reviewing.probing import PILE, STALE, WRONG, Drawn, expected_of, following, taken
from ..reviewing.reviewer_health import SINCE
from ..reviewing.reviewers import Health, Pair, health
from ..reviewing.reviewers import Item as Known
from .people import Answer, Item, says_wrong
from .settings import Person
from .standing import START
from .streams import AGENT, Action

ASKABLE = 500
"""So many of the newest decided actions can be asked about once more."""


class _Seen(NamedTuple):
    past: Past
    action: Action
    day: int


@dataclass(slots=True)
class Mixing:
    """What is known of the reviewers of a simulated desk, and what they are asked to find out more."""

    chosen: Reviewing
    seed: str
    people: int
    lead: Person
    """Who settles, on the same day, whether an answer or the known answer that it differs from is right."""
    drawn: Drawn | None = None
    said: int = 0
    """Decisions on ordinary reviews so far."""
    past: deque[_Seen] = field(default_factory=lambda: deque(maxlen=ASKABLE))
    asked: set[str] = field(default_factory=set)
    waiting: dict[tuple[str, str], int] = field(default_factory=dict)
    """What was asked and is not answered, by kind and action, with its day."""
    known: list[tuple[int, Known]] = field(default_factory=list)
    pairs: list[tuple[int, Pair]] = field(default_factory=list)

    def after(self, answer: Answer) -> Iterator[Item]:
        """Take in a decision on an ordinary review, and yield what is to be asked because of it."""
        action, kind = answer.item.action, "reject" if answer.wrong else "approve"
        self.said += 1
        past = Past(action.id, AGENT, "", "", "", answer.person, kind, None, "" if answer.wrong else "succeeded")
        self.past.append(_Seen(past, action, answer.day))
        if self.drawn is None:
            if self.said >= self.chosen.least and self.people > 1:
                self.drawn = Drawn(self.seed, self.chosen.as_json(), self.said)
            return
        now = START + timedelta(days=answer.day)
        status = "rejected" if answer.wrong else "approved"
        said = Said(self.said, f"{self.said}", action.id, answer.person, kind, now, status, True)
        self.drawn = taken(self.drawn, self.chosen, [said], now)
        yield from self._asked(answer)

    def _asked(self, answer: Answer) -> Iterator[Item]:
        """Yield what is owed, as far as there is room: what nobody answered for days makes some, and goes on waiting."""
        assert self.drawn is not None
        fresh = sum(day > answer.day - STALE.days for day in self.waiting.values())
        room = min(self.chosen.pending - fresh, PILE * self.chosen.pending - len(self.waiting))
        while room > 0 and (self.drawn.owed or self.drawn.seconds):
            if following(self.drawn, [kind for kind, _ in self.waiting]) == "second":
                found = self._second(self.drawn.seconds[0], answer)
                self.drawn = replace(self.drawn, seconds=self.drawn.seconds[1:])
            else:
                found = self._known(answer.day)
                self.drawn = replace(self.drawn, owed=self.drawn.owed - 1, asked=self.drawn.asked + 1)
            if found is not None:
                self.asked.add(found.action.id)
                self.waiting[found.kind, found.action.id] = answer.day
                room -= 1
                yield found

    def _second(self, which: str, answer: Answer) -> Item | None:
        seen = next((one for one in reversed(self.past) if one.action.id == which), None)
        if seen is None or which in self.asked:
            return None
        expected = "wrong" if seen.past.type == "reject" else "correct"
        return Item("second", seen.action, answer.day, expected=expected, not_for=seen.past.actor)

    def _known(self, day: int) -> Item | None:
        assert self.drawn is not None
        asked = self.drawn.asked
        wanted = "wrong" if draw(self.drawn.seed, f"mix {asked}") < WRONG else "correct"
        pool = [one for one in self.past if expected_of(one.past) == wanted and one.action.id not in self.asked]
        if not pool:
            return None
        one = pool[int(draw(self.drawn.seed, f"pick {asked} {len(pool)}") * len(pool))]
        return Item("known", one.action, day, expected=wanted, not_for=one.past.actor)

    def answered(self, answer: Answer) -> None:
        """Take in the answer to a known-answer item or a second look."""
        item = answer.item
        self.waiting.pop((item.kind, item.action.id), None)
        outcome: Literal["wrong", "correct"] = "wrong" if answer.wrong else "correct"
        if item.kind == "known":
            word = self._settled(item.action, answer.day) if outcome != item.expected else None
            found = standing(item.expected, outcome, START, word, START)
            self.known.append((answer.day, Known(answer.person, item.expected, outcome, found)))
        else:
            self.pairs.append((answer.day, Pair(item.not_for, answer.person, (item.expected, outcome))))

    def _settled(self, action: Action, day: int) -> str:
        luck = draw(self.seed, f"settling {action.id}")
        return "wrong" if says_wrong(self.lead, action.wrong, day, luck) else "correct"

    def look(self, day: int) -> Health | None:
        """Return what is known of the reviewers on a day; None while nobody answered a known-answer item."""
        since = day - SINCE.days
        items = [item for at, item in self.known if at > since]
        if not items:
            return None
        return health([], items, [pair for at, pair in self.pairs if at > since], self.chosen.catch)
