"""How reliable reviewers are: what they catch, how far they agree, how fast they are; it says where too little is known. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Literal

from ...graph.authority.reading_time import is_hasty
from .catching import LEVEL, Catch, State, evades, left_out_of, needed

SLOPPY, TIMED = 0.2, 20
"""More than this share of hasty decisions, among so many at least that were timed, is told to a lead."""

PAUSE = timedelta(minutes=10)
"""A longer pause ends a sitting."""

Standing = Literal["agreed", "contested", "retired", "upheld", "unsettled"]
"""What an answer to a known-answer item stands for. It `agreed` with what was known, or differed: then it is `contested` until a
lead has said who is right; `retired` where the known answer was mistaken, else `upheld`; `unsettled` if nobody says or can say."""

COUNTED = ("agreed", "upheld", "unsettled")
"""What counts: where nobody settles it, the known answer stands, so that it never pays to leave it open."""


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of pairs of words by two reviewers, `(p_o - p_e) / (1 - p_e)`.

    p_o is the share of equal pairs, `p_e = sum_w p_1(w) p_2(w)` what chance would give (Cohen, Educational and Psychological
    Measurement 20, 1960). None without pairs, and where both only ever said one word, which says nothing.
    """
    if not pairs:
        return None
    n = len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(first[word] * second[word] for word in first) / n**2
    if by_chance == 1:
        return None
    return (sum(one == other for one, other in pairs) / n - by_chance) / (1 - by_chance)


@dataclass(frozen=True, slots=True)
class Given:
    """One decision, as far as it says something of who gave it."""

    actor: str
    type: str
    at: datetime
    seen_ms: int | None = None
    floor_ms: int | None = None
    """Null unless what was decided was costly or irreversible."""


@dataclass(frozen=True, slots=True)
class Item:
    """An answered known-answer item."""

    actor: str
    expected: str
    outcome: str
    standing: Standing = "upheld"


