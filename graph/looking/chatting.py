"""A thread as a chat: messages in, and what was said, done and is waiting out; prose of the agent is shown, never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from ..actions import mint_action_id
from ..agent import Agent
from ..audit.masking import scrubbed
from ..errors import AssentError, UnknownThread
from ..excerpt import text_of
from ..store import reviews, threads
from ..store.models import InboundRow, ThreadRow
from ..store.session import Store
from .reading import hidden_in, statuses


@dataclass(frozen=True, slots=True)
class Sent:
    """A message was accepted; `waiting_for` names the pending reviews after whose outcome it is delivered."""

    delivered: bool
    waiting_for: list[str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread as a chat shows it."""

    thread: str
    messages: list[dict[str, Any]]
    """`role` (requester, agent, action, notice), `text`, `review`, `number`, `status`."""
    waiting: list[dict[str, Any]]
    """Pending reviews: `review`, `number`, `tool`, `title`."""
    busy: bool
    """Whether the agent is at work."""
    status: str

    def as_json(self) -> dict[str, Any]:
        """Return the conversation as plain JSON."""
        return asdict(self)


async def send(store: Store, agents: Mapping[str, Agent], thread: str, message: HumanMessage, requester: str, agent: str) -> Sent:
    """Accept a message for a thread of an agent this process knows."""
    if agent not in agents:
        raise AssentError(f"There is no agent {agent!r} here; known: {', '.join(sorted(agents)) or 'none'}.")
    await agents[agent].accept(thread, requester, [message])
    async with store.read() as tx:
        pending = [row.id for row in await reviews.of_thread(tx, thread) if row.status == "pending"]
    return Sent(delivered=not pending, waiting_for=pending)


async def conversation(store: Store, tenant: str, agents: Mapping[str, Agent], thread: str) -> Conversation:
    """Return a thread as a chat shows it; raises UnknownThread."""
    async with store.read() as tx:
        row = await threads.get(tx, thread)
        if row is None or row.tenant != tenant:
            raise UnknownThread
        standing = await statuses(tx, thread)
        queue = await threads.waiting(tx, thread)
        secret = await hidden_in(tx, thread)
    said = await _said(agents, row)
    lines = [line for message in said for line in _lines(message, thread, standing)]
    known = {message.id for message in said}
    lines += [_queued(message) for message in queue if message.id not in known]
    if row.status in ("stalled", "cancelled"):
        lines.append({"role": "notice", "text": row.problem or row.status, "review": None, "status": row.status})
    waiting = [
        {name: one[name] for name in ("review", "number", "tool", "title")}
        for one in standing.values()
        if one["status"] == "waiting"
    ]
    busy = row.lease_until is not None and row.lease_until > datetime.now(UTC)
    return Conversation(thread, scrubbed(lines, secret), waiting, busy or _undelivered(queue, known, waiting), row.status)


def _undelivered(queue: Any, known: set[str | None], waiting: list[Any]) -> bool:
    return not waiting and any(message.id not in known for message in queue)


async def _said(agents: Mapping[str, Agent], row: ThreadRow) -> list[BaseMessage]:
    agent = agents.get(row.agent)
    if agent is None:
        return []
    snapshot = await agent.aget_state({"configurable": {"thread_id": row.id}})
    found: list[BaseMessage] = snapshot.values.get("messages", [])
    return found


def _lines(message: BaseMessage, thread: str, standing: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(message, HumanMessage):
        return [{"role": "requester", "text": text_of(message), "review": None, "status": None}]
    if not isinstance(message, AIMessage):
        return []
    prose = text_of(message)
    lines: list[dict[str, Any]] = []
    if prose.strip():
        lines.append({"role": "agent", "text": prose, "review": None, "status": None})
    for index in range(len(message.tool_calls)):
        one = standing.get(mint_action_id(thread, message.id or "", index))
        if one is not None:
            lines.append({"role": "action", "text": one["title"], **one})
    return lines


def _queued(message: InboundRow) -> dict[str, Any]:
    return {"role": "requester", "text": message.text, "review": None, "status": "queued"}


async def exists(store: Store, thread: str) -> bool:
    """Tell whether there is such a thread."""
    async with store.read() as tx:
        return await threads.get(tx, thread) is not None


async def backlog(store: Store, tenant: str, cap: int = 100) -> int:
    """Return how many messages wait to be read by an agent, counted to `cap` at most."""
    async with store.read() as tx:
        return await threads.count_waiting(tx, tenant, cap)
