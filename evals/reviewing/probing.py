"""Mixes known-answer items and second looks into the queue, at a rate kept over the decisions; each is drawn from a logged seed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ...graph.audit import records
from ...graph.authority import asking, probing, reviewing
from ...graph.authority.reviewing import DRAWN, Reviewing
from ...graph.autonomy.drawing import draw
from ...graph.canonical import digest_of
from ...graph.clock import Clock
from ...graph.rules.terms import rank
from ...graph.store import probes, reviewed, reviews, settings
from ...graph.store.autonomy_models import ProbeRow
from ...graph.store.models import ActionRow
from ...graph.store.reviewed import Past, Said
from ...graph.store.session import AsyncSession, Store

KINDS = ("known", "second")

WRONG = 0.75
"""The part of known-answer items that are wrong: these measure the catch rate; the rest shows who rejects whatever comes."""

OWED = 5
"""So many of a kind are owed at most; what was drawn while none could be asked is not made up for in a rush."""

PAST = timedelta(days=90)
"""Actions are asked about again for so long; older ones speak of another world."""

LATELY = timedelta(days=14)
"""Whoever decided within this time counts as somebody who can answer."""

MONTH = timedelta(days=30)
"""So long a seed is drawn from; then it is told."""

STALE = timedelta(days=3)
"""A probe that nobody answered for so long makes room for another one, and goes on waiting: its end would tell what it was."""

PILE = 3
"""So many times as many as may wait freshly wait altogether at most."""

BATCH = 500


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the draws have come to: up to which decision, and what is owed because of it."""

    seed: str
    settings: dict[str, Any]
    """The settings under which the seed was made."""
    cursor: int
    owed: int = 0
    """Known-answer items that are to be asked."""
    seconds: tuple[str, ...] = ()
    """Actions that somebody else is to be asked about."""
    asked: int = 0
    """Known-answer items so far."""
    made: str = ""
    """When the seed was made."""

    def holds(self, chosen: Reviewing, now: datetime) -> bool:
        """Tell whether the seed is still good: for the settings under which it was made, and for a month."""
        return self.settings == chosen.as_json() and bool(self.made) and now - datetime.fromisoformat(self.made) < MONTH

    def as_json(self) -> dict[str, Any]:
        """Return the row's value."""
        return {**asdict(self), "seconds": list(self.seconds)}


def drawn_of(stored: Mapping[str, Any] | None) -> Drawn | None:
    """Return a stored state; None before the first."""
    if stored is None:
        return None
    return Drawn(**{**stored, "seconds": tuple(stored["seconds"])})


def taken(drawn: Drawn, chosen: Reviewing, said: Iterable[Said], now: datetime) -> Drawn:
    """Return the state after these decisions: each is drawn once for a known-answer item and once for a second look.

    It ends before the first decision that can still be taken back.
    """
    cursor, owed, seconds = drawn.cursor, drawn.owed, list(drawn.seconds)
    for one in said:
        if one.effective_at > now:
            break
        cursor = one.sequence
        if draw(drawn.seed, f"known {one.id}") < chosen.known:
            owed = min(OWED, owed + 1)
        if one.alone and one.status != "pending" and draw(drawn.seed, f"second {one.id}") < chosen.second:
            seconds.append(one.action)
    return replace(drawn, cursor=cursor, owed=owed, seconds=tuple(seconds[-OWED:]))


def expected_of(one: Past) -> str:
    """Return what a past decision says of the action, as far as its kind tells: `correct`, `wrong`, or nothing.

    What was approved counts as correct only if it also ran and was not undone.
    """
    if one.type in ("reject", "edit"):
        return "wrong"
    return "correct" if one.type == "approve" and one.execution == "succeeded" else ""


async def mix_in(store: Store, clock: Clock, tenant: str) -> int:
    """Put the known-answer items and second looks that are due into the queue; returns how many.

    Nothing is drawn before a desk has its first decisions and two people who decide; nothing is asked that only somebody could
    answer who knows, and only a few wait at one moment.
    """
    async with store.read() as tx:
        if not await _due(tx, tenant, clock()):
            return 0
    async with store.begin() as tx:
        now, chosen = clock(), await reviewing.read(tx, tenant)
        before = await settings.locked(tx, tenant, DRAWN)
        people = await reviewed.deciders(tx, tenant, now - LATELY)
        drawn = await _seeded(tx, tenant, chosen, drawn_of(before), people, now)
        if drawn is None:
            return 0
        drawn = await _drawn(tx, tenant, chosen, drawn, now)
        drawn, count = await _asked(tx, tenant, chosen, drawn, people, now)
        if drawn.as_json() != before and not (await settings.swap(tx, tenant, DRAWN, drawn.as_json(), now))[0]:
            raise RuntimeError("the draws were changed under a lock")  # pragma: no cover - only a second process at the very first
        return count


async def _due(tx: AsyncSession, tenant: str, now: datetime) -> bool:
    """Tell whether there may be something to do; costs no write lock."""
    chosen, drawn = await reviewing.read(tx, tenant), drawn_of(await settings.get(tx, tenant, DRAWN))
    if drawn is None:
        begun = len(await reviewed.since(tx, tenant, 0, chosen.least)) >= chosen.least
        return begun and len(await reviewed.deciders(tx, tenant, now - LATELY)) >= 2
    if not drawn.holds(chosen, now) or await reviewed.newest(tx, tenant) > drawn.cursor:
        return True
    waiting = await reviewed.open_probes(tx, tenant, KINDS)
    return bool(drawn.owed or drawn.seconds) and _room(waiting, chosen, now) > 0


