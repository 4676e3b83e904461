"""What became of one action: what closed it undecided, and its records in the audit log; refuses to judge the whole chain."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..access.people import require
from ..errors import AssentError, UnknownReview
from ..looking.history import HistoryLine, closed_line
from ..looking.readers import reader
from ..looking.reading import kept_from
from ..store import asked_again, events, reviews, threads
from ..store.chain_models import EventRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from .chain import GENESIS, payload_digest, record_hash

SHOWN = 200
"""So many records of one subject are read at most."""


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One record of the audit log."""

    seq: int
    at: str
    kind: str
    actor: str
    body: dict[str, Any]
    payload: dict[str, Any] | None
    erased: bool
    """Whether what was shown and said was erased on request."""
    hash: str
    sound: bool
    """Whether the record still has its hash and follows the record before it."""


@dataclass(frozen=True, slots=True)
class Trail:
    """What happened to one action or thread."""

    subject: str
    lines: tuple[TrailLine, ...]
    sound: bool
    """Whether every record shown is sound; the whole chain is checked by `assent audit verify`."""
    more: bool
    """Whether there are more records than are shown."""

    def as_json(self) -> dict[str, Any]:
        """Return the trail as plain JSON."""
        return asdict(self)


async def closed(store: Store, actor: str, limit: int, search: str = "") -> list[HistoryLine]:
    """Return what lately expired, was superseded or cancelled, and why, newest first."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        return [closed_line(*row) for row in await reviews.closed(tx, user.tenant, limit, search)]


async def trail(store: Store, actor: str, subject: str) -> Trail:
    """Return the records of an action, of a review's action, or of a thread; raises UnknownReview, NotAllowed.

    While a blind review is pending, the record of the verdict is held back: it says what the machine made of the action.
    """
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        found, held_back = await _subjects(tx, user, subject)
        rows: list[EventRow] = []
        for one in found:
            rows += await events.of_subject(tx, user.tenant, one, SHOWN + 1)
        rows = sorted((row for row in rows if row.kind not in held_back), key=lambda row: row.seq)
        lines = tuple([await _line(tx, row) for row in rows[:SHOWN]])
    return Trail(found[0], lines, all(line.sound for line in lines), len(rows) > SHOWN)


async def _subjects(tx: AsyncSession, user: UserRow, subject: str) -> tuple[list[str], tuple[str, ...]]:
    """Return under which ids records may speak of it, checked to be of this tenant, and the kinds that are held back for now."""
    review = await reviews.by_id(tx, subject) or await reviews.of_action(tx, subject)
    if await asked_again.among(tx, [subject if review is None else review.action], reader(user)):
        raise UnknownReview("There is no such review, action or case.")
    if review is not None and review.tenant == user.tenant and not kept_from(review, user.name):
        return [review.action, review.id], ("verdict",) if review.blind and review.status == "pending" else ()
    action = await reviews.action(tx, subject) if review is None else None
    if action is not None and action.tenant == user.tenant:
        return [action.id], ()
    thread = await threads.get(tx, subject)
    if thread is not None and thread.tenant == user.tenant:
        return [thread.id], ()
    raise UnknownReview("There is no such review, action or case.")


async def _line(tx: AsyncSession, row: EventRow) -> TrailLine:
    erased = row.payload_digest is not None and row.payload is None
    return TrailLine(
        row.seq, row.at.isoformat(), row.kind, row.actor, row.body, row.payload, erased, row.hash, await _sound(tx, row)
    )


async def _sound(tx: AsyncSession, row: EventRow) -> bool:
    try:
        untouched = record_hash(events.as_record(row)) == row.hash
    except (AssentError, TypeError, ValueError):  # what has no canonical form was never written by us
        return False
    if row.payload is not None and row.salt is not None:
        untouched = untouched and payload_digest(row.salt, row.payload) == row.payload_digest
    before = await tx.get(EventRow, (row.tenant, row.seq - 1)) if row.seq > 1 else None
    return untouched and row.previous == (before.hash if before is not None else GENESIS if row.seq == 1 else "")
