"""The feed: what runs without a person and can still be vetoed or undone, with the moment until which it can."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..access.people import require
from ..audit.masking import masked
from ..clock import Clock
from ..store import holds, undos
from ..store.models import ActionRow
from ..store.session import Store
from .notices import told


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One action that a person can still stop or take back."""

    kind: Literal["held", "undoable", "undoing"]
    """`held` can be vetoed, `undoable` can be undone, `undoing` is on its way back."""
    action: str
    title: str
    tool: str
    consequence: str
    args: dict[str, Any]
    requester: str
    agent: str
    thread: str
    at: str
    """When it was proposed, or, once it ran, when it ended."""
    until: str
    """When it begins, or until when it can be undone."""
    result: str

    def as_json(self) -> dict[str, Any]:
        """Return the line as plain JSON."""
        return asdict(self)


async def feed(store: Store, clock: Clock, actor: str, limit: int) -> list[FeedLine]:
    """Return what can still be vetoed or undone, the most pressing first."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        now = clock()
        held = await holds.held(tx, user.tenant, now, limit)
        done = await undos.undoable(tx, user.tenant, now, limit)
    lines = [_line("held", action, told(hold.created_at), told(hold.until), "") for hold, action in held]
    lines += [
        _line("undoing" if row.undo_status else "undoable", action, told(row.finished_at), told(row.undo_until), row.result or "")
        for row, action in done
    ]
    return sorted(lines, key=lambda line: line.until)[:limit]


def _line(
    kind: Literal["held", "undoable", "undoing"], action: ActionRow, at: str | None, until: str | None, result: str
) -> FeedLine:
    args, who = masked(action.args, action.secrets), (action.requester, action.agent, action.thread)
    return FeedLine(kind, action.id, action.title, action.tool, action.consequence, args, *who, at or "", until or "", result)
