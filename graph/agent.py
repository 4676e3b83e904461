"""An agent behind the desk's doors: it takes messages in, drives its threads under their leases, and resumes what was decided."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from langchain_core.messages import BaseMessage, convert_to_messages, messages_from_dict, messages_to_dict
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from .audit import records
from .authority.limits import Limits
from .clock import Clock, fresh_id
from .config import requester_of, thread_of
from .control import holding, stopping
from .errors import (
    AssentError,
    BrokenText,
    MessageTooLong,
    NotAllowed,
    Stopped,
    ThreadBusy,
    ThreadClosed,
    TooMany,
    UnknownThread,
)
from .excerpt import text_of
from .orphans import Gated, asks_somebody, none_forgotten, still_gated
from .store import executions, threads, wakes
from .store.models import InboundRow, ThreadRow
from .store.session import Store
from .texts import is_storable, storable
from .work.leases import lease
from .work.patience import patiently
from .work.troubles import is_away, is_passing, told

MAX_MESSAGE = 20_000
"""Characters one message may have."""

TRY_AGAIN = timedelta(seconds=15)
TRY_AGAIN_SOON = timedelta(seconds=2)
AWAY_SECONDS = 10.0
"""How long a driver tries to say that its thread stalled when the database is away; after that a wake-up's lease runs out."""

SAFETY_NET = timedelta(seconds=90)

Emit = Callable[[Any], None]
Standing = Literal["finished", "waiting", "stopped", "stalled", "cancelled"]

log = logging.getLogger("assent")


@dataclass(frozen=True, slots=True)
class Driven:
    """How far a thread got: `waiting` for a person, `finished`, `stopped` by a stop, `stalled` by an error, or `cancelled`."""

    standing: Standing
    error: Exception | None = None


