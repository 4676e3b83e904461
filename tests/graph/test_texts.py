"""Characters that a database cannot keep: the same on both, refused from people in words, escaped from machines."""

from __future__ import annotations

import assent
import pytest
from assent.graph.errors import BrokenText
from fakes import SAFE, Script, approve, asks, calls, on_thread, reject, respond, told
from langchain_core.messages import HumanMessage
from pydantic import ValidationError

BROKEN = ["a\0b", "a\ud800b"]


@pytest.mark.parametrize("text", BROKEN, ids=["NUL", "half a pair"])
async def test_people_are_told_and_nothing_is_changed(opened_on_any, till, text):
    desk = opened_on_any
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "x", "amount": 1}))))
    with pytest.raises(BrokenText):
        await desk.send("t0", text, requester="carol")
    with pytest.raises(BrokenText):
        await agent.ainvoke({"messages": [HumanMessage(text)]}, on_thread("t0"))
    for doors in (
        desk.send(text, "hello", requester="carol"),
        desk.send("t0", "hello", requester=text),
        desk.users.add(text, role="operator"),
        desk.card(text, "ada"),
        desk.cancel("t1", "ada", text),
    ):
        with pytest.raises(assent.AssentError):
            await doors
    assert not await desk.has_thread("t0")
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    for answer in (reject(card, text), reject(card, "no", text), respond(card, text)):
        with pytest.raises((BrokenText, ValidationError)):
            await desk.decide(card.id, answer, "ada")
    (still,) = await desk.pending("ada")
    assert still.status == "pending" and [line for line in await desk.history("lee") if line.decision != "pending"] == []
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    assert till.paid == [("pay", "x", 1)]


@pytest.mark.parametrize("text", BROKEN, ids=["NUL", "half a pair"])
async def test_what_machines_say_is_kept_escaped(opened_on_any, text):
    @assent.action(consequence="read")
    async def look(what: str) -> str:
        """Look something up."""
        return what

    @assent.action(consequence="costly")
    async def fail(what: str) -> str:
        """Fail."""
        raise assent.ActionRefused(what)

    names = [("look", {"what": text}), (f"made up {text}", {}), ("fail", {"what": text})]
    agent = opened_on_any.agent(tools=[look, fail], policy=SAFE, propose=Script(calls(*names, text="Well" + text[1:2])))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened_on_any.pending("ada")
    assert card.args == {"what": text}
    await opened_on_any.decide(card.id, approve(card), "ada")
    await opened_on_any.drain()
    values = (await agent.aget_state(on_thread())).values
    assert len(told(values)) == 3 and not any("\0" in one or "\ud800" in one for one in told(values))
    assert {line.outcome for line in await opened_on_any.history("lee")} >= {"succeeded", "failed"}
