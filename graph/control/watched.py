"""What became of the actions that nobody was asked about but somebody could stop or take back; it changes none of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..access.people import require
from ..audit.masking import masked
from ..clock import Clock
from ..store import watched
from ..store.control_models import HoldRow
from ..store.models import ActionRow, ExecutionRow
from ..store.session import Store


@dataclass(frozen=True, slots=True)
class WatchedLine:
    """One action whose window is over."""

    state: str
    """`vetoed`, `released` (it runs next), an execution's status, or `undo_failed` and `undo_unknown`."""
    action: str
    title: str
    tool: str
    args: dict[str, Any]
    requester: str
    thread: str
    at: str
    """When that became of it."""
    by: str
    """Who vetoed it or had it undone."""
    reason: str
    result: str

    def as_json(self) -> dict[str, Any]:
        """Return the line as plain JSON."""
        return asdict(self)


async def became(store: Store, clock: Clock, actor: str, limit: int) -> list[WatchedLine]:
    """Return what became of what was held or could be undone, the latest first."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        found = [*await watched.over(tx, user.tenant, clock(), limit), *await watched.undone(tx, user.tenant, clock(), limit)]
    lines = {action.id: _line(action, hold, execution) for action, hold, execution in found}
    return sorted(lines.values(), key=lambda line: line.at, reverse=True)[:limit]


def _line(action: ActionRow, hold: HoldRow | None, execution: ExecutionRow | None) -> WatchedLine:
    state, at, by, reason, result = _end(action, hold, execution)
    return WatchedLine(
        state,
        action.id,
        action.title,
        action.tool,
        masked(action.args, action.secrets),
        action.requester,
        action.thread,
        at.isoformat(),
        by,
        reason,
        result,
    )


def _end(action: ActionRow, hold: HoldRow | None, execution: ExecutionRow | None) -> tuple[str, datetime, str, str, str]:
    if hold is not None and hold.vetoed_by:
        return "vetoed", hold.vetoed_at or hold.until, hold.vetoed_by, hold.reason, ""
    if execution is None:
        return "released", hold.until if hold is not None else action.created_at, "", "", ""
    ended = execution.finished_at or execution.claimed_at
    if execution.undo_status in ("failed", "unknown"):
        state = f"undo_{execution.undo_status}"
        return state, execution.undo_at or ended, execution.undo_by or "", "", execution.undo_result or ""
    if execution.status == "undone":
        return "undone", execution.undo_at or ended, execution.undo_by or "", "", execution.undo_result or execution.result or ""
    return execution.status, ended, "", "", execution.result or ""
