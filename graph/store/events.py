"""The audit log's door: what happened is noted in its own transaction and chained when that transaction commits.

The chain's head is locked last and for as short as possible, in `seal`, which `Store.begin` calls before it commits: whoever notes
an event holds no lock on the chain meanwhile. Kinds are `verdict`, `decision.<type>`, `review.<status>`, `execution.<status>`,
`hold.*`, `stop.*`, `thread.*`, `undo.*`, `user.*`, `session.*`, `token.*`, `policy.changed`, `denied`, `erased`, `notice.*`,
`probe.answered`, `reviewing.*`, `reviewers.judged`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .. import crashpoints
from ..audit.chain import GENESIS, payload_digest, record_hash
from ..canonical import NotCanonical, canonical
from ..texts import storable
from .chain_models import EventRow, HeadRow
from .inserting import add_or_leave

NOTED = "assent.events"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `body` stays for ever, `payload` can be erased."""

    tenant: str
    at: datetime
    kind: str
    actor: str
    subject: str
    body: dict[str, Any] = field(default_factory=dict)
    payload: dict[str, Any] | None = None


def note(
    tx: AsyncSession,
    tenant: str,
    at: datetime,
    kind: str,
    actor: str,
    subject: str,
    body: dict[str, Any] | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Note an event; it is chained when the transaction commits, and gone when it does not.

    Args:
        tx: the transaction that makes it true.
        tenant: whose chain.
        at: when.
        kind: what happened, in the design's words.
        actor: who, by the name the server knows; `policy`, `worker` or `agent` for a machine.
        subject: the id it is about.
        body: ids, words and digests that stay.
        payload: what was shown and said; may be erased later.
    """
    tx.info.setdefault(NOTED, []).append(Event(tenant, at, kind, actor, subject, body or {}, payload))


async def seal(tx: AsyncSession) -> None:
    """Chain what was noted in this transaction; the last thing it does."""
    noted: list[Event] = tx.info.pop(NOTED, [])
    if noted:
        crashpoints.reach("before-seal")
    for tenant in sorted({event.tenant for event in noted}):  # in one order, so that two transactions never wait for each other
        head = await _locked(tx, tenant)
        for event in noted:
            if event.tenant == tenant:
                row = _row(event, head)
                tx.add(row)
                head.seq, head.hash = row.seq, row.hash
        tx.add(head)
        await tx.flush()
    if noted:
        crashpoints.reach("after-seal")


async def _locked(tx: AsyncSession, tenant: str) -> HeadRow:
    query = select(HeadRow).where(HeadRow.tenant == tenant).with_for_update().execution_options(populate_existing=True)
    head = (await tx.exec(query)).first()
    if head is not None:
        return head
    first = {"tenant": tenant, "seq": 0, "hash": GENESIS}
    await tx.exec(add_or_leave(tx, HeadRow).values(**first))
    return (await tx.exec(query)).one()


def _row(event: Event, head: HeadRow) -> EventRow:
    payload = _storable(event.payload)
    salt = secrets.token_hex(16) if payload is not None else None
    row = EventRow(
        tenant=event.tenant,
        seq=head.seq + 1,
        at=event.at,
        kind=event.kind,
        actor=storable(event.actor),
        subject=storable(event.subject),
        body=_storable(event.body) or {},
        payload=payload,
        salt=salt,
        payload_digest=payload_digest(salt, payload) if salt is not None and payload is not None else None,
        previous=head.hash,
        hash="",
    )
    row.hash = record_hash(as_record(row))
    return row


def _storable(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return plain JSON that has a canonical form; what has none is told as text, because an event is never left out."""
    if value is None:
        return None
    try:
        plain: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
        canonical(plain)
        return plain
    except (NotCanonical, TypeError, ValueError, RecursionError):
        return {"text": repr(value)[:4000].encode("utf-8", "backslashreplace").decode()}


def as_record(row: EventRow) -> dict[str, Any]:
    """Return an event as the export writes it and `chain.record_hash` reads it."""
    return {
        "tenant": row.tenant,
        "seq": row.seq,
        "at": row.at.isoformat(timespec="microseconds"),
        "kind": row.kind,
        "actor": row.actor,
        "subject": row.subject,
        "body": row.body,
        "payload": row.payload,
        "salt": row.salt,
        "payload_digest": row.payload_digest,
        "previous": row.previous,
        "hash": row.hash,
    }


async def page(tx: AsyncSession, tenant: str, *, after: int = 0, limit: int = 500) -> Sequence[EventRow]:
    """Return events in the chain's order, from sequence `after` on."""
    query = select(EventRow).where(EventRow.tenant == tenant, col(EventRow.seq) > after)
    return (await tx.exec(query.order_by(col(EventRow.seq)).limit(limit))).all()


async def of_subject(tx: AsyncSession, tenant: str, subject: str, limit: int = 200) -> Sequence[EventRow]:
    """Return what happened to one review, action, user or thread, oldest first."""
    query = select(EventRow).where(EventRow.tenant == tenant, EventRow.subject == subject)
    return (await tx.exec(query.order_by(col(EventRow.seq)).limit(limit))).all()


async def latest(tx: AsyncSession, tenant: str, limit: int, before: int | None = None) -> Sequence[EventRow]:
    """Return the newest events, newest first."""
    query = select(EventRow).where(EventRow.tenant == tenant)
    if before is not None:
        query = query.where(col(EventRow.seq) < before)
    return (await tx.exec(query.order_by(sa.desc(col(EventRow.seq))).limit(limit))).all()


async def head(tx: AsyncSession, tenant: str) -> tuple[int, str]:
    """Return sequence and hash of the end of a tenant's chain; 0 and the genesis hash for an empty one."""
    row = await tx.get(HeadRow, tenant)
    return (row.seq, row.hash) if row else (0, GENESIS)