class Agent:
    """A compiled graph whose threads wait for assent; it speaks LangGraph's `ainvoke`, `astream`, `aget_state`, `get_graph`."""

    def __init__(
        self,
        name: str,
        graph: CompiledStateGraph[Any, Any, Any, Any],
        store: Store,
        clock: Clock,
        tenant: str,
        undo: Callable[[str], Awaitable[None]],
        limits: Limits | None = None,
        gated: Gated = lambda _: True,
    ) -> None:
        self.name, self.graph, self.tenant, self._gated = name, graph, tenant, gated
        self._store, self._clock, self._undo, self._limits = store, clock, undo, limits or Limits()
        self._running: set[asyncio.Task[Driven]] = set()

    def get_graph(self, **kwargs: Any) -> Any:
        """Return the graph's drawing."""
        return self.graph.get_graph(**kwargs)

    async def aget_state(self, config: RunnableConfig, **kwargs: Any) -> Any:
        """Return the thread's state."""
        return await self.graph.aget_state(config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig) -> dict[str, Any]:
        """Take a message in, or None to go on, and run until the thread is done or waits; returns the state's values.

        Pending interrupts are under `__interrupt__`, as in LangGraph. While reviews of the thread are pending, a new message is
        stored and delivered after their outcome.
        """
        async for _ in self.astream(input, config):
            pass
        snapshot = await self.graph.aget_state({"configurable": {"thread_id": thread_of(config)}})
        waiting = [one for task in snapshot.tasks for one in task.interrupts]
        return {**snapshot.values, **({"__interrupt__": waiting} if waiting else {})}

    async def astream(
        self,
        input: Any,
        config: RunnableConfig,
        *,
        stream_mode: Any = "updates",
        subgraphs: bool = False,
    ) -> AsyncIterator[Any]:
        """As `ainvoke`, yielding LangGraph's stream parts as they come; leaving early does not stop the work."""
        thread = thread_of(config)
        if input is not None:
            await self.accept(thread, requester_of(config), _messages(input), due_in=SAFETY_NET)
        parts: asyncio.Queue[Any] = asyncio.Queue()
        end = object()
        modes = {"stream_mode": stream_mode, "subgraphs": subgraphs}
        task = asyncio.create_task(self.drive(thread, emit=parts.put_nowait, config=config, modes=modes))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: parts.put_nowait(end))
        while (part := await parts.get()) is not end:
            yield part
        driven = await task
        if driven.error is not None:
            raise driven.error

    async def close(self) -> None:
        """Stop the runs that nobody listens to any more; what they left undone is done by whoever opens the desk next."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def accept(self, thread: str, requester: str, messages: Sequence[BaseMessage], due_in: timedelta = timedelta(0)) -> str:
        """Store a requester's message durably, to be delivered when nothing of the thread waits; returns its id."""
        text = "\n".join(text_of(message) for message in messages)
        if len(text) > MAX_MESSAGE:
            raise MessageTooLong(
                f"The message has {len(text):,} characters; {MAX_MESSAGE:,} are allowed. Nothing was accepted: shorten it."
            )
        if not is_storable(text):
            raise BrokenText(
                "The message has a broken character (NUL, or half of a surrogate pair); nothing was accepted. Send it again."
            )
        now, message_id = self._clock(), fresh_id("msg")
        for index, message in enumerate(messages):
            message.id = message_id if index == 0 else f"{message_id}_{index}"
        fresh = ThreadRow(id=thread, tenant=self.tenant, agent=self.name, requester=requester, created_at=now)
        async with self._store.begin() as tx:
            row = await threads.ensure(tx, fresh)
            if (row.tenant, row.requester, row.agent) != (self.tenant, requester, self.name):
                raise NotAllowed("This thread belongs to another requester or agent; start one of your own.")
            if row.status in ("cancelled", "probe"):  # a probe's thread is nobody's to drive
                raise ThreadClosed
            if await threads.count_messages(tx, thread, self._limits.messages) >= self._limits.messages:
                raise TooMany(
                    f"{self._limits.messages} messages wait in this conversation already; nothing was accepted. Try later."
                )
            tx.add(InboundRow(id=message_id, thread=thread, text=text, messages=messages_to_dict(list(messages)), created_at=now))
            await wakes.add(tx, thread, "message", now + due_in)
        return message_id

    async def drive(
        self,
        thread: str,
        *,
        emit: Emit | None = None,
        config: RunnableConfig | None = None,
        modes: dict[str, Any] | None = None,
        patience: float = 10.0,
    ) -> Driven:
        """Run a thread as far as it goes, under its lease: resume what is unfinished, then deliver what waits.

        Safe to call at any time, from any process, any number of times. Raises ThreadBusy when another process drives it,
        UnknownThread, and NotAllowed for a thread of another agent or tenant.
        """
        async with self._store.read() as tx:
            row = await threads.get(tx, thread)
        if row is None:
            raise UnknownThread
        if (row.tenant, row.agent) != (self.tenant, self.name):
            raise NotAllowed("This thread belongs to another agent; run it with that one.")
        async with lease(self._store, thread, self._clock, patience):
            driven = await self._driven(thread, emit or (lambda _: None), config or {}, modes or {})
        return driven

    async def _driven(self, thread: str, emit: Emit, config: RunnableConfig, modes: dict[str, Any]) -> Driven:
        try:
            await self._undo(thread)
            standing = await self._as_far_as_it_goes(thread, emit, config, modes)
            while not await self._at_rest(thread, standing):
                standing = await self._as_far_as_it_goes(thread, emit, config, modes)
        except ThreadBusy:
            raise  # the lease was lost: whoever took it over says how the thread stands
        except ThreadClosed:
            return Driven("cancelled")
        except Stopped:
            return Driven("stopped")
        except Exception as error:
            if not isinstance(error, AssentError) and not is_away(error):
                log.exception("the thread %s stalled", thread)
            await self._stall(thread, error)
            return Driven("stalled", error)
        return Driven(standing)

    async def _at_rest(self, thread: str, standing: Standing) -> bool:
        """Close the wake-ups that were served; False if a message came in while the last run ended."""
        async with self._store.begin() as tx:
            row = await threads.get(tx, thread)
            if row is not None and row.status == "stalled":
                await threads.mark(tx, thread, "open")
            # first close, then look: a message accepted in between keeps its own wake-up
            await wakes.drop(tx, thread, "message", self._clock())
            await wakes.drop(tx, thread, "retry", self._clock())
            return standing != "finished" or not await threads.waiting(tx, thread)

    async def _as_far_as_it_goes(self, thread: str, emit: Emit, config: RunnableConfig, modes: dict[str, Any]) -> Standing:
        snapshot = None
        while True:
            async with self._store.read() as tx:
                row, queue = await threads.get(tx, thread), await threads.waiting(tx, thread)
            if row is None or row.status == "cancelled":
                await self._close(thread)
                return "cancelled"
            if await stopping.rests(self._store, self._clock, row.tenant, row.agent, thread):
                return "stopped"
            mine = _configured(config, row)
            snapshot = snapshot or await self.graph.aget_state(mine)
            if snapshot.tasks:  # not `next`, which leaves out a task that ended just before its step could be kept
                await still_gated(self._store, thread, self._gated)
                await self._run(None, mine, emit, modes)
            elif queue:
                await self._deliver(queue[0], snapshot, mine, emit, modes)
            else:
                await none_forgotten(self._store, thread, snapshot)
                return "finished"
            snapshot = await self.graph.aget_state(mine)
            if snapshot.tasks:
                asks_somebody(self.graph, snapshot)
                return "waiting"

    async def _close(self, thread: str) -> None:
        """Leave no claim of a cancelled case open: we hold its lease, so whoever made one is gone."""
        told = "The process stopped while the tool ran, and the case was cancelled."
        async with lease(self._store, thread, self._clock) as owner, self._store.begin() as tx:
            await threads.lock(tx, thread)
            if not await threads.held(tx, thread, owner, self._clock()):
                raise ThreadBusy
            for row in await executions.claimed(tx, thread):
                if await executions.finish(tx, row.action, row.claimed_by, "unknown", told, self._clock()):
                    records.execution(tx, row, "unknown", self._clock(), "worker", told)
                    await holding.ended(tx, row, "unknown", self._clock(), has_undo=False)

    async def _deliver(self, row: InboundRow, snapshot: Any, config: RunnableConfig, emit: Emit, modes: dict[str, Any]) -> None:
        """Hand a stored message to the graph once: its id tells whether an earlier attempt got through."""
        known = {message.id for message in snapshot.values.get("messages", [])}
        async with self._store.read() as tx:
            given = [*await threads.notes(tx, row.thread), row]
        if row.id not in known:
            said = [message for one in given for message in one.messages]
            await self._run({"messages": messages_from_dict(said)}, config, emit, modes)
        async with self._store.begin() as tx:
            for one in given:
                if one.id == row.id or one.id in known or row.id not in known:
                    await threads.settle_message(tx, one.id, "delivered")

    async def _run(self, input: Any, config: RunnableConfig, emit: Emit, modes: dict[str, Any]) -> None:
        async for part in self.graph.astream(input, config, durability="sync", **modes):
            emit(part)

    async def _stall(self, thread: str, error: Exception) -> None:
        async def write() -> None:
            now = self._clock()
            async with self._store.begin() as tx:
                await threads.mark(tx, thread, "stalled", storable(told(error)[:1000]))
                await wakes.drop(tx, thread, "message", now)
                await wakes.drop(tx, thread, "retry", now)
                if is_passing(error):
                    await wakes.add(tx, thread, "retry", now + (TRY_AGAIN_SOON if is_away(error) else TRY_AGAIN))

        await patiently(write, AWAY_SECONDS)


def _configured(config: RunnableConfig, row: ThreadRow) -> RunnableConfig:
    """Return the caller's configuration with thread and requester from the row, and without time travel."""
    dropped = ("checkpoint_id", "checkpoint_ns", "checkpoint_map")
    kept = {key: value for key, value in config.get("configurable", {}).items() if key not in dropped}
    mine: RunnableConfig = {**config, "configurable": {**kept, "thread_id": row.id, "requester": row.requester}}
    return mine


def _messages(input: Any) -> list[BaseMessage]:
    given = input.get("messages") if isinstance(input, dict) else None
    if not given:
        raise AssentError("Give the agent a message: {'messages': [('user', '...')]}, or None to go on.")
    return convert_to_messages(given if isinstance(given, list) else [given])
