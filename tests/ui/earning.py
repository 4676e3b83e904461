"""Fills a desk with months of decided actions, audits and certificates, so that its page Insights has something to tell."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from assent.evals.certificate import certify
from assent.evals.heads import fit_head
from assent.evals.monitor import observe, start
from assent.graph.actions import action_digest
from assent.graph.autonomy.classes import Key
from assent.graph.autonomy.levels import SHARES, Level
from assent.graph.autonomy.scoring import AGREEMENT, Head, features_of
from assent.graph.desk import Desk
from assent.graph.store.autonomy_models import AutonomyRow, CertificateRow, LevelChangeRow, ProbeRow
from assent.graph.store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow

NUMBERED: dict[Any, set[str]] = {ReviewRow: {"number"}, DecisionRow: {"sequence"}}
"""What the database counts."""
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}


@dataclass
class Class:
    """A class of actions and what became of it."""

    tool: str
    title: str
    consequence: str = "reversible"
    agent: str = "assent"
    decided: int = 320
    easy: float = 0.75
    """The share of actions on which resamples agree."""
    level: int = 1
    offer: int = 0
    """The level of a certificate on offer; 0: none."""
    audits: int = 0
    wrong_audits: tuple[int, ...] = ()
    """Which of the audits found it wrong."""
    suspended: str = ""
    reason: str = "It was right for three months, and what passes can be undone."
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        self.key = Key(self.agent, self.tool, "model-1", "prompt", "policy", "schema")


async def earn(desk: Desk, one: Class, *, seed: int = 7, people: tuple[str, ...] = ("ada", "bob", "lin")) -> str:
    """Write the history of a class; returns the id of its certificate in force or on offer, empty without one."""
    source, now = random.Random(f"{seed} {one.tool}"), desk.clock()
    made = [_decided(desk, one, source, number, now, people) for number in range(one.decided)]
    await _written(desk, [row for rows in made for row in rows])
    features = [features_of(one.tool, rows[1].readings, rows[1].reasons) for rows in made]
    correct = [rows[3].type == "approve" for rows in made]
    head, name = _head(features, correct), ""
    async with desk.store.begin() as tx:
        if one.level >= Level.CERTIFIED:
            name = f"crt_{one.tool}_{one.level}"
            tx.add(_certificate(desk, one, name, one.level, "signed", head, features, correct, now - timedelta(days=40)))
        if one.offer:
            name = f"crt_{one.tool}_{one.offer}"
            tx.add(_certificate(desk, one, name, one.offer, "offered", head, features, correct, now - timedelta(hours=5)))
        if one.level != Level.SUPERVISED or one.suspended:
            tx.add(_autonomy(desk, one, name if not one.offer else f"crt_{one.tool}_{one.level}", head, now))
            tx.add(_change(desk, one, now))
    await _audited(desk, one, source, now, people)
    return name


def _head(features: list[dict[str, float | None]], correct: list[bool]) -> Head:
    half = len(features) // 2
    return fit_head(features[:half], correct[:half], least_labels=100, least_errors=10) if half >= 100 else AGREEMENT


async def _written(desk: Desk, rows: list[Any]) -> None:
    kinds = (ThreadRow, ActionRow, ReviewRow, DecisionRow, ProbeRow)
    async with desk.store.begin() as tx:
        for kind in kinds:
            if values := [row.model_dump(exclude=NUMBERED.get(kind)) for row in rows if isinstance(row, kind)]:
                await tx.exec(sa.insert(kind), params=values)  # type: ignore[call-overload]


def _decided(
    desk: Desk, one: Class, source: random.Random, number: int, now: datetime, people: tuple[str, ...]
) -> tuple[ThreadRow, ActionRow, ReviewRow, DecisionRow]:
    at = now - timedelta(days=84 * (1 - (number + source.random()) / max(1, one.decided)), minutes=1)
    agreement = 1.0 if source.random() < one.easy else source.choice((0.2, 0.4, 0.6, 0.8))
    own = min(1.0, max(0.0, source.gauss(0.75 + 0.15 * (agreement - 0.5), 0.12)))
    right = source.random() < 1 / (1 + math.exp(3.5 - 6 * agreement - 4 * (own - 0.5)))
    action = _action(desk, one, f"{one.tool}-{number}", at, agreement, own, "review")
    review = _review(action, "approved" if right else "rejected", at)
    how = "approve" if right else source.choice(("edit", "edit", "reject"))
    decision = _decision(review, action, how, source.choice(people), at + timedelta(minutes=2 + source.random() * 20), source)
    thread = ThreadRow(id=action.thread, tenant=desk.tenant, agent=one.agent, requester="C100", created_at=at)
    return thread, action, review, decision


def _action(desk: Desk, one: Class, name: str, at: datetime, agreement: float, own: float, verdict: str) -> ActionRow:
    thread, args = f"case-{name}", {"text": f"about {name}"}
    readings = [
        {"signal": "agreement", "value": agreement, "raw": {}, "gates": True},
        {"signal": "self assessment", "value": round(own, 3), "raw": {}, "gates": False},
    ]
    earned = {"key": one.key.digest(), "level": 1, "basis": "none", "ceiling": 4}
    return ActionRow(
        id=f"act_{name}",
        tenant=desk.tenant,
        thread=thread,
        agent=one.agent,
        requester="C100",
        tool=one.tool,
        tool_digest="schema",
        args=args,
        digest=action_digest(one.tool, "schema", args, thread, f"act_{name}", desk.tenant),
        consequence=one.consequence,
        title=one.title,
        verdict=verdict,
        reasons=[{"check": "undoable", "ruling": "gate", "text": "It can be undone."}],
        readings=readings,
        confidence=agreement,
        evidence=[],
        conversation=[],
        precedents=[],
        args_schema=SCHEMA,
        provenance={"model": "model-1", "prompt": "prompt", "policy": "policy", "earned": earned},
        created_at=at,
    )


def _review(action: ActionRow, status: str, at: datetime, kind: str = "action") -> ReviewRow:
    return ReviewRow(
        id=f"rev_{action.id}",
        tenant=action.tenant,
        action=action.id,
        thread=action.thread,
        requester=action.requester,
        tool=action.tool,
        kind=kind,
        status=status,
        digest=action.digest,
        created_at=at,
        decided_at=at + timedelta(minutes=3),
    )


def _decision(review: ReviewRow, action: ActionRow, how: str, who: str, at: datetime, source: random.Random) -> DecisionRow:
    return DecisionRow(
        id=f"dec_{action.id}",
        tenant=action.tenant,
        review=review.id,
        action=action.id,
        version=1,
        type=how,
        actor=who,
        role="operator",
        shown_digest=action.digest,
        digest=action.digest,
        args={"text": "something else"} if how == "edit" else None,
        reason="wrong_details" if how == "reject" else "",
        seen_ms=int(2000 + source.random() * 14_000),
        effective_at=at,
        created_at=at,
    )


def _certificate(
    desk: Desk,
    one: Class,
    name: str,
    level: int,
    status: str,
    head: Head,
    features: list[dict[str, float | None]],
    correct: list[bool],
    at: datetime,
) -> CertificateRow:
    half = len(features) // 2
    scores = [head.score(row) or 0.0 for row in features]
    found = certify(
        scores[half:], correct[half:], alpha=0.05 if level < Level.MONITORED else 0.1, delta=0.1, fit_scores=scores[:half]
    )
    return CertificateRow(
        id=name,
        tenant=desk.tenant,
        agent=one.agent,
        tool=one.tool,
        key=one.key.digest(),
        parts=one.key.as_json(),
        level=level,
        alpha=found.alpha,
        delta=found.delta,
        threshold=found.threshold,
        rows=found.rows,
        n=found.n,
        k=found.k,
        coverage=found.coverage,
        bound=found.bound,
        head=head.as_json(),
        report=found.as_json(),
        status=status,
        created_at=at,
    )


def _autonomy(desk: Desk, one: Class, certificate: str, head: Head, now: datetime) -> AutonomyRow:
    monitor = start(0.05 if one.level < Level.MONITORED else 0.1)
    for number in range(one.audits):
        monitor = observe(monitor, number in one.wrong_audits)
    return AutonomyRow(
        tenant=desk.tenant,
        agent=one.agent,
        tool=one.tool,
        level=one.level,
        version=3,
        key=one.key.digest(),
        certificate=certificate if one.level >= Level.CERTIFIED else "",
        head=head.as_json(),
        threshold=0.8,
        share=SHARES[Level(one.level)],
        seed="seed",
        suspended=one.suspended,
        monitor=monitor.as_json() if one.level >= Level.CERTIFIED else None,
        since=now - timedelta(days=33),
    )


def _change(desk: Desk, one: Class, now: datetime) -> LevelChangeRow:
    return LevelChangeRow(
        tenant=desk.tenant,
        agent=one.agent,
        tool=one.tool,
        before=1,
        after=one.level,
        by="lin",
        reason=one.reason,
        certificate=f"crt_{one.tool}_{one.level}",
        evidence={"sentences": ["Of 100 actions of this class, 61 pass without a person and 39 are reviewed."]},
        at=now - timedelta(days=33),
    )


async def _audited(desk: Desk, one: Class, source: random.Random, now: datetime, people: tuple[str, ...]) -> None:
    rows: list[Any] = []
    for number in range(one.audits):
        at = now - timedelta(days=32 * (1 - number / one.audits))
        passed = _action(desk, one, f"{one.tool}-passed-{number}", at, 1.0, 0.9, "allow")
        passed.provenance = {
            **passed.provenance,
            "earned": {**passed.provenance["earned"], "basis": "certificate", "level": 2, "share": 0.2},
        }
        copy = _action(desk, one, f"{one.tool}-copy-{number}", at, 1.0, 0.9, "probe")
        wrong, answered = number in one.wrong_audits, at + timedelta(hours=2)
        review = _review(copy, "rejected" if wrong else "approved", at, "probe")
        decision = _decision(review, copy, "reject" if wrong else "approve", source.choice(people), answered, source)
        probe = ProbeRow(
            review=review.id,
            tenant=desk.tenant,
            kind="audit",
            source=passed.id,
            agent=one.agent,
            tool=one.tool,
            key=one.key.digest(),
            certificate=f"crt_{one.tool}_{one.level}",
            share=0.2,
            outcome="wrong" if wrong else "correct",
            decision=decision.type,
            answered_by=decision.actor,
            answered_at=answered,
            counted_at=answered,
            created_at=at,
        )
        threads = [
            ThreadRow(id=row.thread, tenant=desk.tenant, agent=one.agent, requester="C100", created_at=at) for row in (passed, copy)
        ]
        rows += [*threads, passed, copy, review, decision, probe]
    await _written(desk, rows)


async def a_shop(desk: Desk) -> None:
    """Write a handful of classes, one of each kind that the page has to tell apart."""
    await earn(desk, Class("label", "Label an order", level=2, audits=64, wrong_audits=(17, 48), decided=620))
    await earn(desk, Class("note", "Write a note", offer=2, decided=520))
    await earn(
        desk,
        Class(
            "remind",
            "Remind a customer",
            level=2,
            audits=40,
            wrong_audits=(28, 31, 33, 34, 36),
            decided=420,
            suspended="The monitor's evidence against the promise reached 20.",
        ),
    )
    await earn(desk, Class("refund", "Refund an order", "costly", decided=63, easy=0.6))
    await earn(desk, Class("courier", "Book a courier", "costly", decided=6))