@dataclass(frozen=True, slots=True)
class Pair:
    """An action that two people were asked about, and what each made of it."""

    first: str
    second: str
    words: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One reviewer over the time that is looked at."""

    name: str
    decisions: int
    consequential: int
    """How many of them were about something costly or irreversible: who got what."""
    approved: float | None
    """The share of approvals without a change."""
    median_seconds: float | None
    timed: int
    """How many consequential decisions were timed."""
    hasty: int
    """How many of these were faster than their card can be read."""
    catch: Catch
    refused: Catch
    """Known-answer items that were correct, and how many of them were refused or changed all the same."""
    left_out: Catch
    """Audits that they answered, and how many of them in the tool's place, which says neither right nor wrong."""
    pairs: int
    same: int
    kappa: float | None
    sitting_minutes: float
    """The longest stretch of decisions without a pause of ten minutes."""
    state: State
    contested: int = 0
    """Answers that differ from the known one and wait for a lead's word; they count for nothing yet."""
    retired: int = 0
    """Answers that a lead found right against the known one; they never count."""
    unsettled: int = 0
    """Answers that count against them because nobody has said, or could say, who is right."""
    alarms: tuple[str, ...] = ()
    """`catch`, `hasty` and `left_out`: what a lead is told."""

    def as_json(self) -> dict[str, Any]:
        """Return the line as plain JSON."""
        return {**asdict(self), "alarms": list(self.alarms), **self._shares()}

    def _shares(self) -> dict[str, Any]:
        return {name: getattr(self, name).as_json() for name in ("catch", "refused", "left_out")}


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a desk's reviewers."""

    healthy: bool | None
    """True once their catch rate is shown to reach the bar; False when that fails; None while it is being measured."""
    why: str
    catch: Catch
    bar: float
    pairs: int
    kappa: float | None
    lines: tuple[Line, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        whole = {"healthy": self.healthy, "why": self.why, "bar": self.bar, "level": LEVEL, "needed": needed(self.bar)}
        agreement = {"pairs": self.pairs, "kappa": self.kappa}
        return {**whole, "catch": self.catch.as_json(), "agreement": agreement, "reviewers": [one.as_json() for one in self.lines]}


def health(
    given: Sequence[Given], items: Sequence[Item], pairs: Sequence[Pair], bar: float, audits: Sequence[tuple[str, str]] = ()
) -> Health:
    """Return what these decisions and answers say of their reviewers; whoever gave none of them is not listed.

    `audits`: who answered each audit, and its outcome.
    """
    names = sorted({one.actor for one in given} | {one.actor for one in items})
    lines = tuple(_line(name, given, items, pairs, bar, audits) for name in names)
    catch = _catch(items, "wrong")
    healthy, why = _judged(catch, lines, bar)
    return Health(healthy, why, catch, bar, len(pairs), kappa([one.words for one in pairs]), lines)


def _judged(catch: Catch, lines: Iterable[Line], bar: float) -> tuple[bool | None, str]:
    low = catch.bounds[0]
    shown = f"{catch.caught} of {catch.n} wrong known-answer items were caught, so at least {low:.0%} are (95% sure)"
    if worst := sum(line.state == "unreliable" for line in lines):  # without names: everybody who may look reads this
        who = "One reviewer lets" if worst == 1 else f"{worst} reviewers let"
        return False, f"{who} too much through that is known to be wrong; all together: {shown}."
    match catch.state(bar):
        case "reliable":
            return True, f"{shown}; {bar:.0%} are asked for."
        case "being measured":
            shown = shown if catch.n else "No known-answer item is answered yet"
            return None, f"{shown}; {needed(bar)}, all caught, would show the {bar:.0%} that are asked for."
    return False, f"{shown}; {bar:.0%} are asked for."


def _line(
    name: str,
    given: Sequence[Given],
    items: Sequence[Item],
    pairs: Sequence[Pair],
    bar: float,
    audits: Sequence[tuple[str, str]],
) -> Line:
    mine = [one for one in given if one.actor == name]
    timed = [one for one in mine if one.floor_ms is not None and one.seen_ms is not None]
    seen = [one.seen_ms / 1000 for one in mine if one.seen_ms is not None]
    hasty = sum(is_hasty(one.seen_ms, one.floor_ms) for one in timed)
    own = [one for one in items if one.actor == name]
    catch, standings = _catch(own, "wrong"), Counter(one.standing for one in own)
    both = [one.words for one in pairs if name in (one.first, one.second)]
    state = catch.state(bar)
    left_out = left_out_of([outcome for who, outcome in audits if who == name])
    sloppy = len(timed) >= TIMED and hasty > SLOPPY * len(timed)
    rings_of = {"catch": state == "unreliable", "hasty": sloppy, "left_out": evades(left_out)}
    return Line(
        name=name,
        decisions=len(mine),
        consequential=sum(one.floor_ms is not None for one in mine),
        approved=sum(one.type == "approve" for one in mine) / len(mine) if mine else None,
        median_seconds=median(seen) if seen else None,
        timed=len(timed),
        hasty=hasty,
        catch=catch,
        refused=_catch(own, "correct"),
        pairs=len(both),
        same=sum(one == other for one, other in both),
        kappa=kappa(both),
        sitting_minutes=sitting([one.at for one in mine]).total_seconds() / 60,
        state=state,
        contested=standings["contested"],
        retired=standings["retired"],
        unsettled=standings["unsettled"],
        left_out=left_out,
        alarms=tuple(word for word, rings in rings_of.items() if rings),
    )


def _catch(items: Sequence[Item], expected: str) -> Catch:
    """Return how many items of a kind there were, and how many of the wrong were caught or of the correct refused.

    An answer in the tool's place lets nothing through, and refuses nothing that is correct.
    """
    asked = [one for one in items if one.expected == expected and one.standing in COUNTED]
    refusing = ("wrong", "left out") if expected == "wrong" else ("wrong",)
    return Catch(len(asked), sum(one.outcome in refusing for one in asked))


def sitting(moments: Iterable[datetime]) -> timedelta:
    """Return the longest stretch of decisions without a pause longer than PAUSE."""
    longest, start, last = timedelta(0), None, None
    for at in sorted(moments):
        if start is None or last is None or at - last > PAUSE:
            start = at
        longest, last = max(longest, at - start), at
    return longest


def new_alarms(before: Mapping[str, Sequence[str]], lines: Iterable[Line]) -> list[tuple[Line, str]]:
    """Return the alarms that were not there at the last look, each of which is told once."""
    return [(line, word) for line in lines for word in line.alarms if word not in before.get(line.name, ())]
