"""What has been decided and learned, as the pages and the REST door show it; refuses to change a past decision."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..graph.audit.trail import closed, trail
from .wire import as_json

if TYPE_CHECKING:
    from ..graph.desk import Desk


_PAGE = 500


@dataclass(frozen=True, slots=True)
class Records:
    """History, tasks and examples of the desk."""

    desk: Desk

    async def inbox(self, actor: str, search: str, tool: str, limit: int) -> list[dict[str, Any]]:
        """Return what waits, one short line each."""
        cards = await self.desk.pending(actor, limit=limit, search=search, tool=tool)
        return [_line(as_json(card)) for card in cards]

    async def history(self, actor: str, search: str, limit: int, *, automatic: bool) -> list[dict[str, Any]]:
        """Return decisions and what ended without one, newest first; with `automatic` also what no person was asked about."""
        lines = await self.desk.history(actor, limit=limit, search=search, automatic=automatic)
        lines += await closed(self.desk.store, actor, limit, search)
        lines.sort(key=lambda line: line.at, reverse=True)
        return [as_json(line) for line in lines[:limit]]

    async def trail(self, actor: str, subject: str) -> dict[str, Any]:
        """Return the audit log's records of a review, an action or a case."""
        found: dict[str, Any] = as_json(await trail(self.desk.store, actor, subject))
        return found

    async def export(self, actor: str) -> AsyncIterator[str]:
        """Yield all decisions as JSON, one a line, newest first; what was written in them cannot break a line."""
        before: int | None = None
        while lines := await self.desk.history(actor, limit=_PAGE, before=before, automatic=False):
            for line in lines:
                yield json.dumps(as_json(line), ensure_ascii=True) + "\n"
            before = min(line.sequence or 0 for line in lines)

    async def tasks(self, actor: str) -> list[dict[str, Any]]:
        """Return the executions whose end a person must state."""
        return [as_json(task) for task in await self.desk.tasks(actor)]

    async def settle(self, actor: str, action_id: str, outcome: Literal["done", "not_done"], note: str) -> dict[str, Any]:
        """State what became of an execution."""
        await self.desk.settle(action_id, outcome, actor, note)
        return {"ok": True, "tasks": await self.tasks(actor)}

    async def resend(self, actor: str, notice: str) -> dict[str, Any]:
        """Let a notice that did not arrive be sent again."""
        await self.desk.resend(notice, actor)
        return {"ok": True, "tasks": await self.tasks(actor)}

    async def retry(self, actor: str, thread: str) -> dict[str, Any]:
        """Let a case that could not go on try again."""
        await self.desk.retry(thread, actor)
        return {"ok": True, "tasks": await self.tasks(actor)}

    async def cancel(self, actor: str, thread: str) -> dict[str, Any]:
        """Cancel a case and everything of it that waits."""
        await self.desk.cancel(thread, actor)
        return {"ok": True, "tasks": await self.tasks(actor)}

    async def examples(self, actor: str, limit: int) -> list[dict[str, Any]]:
        """Return what past decisions teach."""
        return [as_json(example) for example in await self.desk.examples(actor, limit=limit)]

    async def retire(self, actor: str, example_id: str, reason: str) -> dict[str, Any]:
        """Take an example out, so that it teaches no longer; the decision it came from stays."""
        await self.desk.retire(example_id, actor, reason)
        return {"ok": True}


_LINE = (
    "id", "number", "title", "tool", "consequence", "requester", "created", "due", "quorum", "approvals", "holder", "held_until",
    "edited_by",
)  # fmt: skip


def _line(card: dict[str, Any]) -> dict[str, Any]:
    deciding = [reason["text"] for reason in card["reasons"] if reason["ruling"] == "review"]
    return {**{name: card[name] for name in _LINE}, "why": " ".join(map(str, deciding))[:400]}
