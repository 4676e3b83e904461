"""The lines of the history: what people decided, what ended without them and what ran by itself, in one form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..audit.masking import masked, maybe_masked
from ..store.models import ActionRow, DecisionRow, ExecutionRow, ReviewRow


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One decision, or one action that ran without a person (`decision` is then `automatic`)."""

    sequence: int | None
    review: str | None
    number: int | None
    at: str
    who: str
    decision: str
    reason: str
    message: str
    tool: str
    title: str
    requester: str
    thread: str
    args: dict[str, Any]
    """What was proposed."""
    accepted: dict[str, Any] | None
    """What was accepted: the edited arguments, or the proposed ones."""
    seen_ms: int | None
    outcome: str
    """The execution's status; `superseded` or `cancelled` when a decision no longer stands; `probe` where nothing was to run by it;
    empty when nothing ran."""
    result: str
    action: str
    """The action's id, under which the audit log speaks of it."""

    def as_json(self) -> dict[str, Any]:
        """Return the line as plain JSON."""
        return asdict(self)


def history_line(decision: DecisionRow, review: ReviewRow, action: ActionRow, execution: ExecutionRow | None) -> HistoryLine:
    """Return a decision as the history shows it."""
    accepted = None
    if decision.type in ("approve", "edit"):
        accepted = decision.args if decision.args is not None else action.args
    return _line(
        action,
        decision.created_at,
        decision.actor,
        decision.type,
        decision.reason,
        sequence=decision.sequence,
        review=review,
        message=decision.message,
        accepted=accepted,
        seen_ms=decision.seen_ms,
        outcome=_came_of(review, execution),
        execution=execution,
    )


def closed_line(review: ReviewRow, action: ActionRow) -> HistoryLine:
    """Return a review that ended without anybody deciding it: `decision` is how, `reason` is why."""
    ended = review.decided_at or review.created_at
    return _line(action, ended, "the desk", review.status, review.close_reason, review=review)


def automatic_line(action: ActionRow, execution: ExecutionRow | None) -> HistoryLine:
    """Return an action that no person was asked about."""
    allowed = action.verdict == "allow"
    return _line(
        action,
        action.created_at,
        "policy",
        "automatic" if allowed else "refused",
        "; ".join(str(reason["text"]) for reason in action.reasons if reason["ruling"] == action.verdict),
        accepted=action.args if allowed else None,
        outcome=execution.status if execution else "",
        execution=execution,
    )


def _line(
    action: ActionRow,
    at: datetime,
    who: str,
    decision: str,
    reason: str,
    *,
    sequence: int | None = None,
    review: ReviewRow | None = None,
    message: str = "",
    accepted: dict[str, Any] | None = None,
    seen_ms: int | None = None,
    outcome: str = "",
    execution: ExecutionRow | None = None,
) -> HistoryLine:
    return HistoryLine(
        sequence=sequence,
        review=review.id if review else None,
        number=review.number if review else None,
        at=at.isoformat(),
        who=who,
        decision=decision,
        reason=reason,
        message=message,
        tool=action.tool,
        title=action.title,
        requester=action.requester,
        thread=action.thread,
        args=masked(action.args, action.secrets),
        accepted=maybe_masked(accepted, action.secrets),
        seen_ms=seen_ms,
        outcome=outcome,
        result=(execution.result or "") if execution else "",
        action=action.id,
    )


def _came_of(review: ReviewRow, execution: ExecutionRow | None) -> str:
    if review.kind != "action":
        return "probe"
    if execution is not None:
        return execution.status
    return review.status if review.status in ("superseded", "cancelled") else ""
