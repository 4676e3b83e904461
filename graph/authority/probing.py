"""Probes: reviews that measure instead of letting something run; the reviewer cannot tell them from others until they answered.

A probe asks about a copy of an action under its own id, thread and digest; its verdict is `probe`, which no claim takes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..actions import action_digest
from ..audit.masking import masked
from ..canonical import digest_of
from ..clock import fresh_id
from ..comparing import only_cosmetic
from ..store import probes, threads
from ..store.autonomy_models import ProbeRow
from ..store.events import note
from ..store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow
from ..store.session import AsyncSession
from .asking import priority, terms_of

KINDS = ("audit", "known", "second", "shadow")

TEACHES = ("audit", "shadow")
"""The probes whose answers are examples: nobody had decided on these actions."""


async def ask(
    tx: AsyncSession,
    source: ActionRow,
    kind: str,
    now: datetime,
    *,
    share: float = 1.0,
    expected: str = "",
    not_for: str = "",
) -> ReviewRow | None:
    """Put a probe about an action into the queue; None if its action has one of this kind already.

    Args:
        tx: the transaction it belongs to; the copy's thread is made in it.
        source: the action that it is about.
        kind: `audit`, `known`, `second` or `shadow`.
        now: the moment.
        share: the probability with which it was drawn.
        expected: the known answer, or what the first reviewer said.
        not_for: the reviewer who is not given it.
    """
    if await probes.of_source(tx, source.id, kind) is not None:
        return None
    copy, earned = copy_of(source, kind, now), source.provenance.get("earned", {})
    await threads.ensure(tx, _thread(copy))
    tx.add(copy)
    await tx.flush()
    review = _review(copy, now, not_for)
    tx.add(review)
    await tx.flush()
    probe = ProbeRow(
        review=review.id,
        tenant=source.tenant,
        kind=kind,
        source=source.id,
        agent=source.agent,
        tool=source.tool,
        key=str(earned.get("key", "")),
        certificate=str(earned.get("certificate", "")),
        share=share,
        expected=expected,
        created_at=now,
    )
    if not await probes.add(tx, probe):
        raise RuntimeError("the probe was added twice")  # pragma: no cover - `of_source` was asked under the same locks
    _noted(tx, copy, review, now)
    return review


def copy_of(source: ActionRow, kind: str, now: datetime) -> ActionRow:
    """Return the copy of an action that a probe asks about."""
    fields: dict[str, Any] = source.model_dump()
    action = "act_" + digest_of("probe", kind, source.id)[:24]
    thread = "case_" + digest_of("probe thread", kind, source.id)[:24]
    digest = action_digest(source.tool, source.tool_digest, source.args, thread, action, source.tenant)
    known = {name: value for name, value in source.provenance.items() if name != "earned"}
    mine = {"id": action, "thread": thread, "digest": digest, "verdict": "probe", "provenance": known, "created_at": now}
    return ActionRow(**{**fields, **mine})


def _thread(copy: ActionRow) -> ThreadRow:
    """Return the thread that a copy stands in; no agent drives it."""
    return ThreadRow(
        id=copy.thread,
        tenant=copy.tenant,
        agent=copy.agent,
        requester=copy.requester,
        status="probe",
        created_at=copy.created_at,
    )


def _review(copy: ActionRow, now: datetime, not_for: str) -> ReviewRow:
    return ReviewRow(
        id=fresh_id("rev"),
        tenant=copy.tenant,
        action=copy.id,
        thread=copy.thread,
        tool=copy.tool,
        kind="probe",
        blind=True,
        not_for=not_for,
        digest=copy.digest,
        priority=priority(copy.consequence, 0.5),
        role=terms_of(copy).role,
        created_at=now,
    )


def _noted(tx: AsyncSession, copy: ActionRow, review: ReviewRow, now: datetime) -> None:
    """Note the copy as the log notes any action that a person is asked about, without saying that it is one."""
    body: dict[str, Any] = {
        "verdict": copy.verdict,
        "thread": copy.thread,
        "agent": copy.agent,
        "tool": copy.tool,
        "digest": copy.digest,
    }
    body |= {"tool_digest": copy.tool_digest, "consequence": copy.consequence, "quorum": review.quorum}
    payload = {"requester": copy.requester, "args": masked(copy.args, copy.secrets), "reasons": [], "evidence": copy.evidence}
    note(tx, copy.tenant, now, "verdict", "policy", copy.id, body, payload)


async def answered(tx: AsyncSession, review: ReviewRow, copy: ActionRow, decision: DecisionRow, now: datetime) -> ProbeRow | None:
    """Write down what a probe measured, in its decision's transaction; returns it, or None if the review is no probe."""
    probe = await probes.of_review(tx, review.id)
    if probe is None:
        return None
    outcome = outcome_of(decision.type, copy.args, decision.args, copy.args_schema)
    await probes.answer(tx, review.id, decision.type, outcome, decision.actor, now, decision.seen_ms)
    body = {"review": review.id, "kind": probe.kind, "copy": copy.id, "outcome": outcome, "decision": decision.id}
    note(tx, probe.tenant, now, "probe.answered", decision.actor, probe.source, {**body, "expected": probe.expected})
    return await probes.of_review(tx, review.id)


def outcome_of(decision: str, proposed: dict[str, Any], accepted: dict[str, Any] | None, schema: dict[str, Any]) -> str:
    """Return what a decision says of the proposal: `correct`, `wrong`, or `left out` for an answer in the tool's place.

    An edit that touches cosmetic fields only says that the proposal was correct.
    """
    if decision == "approve":
        return "correct"
    if decision == "edit":
        return "correct" if accepted is not None and only_cosmetic(proposed, accepted, schema) else "wrong"
    return "wrong" if decision == "reject" else "left out"


def revealed(probe: ProbeRow) -> str:
    """Say after the answer what it was."""
    match probe.kind:
        case "audit":
            told = "This was an audit: the action had passed without a person. Nothing runs by your answer."
            return told if probe.outcome != "wrong" else f"{told} See under Watch or History whether it can be undone."
        case "known":
            right = probe.outcome == probe.expected
            return f"This was a known-answer item and nothing runs by it; {'you saw it' if right else 'it was wrong as proposed'}."
        case "second":
            return "This was a second look at what somebody else decided; nothing runs by it."
    return "This class of actions is in shadow: your decision is recorded, and nothing runs by it."
