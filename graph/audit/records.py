"""What the audit log says of verdicts, decisions, reviews and executions: one shape each, noted in the transaction they belong to.

Bodies stay for ever: ids, words of the design, digests and versions. Payloads hold what was shown and said, and can be erased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from ... import __version__
from ..store import migrate
from ..store.events import note
from ..store.models import ActionRow, DecisionRow, ExecutionRow, ReviewRow
from ..store.session import AsyncSession
from .masking import masked, maybe_masked

about = note
"""Note anything that has no function of its own here; see `store.events.note`."""


@cache
def versions() -> dict[str, str]:
    """Return the versions of Assent and of its schema that write here."""
    return {"assent": __version__, "schema": migrate.versions()[-1]}


def denied(
    tx: AsyncSession, tenant: str, at: datetime, actor: str, door: str, reason: str, payload: dict[str, Any] | None = None
) -> None:
    """Note a refusal at a door."""
    note(tx, tenant, at, "denied", actor, door, {"door": door, "reason": reason}, payload)


def denials_counted(
    tx: AsyncSession, tenant: str, at: datetime, since: datetime, counted: Mapping[tuple[str, str, str], int]
) -> None:
    """Note refusals that came too fast to be noted one by one."""
    kinds = [{"actor": actor, "door": door, "reason": why, "count": count} for (actor, door, why), count in counted.items()]
    body = {"since": since.isoformat(timespec="microseconds"), "count": sum(counted.values()), "kinds": kinds}
    note(tx, tenant, at, "denied.counted", "desk", "denied", body)


def verdict(tx: AsyncSession, row: ActionRow, asked: ReviewRow | None = None) -> None:
    """Note the machine's word on an action, what a reviewer is shown of it, and how many people have to approve."""
    body = {
        "verdict": row.verdict,
        "thread": row.thread,
        "agent": row.agent,
        "tool": row.tool,
        "tool_digest": row.tool_digest,
        "digest": row.digest,
        "consequence": row.consequence,
        "confidence": row.confidence,
        "threshold": row.threshold,
        "provenance": row.provenance,
        "quorum": asked.quorum if asked is not None else 0,
        "second_for_edits": asked.second_for_edits if asked is not None else False,
        **versions(),
    }
    payload = {"requester": row.requester, "args": masked(row.args, row.secrets), "reasons": row.reasons, "evidence": row.evidence}
    note(tx, row.tenant, row.created_at, "verdict", "policy", row.id, body, payload)


def decision(tx: AsyncSession, row: DecisionRow, action: ActionRow | None) -> None:
    """Note a person's answer, or that it was taken back: what was shown, what may run, and the role it was given in."""
    body = {
        "id": row.id,
        "review": row.review,
        "version": row.version,
        "role": row.role,
        "shown_digest": row.shown_digest,
        "digest": row.digest,
        "withdraws": row.withdraws,
        "seen_ms": row.seen_ms,
        **({"hasty": True} if row.seen_ms is not None and row.floor_ms is not None and row.seen_ms < row.floor_ms else {}),
        "effective_at": _moment(row.effective_at),
        "valid_until": _moment(row.valid_until) if row.valid_until is not None else None,
    }
    secrets = action.secrets if action is not None else []
    shown = {"shown": masked(action.args, secrets)} if action is not None else {}
    payload = {**shown, "args": maybe_masked(row.args, secrets), "reason": row.reason, "message": row.message}
    note(tx, row.tenant, row.created_at, f"decision.{row.type}", row.actor, row.action, body, payload)


def review(tx: AsyncSession, row: ReviewRow, status: str, at: datetime, actor: str, reason: str = "") -> None:
    """Note that a review was opened again, closed or changed without a decision."""
    body = {"review": row.id, "version": row.version, "digest": row.digest, "quorum": row.quorum}
    note(tx, row.tenant, at, f"review.{status}", actor, row.action, body, {"reason": reason} if reason else None)


def replaced(tx: AsyncSession, row: ReviewRow, version: int, digest: str, at: datetime, actor: str) -> None:
    """Note what a review asks about from now on, by whom it has to be approved, and the version and digest that went."""
    now = {"version": row.version, "digest": row.digest, "quorum": row.quorum, "role": row.role}
    body = {"review": row.id, "replaced_version": version, "replaced_digest": digest, **now}
    note(tx, row.tenant, at, "review.replaced", actor, row.action, body)


def claimed(tx: AsyncSession, row: ExecutionRow, action: ActionRow, approvals: Sequence[DecisionRow]) -> None:
    """Note that an action is about to run, and the digest and the approvals, or the verdict, that let it."""
    body = {
        "thread": row.thread,
        "tool": row.tool,
        "claimed_by": row.claimed_by,
        "digest": approvals[-1].digest if approvals else action.digest,
        "decision": approvals[-1].id if approvals else None,
        "approvals": [one.id for one in approvals],
        "verdict": action.verdict,
        "proposed_at": _moment(action.created_at),
        **versions(),
    }
    note(tx, row.tenant, row.claimed_at, "execution.claimed", "worker", row.action, body)


def execution(tx: AsyncSession, row: ExecutionRow, status: str, at: datetime, actor: str, result: str = "") -> None:
    """Note what became of an execution."""
    body = {"thread": row.thread, "tool": row.tool, "claimed_by": row.claimed_by}
    note(tx, row.tenant, at, f"execution.{status}", actor, row.action, body, {"result": result} if result else None)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
