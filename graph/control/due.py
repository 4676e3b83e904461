"""When a review needs something done to it that no person does: waking from a snooze, a warning, escalation, expiry."""

from __future__ import annotations

from datetime import datetime

from ..store.models import ReviewRow


def next_at(row: ReviewRow) -> datetime | None:
    """Return the earliest moment at which a sweep has something to do with a review; None when there is nothing ahead."""
    ahead = [row.snoozed_until, row.due_at]
    ahead.append(row.warn_at if row.warned_at is None else None)
    ahead.append(row.escalate_at if row.escalated_at is None else None)
    return min((moment for moment in ahead if moment is not None), default=None)


def expired(row: ReviewRow, now: datetime) -> bool:
    """Tell whether a review's time is up, whether or not a sweep has come by: from then on nobody can decide it."""
    return row.due_at is not None and row.due_at <= now


def reached(moment: datetime | None, now: datetime) -> bool:
    """Tell whether a moment was set and has come."""
    return moment is not None and moment <= now


def in_words(moment: datetime) -> str:
    """Return a moment as people are told it: `17:05 UTC on 25 November 2026`."""
    return f"{moment:%H:%M} UTC on {moment:%d %B %Y}"