async def _seeded(
    tx: AsyncSession, tenant: str, chosen: Reviewing, drawn: Drawn | None, people: Mapping[str, Any], now: datetime
) -> Drawn | None:
    """Return the state with a seed for these settings; a seed is told in the audit log by its digest, and itself once given up."""
    if drawn is not None and drawn.holds(chosen, now):
        return drawn
    if drawn is None and len(people) < 2:
        return None
    seed = secrets.token_hex(16)
    body: dict[str, Any] = {"seed": digest_of("reviewing seed", seed), "settings": chosen.as_json()}
    if drawn is not None:
        body |= {"given_up": drawn.seed, "until": drawn.cursor}
    records.about(tx, tenant, now, "reviewing.seeded", "learner", DRAWN, body)
    fresh = Drawn(seed, chosen.as_json(), await reviewed.newest(tx, tenant), made=now.isoformat())
    return fresh if drawn is None else replace(drawn, seed=seed, settings=fresh.settings, made=fresh.made)


async def _drawn(tx: AsyncSession, tenant: str, chosen: Reviewing, drawn: Drawn, now: datetime) -> Drawn:
    newest, said = await reviewed.newest(tx, tenant), await reviewed.since(tx, tenant, drawn.cursor, BATCH)
    after = taken(drawn, chosen, said, now)
    if len(said) < BATCH and (not said or after.cursor == said[-1].sequence):
        after = replace(after, cursor=max(after.cursor, newest))  # what lies between is no ordinary decision
    if (after.owed, after.seconds) != (drawn.owed, drawn.seconds):
        body = {"after": drawn.cursor, "to": after.cursor, "owed": after.owed, "seconds": list(after.seconds)}
        records.about(tx, tenant, now, "reviewing.drawn", "learner", DRAWN, body)
    return after


async def _asked(
    tx: AsyncSession, tenant: str, chosen: Reviewing, drawn: Drawn, people: Mapping[str, tuple[str, int]], now: datetime
) -> tuple[Drawn, int]:
    waiting = await reviewed.open_probes(tx, tenant, KINDS)
    count, room, kinds = 0, _room(waiting, chosen, now), [probe.kind for probe, _ in waiting]
    while count < room and (drawn.owed or drawn.seconds):
        kinds.append(following(drawn, kinds))
        if kinds[-1] == "second":
            count += await _second(tx, drawn.seconds[0], people, now)
            drawn = replace(drawn, seconds=drawn.seconds[1:])
        else:
            count += await _known(tx, tenant, drawn, people, now)
            drawn = replace(drawn, owed=drawn.owed - 1, asked=drawn.asked + 1)
    return drawn, count


def following(drawn: Drawn, kinds: Sequence[str]) -> str:
    """Return which kind is asked next: of what is owed, the one of which fewer wait, so that neither starves."""
    if not (drawn.owed and drawn.seconds):
        return "known" if drawn.owed else "second"
    return "second" if kinds.count("second") < kinds.count("known") else "known"


def _room(waiting: Sequence[tuple[ProbeRow, Any]], chosen: Reviewing, now: datetime) -> int:
    """Return how many more may be asked now."""
    fresh = sum(probe.created_at > now - STALE for probe, _ in waiting)
    return min(chosen.pending - fresh, PILE * chosen.pending - len(waiting))


async def _second(tx: AsyncSession, action: str, people: Mapping[str, tuple[str, int]], now: datetime) -> bool:
    """Ask somebody else about a decided action, unless what was said has changed or nobody else is there."""
    source, review = await reviews.action(tx, action), await reviews.of_action(tx, action)
    said = await reviews.decisions(tx, review.id) if review is not None else []
    if source is None or source.erased_at is not None or len(said) != 1 or not _someone(source, said[0].actor, people):
        return False
    if await probes.of_source(tx, action, "known") is not None:
        return False  # nobody is to see it a third time
    expected = probing.outcome_of(said[0].type, source.args, said[0].args, source.args_schema)
    return await probing.ask(tx, source, "second", now, expected=expected, not_for=said[0].actor) is not None


async def _known(tx: AsyncSession, tenant: str, drawn: Drawn, people: Mapping[str, tuple[str, int]], now: datetime) -> bool:
    """Ask about a past action whose answer is known: a wrong one or a correct one, as it is drawn; False where there is none."""
    wanted = "wrong" if draw(drawn.seed, f"mix {drawn.asked}") < WRONG else "correct"
    pool = [one for one in await reviewed.askable(tx, tenant, now - PAST) if expected_of(one) == wanted]
    while pool:
        one = pool.pop(int(draw(drawn.seed, f"pick {drawn.asked} {len(pool)}") * len(pool)))
        source = await reviews.action(tx, one.action)
        if source is None or not _someone(source, one.actor, people):
            continue
        if probing.outcome_of(one.type, source.args, one.args, source.args_schema) != wanted:
            continue  # an edit of what is cosmetic
        return await probing.ask(tx, source, "known", now, expected=wanted, not_for=one.actor) is not None
    return False


def _someone(source: ActionRow, knows: str, people: Mapping[str, tuple[str, int]]) -> bool:
    """Tell whether somebody who decides may answer, and does not know the answer."""
    least = rank(asking.terms_of(source).role)
    return any(name not in (knows, source.requester) and rank(role) >= least for name, (role, _) in people.items())
