"""Plays one customer's message on a fresh desk and a fresh shop; nothing of one case is left for the next."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

from langchain_core.runnables import RunnableConfig

from ...graph.agent import Agent
from ...graph.desk import Desk
from ...graph.opening import open_desk
from ...graph.store import reviews
from ...graph.store.models import ActionRow
from ...tools.declaration import Consequence
from ...tools.shop.tables import Shop, open_shop
from .cases import EvalCase, Proposed, Task, Verdict

Build = Callable[[Desk, Shop], Agent]
"""Makes the agent that is measured, on a desk and a shop opened for one case."""


def fresh_desk(build: Build, *, data: Path | None = None) -> Task:
    """Return a task that plays a case on a desk and a shop of its own; what the agent does there has no other effect.

    Args:
        build: makes the agent, just as the demo does.
        data: a folder with customers to seed the shop from; default is the packaged one.
    """

    async def task(case: EvalCase) -> Proposed:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="assent-eval-")
        try:
            async with AsyncExitStack() as opened:
                desk = await opened.enter_async_context(open_desk(f"sqlite:///{folder.name}/desk.db"))
                shop = await opened.enter_async_context(open_shop(Path(folder.name, "shop.db"), data=data))
                return proposal(await _played(build(desk, shop), desk, case))
        finally:
            await asyncio.to_thread(folder.cleanup)

    return task


async def _played(agent: Agent, desk: Desk, case: EvalCase) -> Sequence[ActionRow]:
    thread = f"eval-{case.id}"
    config: RunnableConfig = {"configurable": {"thread_id": thread, "requester": case.requester}}
    await agent.ainvoke({"messages": [("user", case.text)]}, config)
    async with desk.store.read() as tx:
        rows = await reviews.actions_of_thread(tx, thread)
        tx.expunge_all()  # so that the rows outlive their transaction
        return rows


def proposal(rows: Sequence[ActionRow]) -> Proposed:
    """Return what a turn came to: the first action with an effect that was let through, else the last one proposed."""
    ran = [row for row in rows if row.verdict == "allow" and row.consequence != "read"]
    row = ran[0] if ran else rows[-1] if rows else None
    if row is None:
        return Proposed(None)
    verdict, consequence = cast(Verdict, row.verdict), cast(Consequence, row.consequence)
    return Proposed(row.tool, row.args, verdict, row.confidence, consequence)
