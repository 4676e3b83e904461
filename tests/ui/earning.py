"""Fills a desk with months of actions, decisions and audits as rows; certificates, signatures and alarms come from the real parts.

Decisions and their times are written as rows, since nobody waits for months; what they come to is not: the learner certifies, a
lead signs, the gate's own function lets actions pass and draws audits, and the learner takes the answers in.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from assent.evals.ladder.evidence import evidence_of
from assent.evals.ladder.levels import promote
from assent.evals.ladder.offering import looked_at
from assent.evals.learner import Learner
from assent.evals.reviewing.reviewer_health import look
from assent.evals.watch.renewing import PATIENCE, renewed
from assent.graph.actions import action_digest
from assent.graph.authority.earning import earned_of
from assent.graph.authority.probing import copy_of
from assent.graph.autonomy.classes import Key
from assent.graph.autonomy.earned import Earned, judged, on_record
from assent.graph.autonomy.levels import Level, ceiling_of
from assent.graph.autonomy.scoring import features_of
from assent.graph.clock import Clock
from assent.graph.desk import Desk
from assent.graph.store import autonomy
from assent.graph.store.autonomy_models import ProbeRow
from assent.graph.store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow

NUMBERED: dict[Any, set[str]] = {ReviewRow: {"number"}, DecisionRow: {"sequence"}}
"""What the database counts."""
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}
BATCH = 25
"""So many actions lie between two turns of the learner."""
PERIOD, SIGNED = timedelta(days=84), timedelta(days=35)
"""How far back the first action lies, and the signature."""


@dataclass(frozen=True)
class Class:
    """A class of actions and what becomes of it."""

    tool: str
    title: str
    consequence: str = "reversible"
    agent: str = "assent"
    before: int = 320
    """Actions that were all reviewed."""
    easy: float = 0.75
    """The share of actions on which resamples agree."""
    offered: bool = False
    """Whether the learner looks at it."""
    after: int = 0
    """Actions since a lead signed."""
    worse: float = 0.0
    """How much worse the agent is in the second half of these, in log-odds."""
    reason: str = "Right for seven weeks, and what passes can be undone."

    @property
    def key(self) -> Key:
        """What it is earned with."""
        return Key(self.agent, self.tool, "model-1", "prompt", "policy", "schema")


@dataclass(frozen=True)
class _Writer:
    desk: Desk
    one: Class
    source: random.Random
    people: Sequence[str]
    now: datetime

    def reviewed(self, number: int, at: datetime, earned: Earned | None, worse: float = 0.0) -> list[Any]:
        """Return the rows of one proposal: reviewed, passed, or passed and audited, as the gate rules."""
        agreement = 1.0 if self.source.random() < self.one.easy else self.source.choice((0.2, 0.4, 0.6, 0.8))
        own = min(1.0, max(0.0, self.source.gauss(0.75 + 0.15 * (agreement - 0.5), 0.12)))
        right = self.source.random() < 1 / (1 + math.exp(3.8 - 7 * agreement - 5 * (own - 0.5) + worse))
        action = self._action(number, at, agreement, own, earned)
        rows: list[Any] = [self._thread(action), action]
        if action.verdict == "review":
            return [*rows, *self._decided(action, at, right, "action")]
        if action.provenance["earned"]["audited"]:
            copy = copy_of(action, at)
            rows += [self._thread(copy), copy, *self._decided(copy, at, right, "probe")]
            rows.append(self._probe(action, rows[-1], right))
        return rows

    def _action(self, number: int, at: datetime, agreement: float, own: float, earned: Earned | None) -> ActionRow:
        one, name = self.one, f"{self.one.tool}-{number}"
        thread, args = f"case-{name}", {"text": f"about {name}"}
        readings = [
            {"signal": "agreement", "value": agreement, "raw": {}, "gates": True},
            {"signal": "self assessment", "value": round(own, 3), "raw": {}, "gates": False},
        ]
        reasons = [{"check": "undoable", "ruling": "gate", "text": "It can be undone."}]
        key, features = one.key.digest(), features_of(one.tool, readings, reasons)
        how = {"consequence": one.consequence, "sure": agreement, "now": at}
        found = judged(earned, key=key, features=features, action=f"act_{name}", **how)
        return ActionRow(
            id=f"act_{name}",
            tenant=self.desk.tenant,
            thread=thread,
            agent=one.agent,
            requester="C100",
            tool=one.tool,
            tool_digest="schema",
            args=args,
            digest=action_digest(one.tool, "schema", args, thread, f"act_{name}", self.desk.tenant),
            consequence=one.consequence,
            title=one.title,
            verdict=found.way,
            reasons=reasons,
            readings=readings,
            confidence=found.confidence,
            threshold=found.threshold,
            evidence=[],
            conversation=[],
            precedents=[],
            args_schema=SCHEMA,
            provenance={
                "model": "model-1",
                "prompt": "prompt",
                "policy": "policy",
                "earned": on_record(earned, found, key, ceiling_of(one.consequence)),
            },
            created_at=at,
        )

    def _thread(self, action: ActionRow) -> ThreadRow:
        status = "probe" if action.verdict == "probe" else "open"
        return ThreadRow(
            id=action.thread,
            tenant=action.tenant,
            agent=action.agent,
            requester="C100",
            status=status,
            created_at=action.created_at,
        )

    def _decided(self, action: ActionRow, at: datetime, right: bool, kind: str) -> tuple[ReviewRow, DecisionRow]:
        how = "approve" if right else self.source.choice(("edit", "edit", "reject"))
        said = min(self.now, at + timedelta(minutes=2 + self.source.random() * 20))
        review = ReviewRow(
            id=f"rev_{action.id}",
            tenant=action.tenant,
            action=action.id,
            thread=action.thread,
            requester=action.requester,
            tool=action.tool,
            kind=kind,
            blind=kind == "probe",
            status="rejected" if how == "reject" else "approved",
            digest=action.digest,
            created_at=at,
            decided_at=said,
        )
        decision = DecisionRow(
            id=f"dec_{action.id}",
            tenant=action.tenant,
            review=review.id,
            action=action.id,
            version=1,
            type=how,
            actor=self.source.choice(self.people),
            role="operator",
            shown_digest=action.digest,
            digest=action.digest,
            args={"text": "something else"} if how == "edit" else None,
            reason="wrong_details" if how == "reject" else "",
            seen_ms=int(2000 + self.source.random() * 14_000),
            floor_ms=3_000 if self.one.consequence == "costly" else None,
            effective_at=said,
            created_at=said,
        )
        return review, decision

    def probed(self, number: int, at: datetime, kind: str, who: str, first: str, right: bool) -> list[Any]:
        """Return the rows of a known-answer item that is wrong, or of a second look, that somebody answered."""
        source = self._action(number, at - timedelta(days=3), 1.0, 0.8, None)
        copy = copy_of(source, at)
        review, decision = self._decided(copy, at, right, "probe")
        review.not_for, decision.actor = first, who
        probe = self._probe(source, decision, right, kind)
        probe.expected = "wrong" if kind == "known" or right == (self.source.random() < 0.06) else "correct"
        return [self._thread(source), self._thread(copy), source, copy, review, decision, probe]

    def _probe(self, source: ActionRow, decision: DecisionRow, right: bool, kind: str = "audit") -> ProbeRow:
        earned = source.provenance["earned"]
        return ProbeRow(
            review=decision.review,
            tenant=source.tenant,
            kind=kind,
            source=source.id,
            agent=source.agent,
            tool=source.tool,
            key=earned["key"],
            certificate=earned.get("certificate", ""),
            share=earned.get("share", 1.0),
            outcome="correct" if right else "wrong",
            decision=decision.type,
            answered_by=decision.actor,
            answered_at=decision.created_at,
            seen_ms=decision.seen_ms,
            created_at=source.created_at,
        )


async def earn(desk: Desk, one: Class, *, seed: int = 7, people: Sequence[str] = ("ada", "bob"), lead: str = "lin") -> None:
    """Write the history of a class; once it is signed, what audits find is taken in and may take it down."""
    now, source = desk.clock(), random.Random(f"{seed} {one.agent} {one.tool}")
    writer = _Writer(desk, one, source, people, now)
    ends = now - SIGNED - timedelta(hours=3) if one.after else now - timedelta(hours=6)
    await _written(desk, [writer.reviewed(number, at, None) for number, at in enumerate(_moments(one.before, now - PERIOD, ends))])
    if one.offered or one.after:
        await looked_at(desk.store, lambda: ends + timedelta(hours=1), desk.tenant, one.agent, one.tool)
    if not one.after:
        return
    shown = await evidence_of(desk.store, lambda: now - SIGNED, desk.tenant, one.agent, one.tool)
    named = {"digest": shown.digest, "certificate": shown.offered, "reason": one.reason}
    await promote(desk.store, lambda: now - SIGNED, one.agent, one.tool, Level.CERTIFIED, lead, **named)
    later = list(enumerate(_moments(one.after, now - SIGNED, now), one.before))
    for start in range(0, len(later), BATCH):
        async with desk.store.read() as tx:
            row = await autonomy.get(tx, desk.tenant, one.agent, one.tool)
        assert row is not None
        earned, batch = replace(earned_of(row), watched_until=now + PATIENCE), later[start : start + BATCH]
        worse = one.worse if start > one.after // 2 else 0.0
        await _written(desk, [writer.reviewed(number, at, earned, worse) for number, at in batch])
        await Learner(desk.store, _at(batch[-1][1] + timedelta(hours=1)), desk.tenant).count()
    await renewed(desk.store, desk.clock, desk.tenant)


def _at(moment: datetime) -> Clock:
    return lambda: moment


def _moments(count: int, start: datetime, end: datetime) -> Iterable[datetime]:
    return (start + (end - start) * ((number + 1) / (count + 1)) for number in range(count))


async def _written(desk: Desk, rows: Iterable[Sequence[Any]]) -> None:
    every = [row for several in rows for row in several]
    async with desk.store.begin() as tx:
        for kind in (ThreadRow, ActionRow, ReviewRow, DecisionRow, ProbeRow):
            if values := [row.model_dump(exclude=NUMBERED.get(kind)) for row in every if isinstance(row, kind)]:
                await tx.exec(sa.insert(kind), params=values)  # type: ignore[call-overload]


async def measure(desk: Desk, one: Class, missed: dict[str, int], *, items: int = 40, seconds: int = 18) -> None:
    """Have reviewers answer known-answer items and second looks; `missed` says how many of the items each let through."""
    now, people = desk.clock(), list(missed)
    writer = _Writer(desk, one, random.Random(f"reviewers {one.tool}"), people, now)
    rows = []
    for place, (who, lost) in enumerate(missed.items()):
        for item, at in enumerate(_moments(items, now - PERIOD / 2, now)):
            rows.append(writer.probed(10_000 * (place + 1) + item, at, "known", who, "", item % (items // max(1, lost)) == 1))
        for item, at in enumerate(_moments(seconds, now - PERIOD / 2, now)):
            first = people[place - 1]
            rows.append(writer.probed(10_000 * (place + 1) + items + item, at, "second", who, first, item % 6 != 0))
    await _written(desk, rows)
    await look(desk.store, desk.clock, desk.tenant)


async def a_shop(desk: Desk) -> None:
    """Write a handful of classes, one of each kind that the page has to tell apart."""
    await earn(desk, Class("label", "Label an order", before=760, after=420, easy=0.6))
    await earn(desk, Class("note", "Write a note", before=340, offered=True))
    await earn(desk, Class("remind", "Remind a customer", before=330, after=520, worse=5.5))
    await earn(desk, Class("refund", "Refund an order", "costly", before=63, easy=0.6, offered=True))
    await earn(desk, Class("courier", "Book a courier", "costly", before=6))
    await measure(desk, Class("refund", "Refund an order", "costly"), {"ada": 3, "bob": 2})
