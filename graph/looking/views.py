"""What a reviewer is shown of a review, and what a decision taught: frozen views of rows; they carry facts from our side only."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ..audit.masking import masked
from ..autonomy.scoring import FLAGS
from ..store.models import ActionRow, DecisionRow, ExampleRow, ReviewRow


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """One review as a reviewer sees it; field names are those of `as_json`."""

    id: str
    number: int
    version: int
    digest: str
    status: str
    tool: str
    title: str
    description: str
    consequence: str
    args: dict[str, Any]
    schema: dict[str, Any]
    choices: list[dict[str, Any]] | None
    reasons: list[dict[str, Any]]
    confidence: dict[str, Any] | None
    evidence: list[dict[str, Any]]
    conversation: list[dict[str, Any]]
    precedents: list[dict[str, Any]]
    requester: str
    agent: str
    thread: str
    """Empty while a blind review is pending: a probe stands in no conversation, and nothing may tell it from others."""
    created: str
    due: str | None
    priority: float
    quorum: int = 1
    """How many distinct people have to approve this digest."""
    approvals: list[dict[str, Any]] = field(default_factory=list)
    """Who stands behind it now: `actor` and `at`."""
    role: str = "operator"
    """The role a decision needs."""
    warn: str | None = None
    escalated_to: str = ""
    holder: str | None = None
    """Who works on it, until `held_until`."""
    held_until: str | None = None
    snoozed_until: str | None = None
    proposed: dict[str, Any] | None = None
    """What the agent proposed, when an edit of it is asked about; null otherwise."""
    edited_by: str | None = None
    close_reason: str = ""
    blocked: str = ""
    """Why the one who looks cannot decide it now; empty if they can."""

    def as_json(self) -> dict[str, Any]:
        """Return the card as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ExampleView:
    """What a decision taught."""

    id: str
    label: str
    text: str
    tool: str
    args: dict[str, Any]
    accepted: dict[str, Any] | None
    actor: str
    created: str
    retired: str | None
    retired_by: str | None
    retired_reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the example as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a card shows besides its rows, for one person at one moment."""

    people: dict[str, tuple[str, str]]
    """Example ids to (label, actor)."""
    approvals: tuple[DecisionRow, ...]
    edited_by: str | None
    blocked: str
    now: datetime
    held_back: frozenset[str] = frozenset()
    """The examples that this person is not shown, because their action is asked about once more just now."""


BLIND = {"check": "blind", "ruling": "review", "text": "You are asked on the evidence alone, without what the machine made of it."}


def card(review: ReviewRow, action: ActionRow, seen: Seen) -> ReviewCard:
    """Return the card of a review."""
    held = review.held_until is not None and review.held_until > seen.now
    return ReviewCard(
        id=review.id,
        number=review.number or 0,
        version=review.version,
        digest=review.digest,
        status=review.status,
        tool=action.tool,
        title=action.title,
        description=action.description,
        consequence=action.consequence,
        args=masked(action.args if review.args is None else review.args, action.secrets),
        schema=action.args_schema,
        choices=action.choices,
        reasons=[BLIND, *(one for one in action.reasons if one["check"] != "confidence")] if review.blind else action.reasons,
        confidence=None if review.blind else _confidence(action),
        evidence=action.evidence,
        conversation=action.conversation,
        precedents=[_precedent(one, seen.people) for one in action.precedents if one["example_id"] not in seen.held_back],
        requester=action.requester,
        agent=action.agent,
        thread="" if review.blind and review.status == "pending" else action.thread,
        created=review.created_at.isoformat(),
        due=_iso(review.due_at),
        priority=review.priority,
        quorum=review.quorum,
        approvals=[{"actor": one.actor, "at": one.created_at.isoformat()} for one in seen.approvals],
        role=review.role,
        warn=_iso(review.warn_at),
        escalated_to=review.escalate_to if review.escalated_at is not None else "",
        holder=review.holder if held else None,
        held_until=_iso(review.held_until) if held else None,
        snoozed_until=_iso(review.snoozed_until),
        proposed=masked(action.args, action.secrets) if review.args is not None else None,
        edited_by=seen.edited_by,
        close_reason=review.close_reason,
        blocked=seen.blocked,
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _confidence(action: ActionRow) -> dict[str, Any] | None:
    if not action.readings:
        return None
    earned = action.provenance.get("earned", {})
    certified = earned.get("basis") == "certificate"
    return {
        "value": action.confidence,
        "certified": certified,
        "certificate": earned.get("certificate", "") if certified else "",
        "level": earned.get("level"),
        "threshold": action.threshold,
        "signals": [reading for reading in action.readings if reading["signal"] != FLAGS],
    }


def _precedent(one: dict[str, Any], people: dict[str, tuple[str, str]]) -> dict[str, Any]:
    decision, by = people.get(one["example_id"], ("", ""))
    return {**one, "decision": decision, "by": by}


def example_view(row: ExampleRow) -> ExampleView:
    """Return an example as people see it."""
    return ExampleView(
        row.id,
        row.label,
        row.text,
        row.tool,
        row.args,
        row.accepted,
        row.actor,
        row.created_at.isoformat(),
        row.retired_at.isoformat() if row.retired_at else None,
        row.retired_by,
        row.retired_reason,
    )
