"""A cancelled case: who cancelled it is on record, and what another process has begun in it is that process's to end."""

from __future__ import annotations

import asyncio

import assent
import pytest
from assent.graph.audit.auditing import exported
from assent.graph.audit.verifying import verify
from assent.graph.errors import ThreadBusy
from fakes import SAFE, Script, asks, calls, on_thread, says, staff


async def log(desk):
    return [item async for item in exported(desk.store, desk.clock, desk.tenant)]


@pytest.mark.parametrize("line", [says(), calls(("pay", {"to": "bob", "amount": 5}))])
async def test_cancelling_a_case_is_on_record_once_whatever_waits_in_it(desk, till, line):
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(line))
    await agent.ainvoke(asks(), on_thread())
    await desk.cancel("t1", "ada", "by mistake")
    await desk.cancel("t1", "bob", "once more")
    items = await log(desk)
    (event,) = [item for item in items if item.get("kind") == "thread.cancelled"]
    assert (event["actor"], event["subject"], event["body"]) == ("ada", "t1", {"agent": "assent"})
    assert event["payload"] == {"reason": "by mistake"} and verify(items).bad == ""


async def test_the_reason_for_cancelling_is_erased_with_the_case_and_the_log_still_verifies(desk, till, clock):
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(says()))
    await agent.ainvoke(asks(), on_thread())
    await desk.cancel("t1", "ada", "by mistake")
    clock.forward(600)
    await desk.drain()
    await desk.erase("t1", "root")
    items = await log(desk)
    (event,) = [item for item in items if item.get("kind") == "thread.cancelled"]
    assert event["payload"] is None and verify(items).bad == ""


async def test_whoever_lost_the_lease_ends_nothing_of_a_cancelled_case_that_another_has_begun(any_url, clock):
    """The agent thinks for so long that another process takes over and calls the tool; it wakes up to a cancelled case."""
    thinking, think, started, go_on = (asyncio.Event() for _ in range(4))

    @assent.action(consequence="costly")
    async def pay(to: str) -> str:
        """Pay."""
        started.set()
        await go_on.wait()
        return "paid"

    async def at_length(step):
        thinking.set()
        await think.wait()
        return says()

    allow = assent.Policy((assent.on("pay", lambda facts: assent.Ruling("allow", "fine")),))
    async with assent.open(any_url, clock=clock) as sleepy, assent.open(any_url, clock=clock) as awake:
        await staff(sleepy)
        first = sleepy.agent(tools=[pay], policy=allow, propose=Script(at_length))
        second = awake.agent(tools=[pay], policy=allow, propose=Script(calls(("pay", {"to": "ann"}))))
        await sleepy.send("t1", "Pay Ann.", requester="carol")
        asleep = asyncio.create_task(first.drive("t1"))
        await thinking.wait()
        clock.forward(60)
        at_work = asyncio.create_task(second.drive("t1"))
        await started.wait()
        await awake.cancel("t1", "ada", "stop")
        think.set()
        with pytest.raises(ThreadBusy):
            await asleep
        assert await awake.tasks("ada") == []
        go_on.set()
        assert (await at_work).standing == "cancelled"
        assert [line.outcome for line in await awake.history("ada")] == ["succeeded"] and await awake.tasks("ada") == []
