"""Reads the audit log out of the store, in order and page by page, for exports and for verifying the database itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from ..actions import action_digest
from ..canonical import NotCanonical
from ..clock import Clock
from ..store import audited, events, settings
from ..store.models import ActionRow, DecisionRow, ExecutionRow
from ..store.session import AsyncSession, Store
from . import records
from .audit_file import FORMAT, end_line
from .signing import SignedHead, as_head

PAGE = 500

SIGNED = "audit.signed"
"""The setting that holds the latest signed head, so that an export can carry it."""


async def exported(
    store: Store, clock: Clock, tenant: str, *, rows: bool = True, heads: Iterable[SignedHead] = ()
) -> AsyncIterator[dict[str, Any]]:
    """Yield the log of a tenant as items of an export: what was there when it began, and with `rows` what is kept of it in rows.

    Payloads carry what was shown and said, with secret arguments masked, unless it was erased.
    """
    async with store.read() as tx:  # one view, so that rows and records are of one moment
        last, hash = await events.head(tx, tenant)
        yield {
            "type": "meta",
            "format": FORMAT,
            "tenant": tenant,
            **records.versions(),
            "exported_at": clock().isoformat(timespec="microseconds"),
            "head": {"seq": last, "hash": hash},
            "rows": rows,
        }
        for head in await _heads(tx, tenant, heads):
            yield {"type": "head", **head.as_json()}
        after = 0
        while page := await events.page(tx, tenant, after=after, limit=PAGE):
            for row in page:
                yield {"type": "event", **events.as_record(row)}
            after = page[-1].seq
            tx.expunge_all()
        if rows:
            async for item in _rows(tx, tenant):
                yield item


async def _heads(tx: AsyncSession, tenant: str, heads: Iterable[SignedHead]) -> list[SignedHead]:
    latest = as_head(await settings.get(tx, tenant, SIGNED))
    found = {head.seq: head for head in (*heads, *([latest] if latest is not None else []))}
    return [found[seq] for seq in sorted(found)]


async def _rows(tx: AsyncSession, tenant: str) -> AsyncIterator[dict[str, Any]]:
    async for action in audited.actions(tx, tenant, PAGE):
        yield _action(action)
    async for decision, action in audited.decisions(tx, tenant, PAGE):
        yield _decision(decision, action)
    async for execution, action in audited.executions(tx, tenant, PAGE):
        yield _execution(execution, action)


def _action(row: ActionRow) -> dict[str, Any]:
    return {
        "type": "action",
        "id": row.id,
        "verdict": row.verdict,
        "digest": row.digest,
        "recomputed": _recomputed(row, row.args) if row.erased_at is None else None,
        "created_at": _moment(row.created_at),
    }


def _decision(row: DecisionRow, action: ActionRow) -> dict[str, Any]:
    return {
        "type": "decision",
        **{name: getattr(row, name) for name in ("id", "review", "action", "version", "actor", "role")},
        "shown_digest": row.shown_digest,
        "digest": row.digest,
        "recomputed": _recomputed(action, row.args) if row.args is not None else None,
        "withdraws": row.withdraws,
        "effective_at": _moment(row.effective_at),
        "created_at": _moment(row.created_at),
        "decision": row.type,
    }


def _execution(row: ExecutionRow, action: ActionRow) -> dict[str, Any]:
    return {"type": "execution", "id": row.action, "status": row.status, "created_at": _moment(action.created_at)}


def _recomputed(row: ActionRow, args: dict[str, Any]) -> str:
    try:
        return action_digest(row.tool, row.tool_digest, args, row.thread, row.id, row.tenant)
    except NotCanonical:
        return "none"


def _moment(at: Any) -> str:
    return str(at.isoformat(timespec="microseconds"))


async def lines(items: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Yield items as JSON Lines, with a last line that holds the digest of all others; text in them cannot break a line."""
    digest = hashlib.sha256()
    async for item in items:
        line = json.dumps(item, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        digest.update(line)
        yield line
    yield end_line(digest.hexdigest())
