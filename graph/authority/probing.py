"""Probes: reviews that measure instead of letting something run; the reviewer cannot tell them from others until they answered.

A probe asks about a copy of an action under its own id, thread and digest; its verdict is `probe`, which no claim takes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..actions import action_digest
from ..audit.masking import masked
from ..clock import fresh_id
from ..comparing import only_cosmetic
from ..rules.terms import Terms
from ..store import probes, reviews, threads
from ..store.autonomy_models import ProbeRow
from ..store.events import note
from ..store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow
from ..store.session import AsyncSession
from . import reviewing
from .asking import review_of, terms_of
from .limits import fair

LEFT_OUT = "left out"

KINDS = ("audit", "known", "second", "settling", "shadow")

CROWD = 200
"""So many others of a requester are counted at most, for the place in the queue."""

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
    terms: Terms | None = None,
    question: dict[str, Any] | None = None,
) -> ReviewRow | None:
    """Put a probe about an action into the queue; None if its action has one of this kind already.

    Args:
        tx: the transaction it belongs to; the copy's thread is made in it.
        source: the action that it is about.
        kind: `audit`, `known`, `second`, `settling` or `shadow`.
        now: the moment.
        share: the probability with which it was drawn.
        expected: the known answer, or what the first reviewer said.
        not_for: the reviewers who are not given it, one a line.
        terms: who has to answer it, if not those whom the policy says.
        question: a reason that the card shows first.
    """
    if await probes.of_source(tx, source.id, kind) is not None:
        return None
    copy, earned = copy_of(source, now), source.provenance.get("earned", {})
    if terms is None:
        terms = (await reviewing.in_force(tx, source.tenant)).terms(copy, terms_of(copy))
    if question is not None:
        copy.reasons = [question, *copy.reasons]
    await threads.ensure(tx, _thread(copy))
    tx.add(copy)
    await tx.flush()
    review = review_of(copy, terms, now, blind=True)
    _, waiting = await reviews.crowd(tx, copy.tenant, copy.thread, copy.requester, (1, CROWD))
    # no `requester`: what is measured must not take up the room of whoever the action was once asked for
    review.kind, review.not_for, review.priority = "probe", not_for, fair(review.priority, waiting)
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


def copy_of(source: ActionRow, now: datetime) -> ActionRow:
    """Return the copy of an action that a probe asks about: under ids that nobody can derive, and dated as if it were new."""
    fields: dict[str, Any] = source.model_dump()
    action, thread = fresh_id("act"), fresh_id("case")
    digest = action_digest(source.tool, source.tool_digest, source.args, thread, action, source.tenant)
    known = {name: value for name, value in source.provenance.items() if name not in ("earned", "stated")}
    if (stated := source.provenance.get("stated")) is not None:  # a second person was added to what the policy said
        known["terms"] = stated
    mine = {
        "id": action,
        "thread": thread,
        "digest": digest,
        "verdict": "probe",
        "provenance": known,
        "reasons": [one for one in source.reasons if one != reviewing.SECOND],
        "evidence": [_moved(one, now - source.created_at) for one in source.evidence],
        "created_at": now,
    }
    return ActionRow(**{**fields, **mine})


def _moved(evidence: dict[str, Any], by: timedelta) -> dict[str, Any]:
    """Return a piece of evidence as old as it was when its action was new: its date would tell that the action is not."""
    try:
        return {**evidence, "at": (datetime.fromisoformat(evidence["at"]) + by).isoformat()}
    except (KeyError, TypeError, ValueError, OverflowError):
        return evidence


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
        same = accepted == proposed or only_cosmetic(proposed, accepted or {}, schema)
        return "correct" if same else "wrong"
    return "wrong" if decision == "reject" else LEFT_OUT


def let_through(probe: ProbeRow) -> bool:
    """Tell whether an answer would have let run what was proposed; an answer in the tool's place does not."""
    return probe.outcome == "correct"


def differs(probe: ProbeRow) -> bool:
    """Tell whether the answer to a known-answer item is the opposite of what was known."""
    return probe.kind == "known" and {probe.expected, probe.outcome} == {"correct", "wrong"}


def _known(probe: ProbeRow, *, asked: bool) -> str:
    if differs(probe) and asked:
        return "Whoever decided it before judged otherwise. A lead is asked which is right, and until then it counts for neither."
    if probe.expected == "wrong" and let_through(probe):
        return "It was wrong as proposed, and this time it got past you."
    if probe.expected == "wrong":
        return "You saw that it was wrong."
    if probe.outcome == "wrong":
        return "It had been approved before; look at the two decisions together if you think that was a mistake."
    return "It had been approved before, too." if let_through(probe) else ""


def revealed(probe: ProbeRow, *, asked: bool = False) -> str:
    """Say after the answer what it was; `asked`: a lead is asked about an answer that differs from the known one."""
    match probe.kind:
        case "audit":
            told = "This was an audit: the action had passed without a person. Nothing runs by your answer."
            return told if probe.outcome != "wrong" else f"{told} See under Watch or History whether it can be undone."
        case "known":
            return f"This was a known-answer item, and nothing runs by it. {_known(probe, asked=asked)}".strip()
        case "second":
            same = "You agree." if probe.outcome == probe.expected else "The two of you differ, which a lead can see."
            told = same if probe.outcome != LEFT_OUT else ""
            return f"This was a second look at what somebody else had decided, and nothing runs by it. {told}".strip()
        case "settling":
            return "Two people had judged this action differently. Your word stands, and nothing runs by it."
    return "This class of actions is in shadow: your decision is recorded, and nothing runs by it."
