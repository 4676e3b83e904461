"""What only a person can settle, and what to do about it: outcomes, cases that stand still, stops with work behind them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ..access.people import require
from ..audit.heads import TROUBLE
from ..audit.masking import masked
from ..clock import Clock
from ..control import stopping
from ..control.notices import described, told
from ..store import executions, notices, settings, stops, threads, undos, wakes
from ..store.control_models import NoticeRow, StopRow
from ..store.models import ActionRow, ExecutionRow, ThreadRow, WakeRow
from ..store.session import AsyncSession, Store

UNATTENDED = timedelta(minutes=2)
"""After so long without a process that drives it, a thread becomes a task."""

LONG = timedelta(minutes=5)
"""After so long without a result, a claimed execution becomes a task."""

RECENT = timedelta(days=1)
"""So long an undo that failed stays among the tasks."""

NEXT = {
    "unknown": "Find out whether it happened, and say so: done or not done.",
    "claimed": "Look at the process that runs it. If that is gone, the outcome becomes unknown as soon as the case is tried again.",
    "undo unknown": "Find out whether it was undone, and say so: done or not done.",
    "undo failed": "Undo it by hand and say so, or let it stand.",
    "stalled": "Let it try again, or cancel the case.",
    "unattended": "Start a worker that serves the agent, or cancel the case.",
    "undelivered": "Mend what receives notices, and send it again.",
    "unsigned": "Mend what keeps the head from being signed and kept; until then nothing shows that the log was not rewritten.",
    "stopped": "Lift the stop when it is safe, or cancel the cases that must not go on.",
}
"""What to do about each kind of task."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something only a person can settle: an execution nobody can vouch for, an agent that cannot go on, work behind a stop."""

    kind: str
    """`unknown`, `claimed`, `undo unknown`, `undo failed`, `stalled`, `unattended`, `undelivered`, `unsigned` or `stopped`."""
    action: str | None
    thread: str
    title: str
    tool: str
    args: dict[str, Any]
    text: str
    since: str
    next: str = ""
    """What to do about it, in words."""
    subject: str = ""
    """The id that the doors take: of the action, thread, notice or stop."""

    def as_json(self) -> dict[str, Any]:
        """Return the task as plain JSON."""
        return asdict(self)


async def tasks(store: Store, clock: Clock, actor: str, limit: int = 100) -> list[Task]:
    """Return what only a person can settle, oldest first within each kind."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        found = await _of_executions(tx, user.tenant, clock(), limit)
        found += [_stalled(row) for row in await threads.stalled(tx, user.tenant, limit)]
        known = {task.thread for task in found}
        overdue = {row.id: (wake, row) for wake, row in await wakes.overdue(tx, user.tenant, clock() - UNATTENDED, limit)}
        found += [_unattended(*one) for thread, one in overdue.items() if one[1].status == "open" and thread not in known]
        found += [_undelivered(row) for row in await notices.given_up(tx, user.tenant, limit)]
        if unsigned := await settings.get(tx, user.tenant, TROUBLE):
            told_of = "The audit log is not being signed"
            found.append(_without_action("unsigned", "", told_of, unsigned["text"], unsigned["since"], TROUBLE))
        for stop in await stops.pressed(tx, user.tenant):
            if count := await stops.waiting(tx, stop, stopping.CAP):
                found.append(_stopped(stop, count))
    return found


async def _of_executions(tx: AsyncSession, tenant: str, now: datetime, limit: int) -> list[Task]:
    found = [_task("unknown", row, action) for row, action in await executions.unsettled(tx, tenant, limit)]
    found += [_task("claimed", row, action) for row, action in await executions.claimed_before(tx, tenant, now - LONG, limit)]
    for row, action in await undos.unsettled(tx, tenant, limit):
        if row.undo_status == "unknown" or (row.undo_at is not None and row.undo_at > now - RECENT):
            found.append(_task(f"undo {row.undo_status}", row, action))
    return found


def _task(kind: str, row: ExecutionRow, action: ActionRow) -> Task:
    undoing = kind.startswith("undo")
    text, since = (row.undo_result or "", row.undo_at) if undoing else (row.result or "", row.claimed_at)
    words = (action.id, action.thread, action.title, action.tool, masked(action.args, action.secrets))
    return Task(kind, *words, text, told(since) or "", NEXT[kind], action.id)


def _stalled(row: ThreadRow) -> Task:
    return _without_action("stalled", row.id, "The agent cannot go on", row.problem or "", row.created_at.isoformat(), row.id)


def _unattended(wake: WakeRow, row: ThreadRow) -> Task:
    text = f"No running process knows the agent {row.agent!r}, or it is too busy. Start one, or cancel the case."
    return _without_action("unattended", row.id, "Nobody works on this case", text, wake.due_at.isoformat(), row.id)


def _undelivered(row: NoticeRow) -> Task:
    text = f"{row.body.get('text', '')} Not sent: {row.problem}."
    title = f"A notice ({row.kind}) did not arrive"
    return _without_action("undelivered", str(row.body.get("thread", "")), title, text, "", row.id)


def _stopped(row: StopRow, count: int) -> Task:
    text = f"{described(row)} was stopped by {row.by}; {count if count < stopping.CAP else f'{count} or more'} cases wait."
    return _without_action("stopped", "", "A stop keeps work back", text, row.at.isoformat(), row.id)


def _without_action(kind: str, thread: str, title: str, text: str, since: str, subject: str) -> Task:
    return Task(kind, None, thread, title, "", {}, text, since, NEXT[kind], subject)
