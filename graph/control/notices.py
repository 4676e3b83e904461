"""What people are told outside the desk, and in which words: ids, titles and numbers, never arguments or anybody's text.

Kinds are `warning`, `expired`, `escalated`, `stopped`, `lifted`, `unknown`, `demoted`, `unwatched` and `reviewers`. A notice is a
row of the transaction that makes it necessary; `graph/control/notifying.py` sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..store import notices, reviews
from ..store.control_models import NoticeRow, StopRow
from ..store.models import ExecutionRow, ReviewRow
from ..store.session import AsyncSession

KINDS = ("warning", "expired", "escalated", "stopped", "lifted", "unknown", "demoted", "unwatched", "reviewers")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people are told."""

    id: str
    """The same at every attempt, so that a receiver can tell a repetition."""
    tenant: str
    kind: str
    text: str
    """One sentence."""
    body: dict[str, Any]
    """Ids, titles and numbers."""


class Notifier(Protocol):
    """Sends a notice somewhere; raises when it did not arrive, and is then called again later with the same notice."""

    async def __call__(self, notice: Notice) -> None:
        """Send it."""


def notice_of(row: NoticeRow) -> Notice:
    """Return a stored notice as it is sent."""
    return Notice(row.id, row.tenant, row.kind, str(row.body.get("text", "")), {**row.body, "review": row.review})


async def about_review(tx: AsyncSession, kind: str, review: ReviewRow, now: datetime, text: str, **more: Any) -> None:
    """Tell of a review: that it is about to expire, has expired or was escalated; of one that is blind not in which case."""
    action = await reviews.action(tx, review.action)
    body = {
        "text": f"RQ-{review.number} {text}",
        "number": review.number,
        "action": review.action,
        "thread": "" if review.blind and review.status == "pending" else review.thread,
        "tool": review.tool,
        "title": action.title if action is not None else review.tool,
        "due": told(review.due_at),
        **more,
    }
    await notices.add(tx, review.tenant, kind, now, body, review.id)


async def about_stop(tx: AsyncSession, kind: str, stop: StopRow, now: datetime) -> None:
    """Tell that a stop was pressed or lifted."""
    what, by = described(stop), stop.by if kind == "stopped" else stop.lifted_by
    body = {"text": f"{what} was {kind} by {by}.", "stop": stop.id, "scope": stop.scope, "name": stop.name, "by": by}
    await notices.add(tx, stop.tenant, kind, now, body)


async def about_unknown(tx: AsyncSession, row: ExecutionRow, now: datetime, what: str = "action") -> None:
    """Tell that nobody knows what became of an execution, or of its undoing."""
    action = await reviews.action(tx, row.action)
    title = action.title if action is not None else row.tool
    text = f"Nobody knows what became of the {what} {title}; a person has to find out."
    body = {"text": text, "action": row.action, "thread": row.thread, "tool": row.tool, "title": title, "what": what}
    await notices.add(tx, row.tenant, "unknown", now, body)


async def about_demotion(tx: AsyncSession, tenant: str, agent: str, tool: str, now: datetime, text: str, **more: Any) -> None:
    """Tell that a class of actions was taken to a lower level, or that nothing of it passes any more."""
    await notices.add(tx, tenant, "demoted", now, {"text": text, "agent": agent, "tool": tool, **more})


async def about_unwatched(tx: AsyncSession, tenant: str, agent: str, tool: str, now: datetime, text: str, **more: Any) -> None:
    """Tell a lead that nothing of a class of actions passes because nobody answers its audits."""
    await notices.add(tx, tenant, "unwatched", now, {"text": text, "to": "role:lead", "agent": agent, "tool": tool, **more})


async def about_reviewer(tx: AsyncSession, tenant: str, now: datetime, name: str, text: str, alarm: str) -> None:
    """Tell a lead that a reviewer misses too much, or decides faster than anybody reads."""
    await notices.add(tx, tenant, "reviewers", now, {"text": text, "to": "role:lead", "reviewer": name, "alarm": alarm})


def described(stop: StopRow) -> str:
    """Return what a stop covers, in words."""
    return "Everything" if stop.scope == "all" else f"The {stop.scope} {stop.name}"


def told(moment: datetime | None) -> str | None:
    """Return a moment as notices and views write it."""
    return moment.isoformat() if moment is not None else None
