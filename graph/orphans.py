"""Work that waits for assent while the graph that asked for it was changed: found before anything of it is resumed, and said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StateSnapshot

from .errors import Forgotten, Halfway
from .store import holds, reviews
from .store.models import ActionRow
from .store.session import AsyncSession, Store

Gated = Callable[[ActionRow], bool]
"""Tells whether a gate of this process offers an action's tool."""


async def still_gated(store: Store, thread: str, gated: Gated) -> None:
    """Raise Forgotten when a tool that waits for assent is behind no gate here: resuming might call it without asking."""
    async with store.read() as tx:
        left = [await reviews.action(tx, action) for action, _ in await unstarted(tx, thread)]
    bare = [row.title for row in left if row is not None and not gated(row)]
    if bare:
        raise Forgotten(
            f"What waits for assent here ({', '.join(bare)}) has no gate in this process: the tool is not offered any more, or the "
            "graph was changed. Run the graph as it was and try again, or cancel the case."
        )


async def none_forgotten(store: Store, thread: str, snapshot: Any) -> None:
    """Raise Forgotten when the graph is done although something waits or was approved: it was changed, or sent back in time."""
    told = {message.id for message in snapshot.values.get("messages", [])}
    async with store.read() as tx:
        begun = await unstarted(tx, thread)
    left = [title for action, title in begun if f"result_{action}" not in told]
    if left:
        raise Forgotten(
            f"The graph no longer knows of what waits for assent here ({', '.join(left)}): it was changed, or sent back "
            "in time. Run the graph as it was, or cancel the case."
        )


async def unstarted(tx: AsyncSession, thread: str) -> list[tuple[str, str]]:
    """Return action and title of what waits, was approved or is held in a thread, and was never started."""
    return [*await reviews.unstarted(tx, thread), *await holds.unstarted(tx, thread)]


def asks_somebody(graph: CompiledStateGraph[Any, Any, Any, Any], snapshot: StateSnapshot) -> None:
    """Raise Halfway when a run ended in the middle of a turn with no question open: a step was lost with the database."""
    pauses = graph.interrupt_before_nodes or graph.interrupt_after_nodes  # a graph of yours may stop where it likes
    if not pauses and not any(task.interrupts for task in snapshot.tasks):
        raise Halfway
