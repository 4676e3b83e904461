"""The gate: what is allowed runs at once, everything else waits under its own interrupt, and comes back as a person decided."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import assent
import pytest
from assent.graph.authority.limits import Limits
from assent.graph.confidence import Reading
from assent.graph.errors import InvalidEdit
from fakes import SAFE, Script, approve, asks, calls, edit, on_thread, reject, respond, says, told
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool, tool
from pydantic import BaseModel, field_validator


async def test_what_is_allowed_runs_while_its_siblings_wait_each_alone(opened, till):
    script = Script(
        calls(("look", {"what": "x"}), ("pay", {"to": "bob", "amount": 5}), ("pay", {"to": "eve", "amount": 6})), says("Settled.")
    )
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    values = await agent.ainvoke(asks(), on_thread())
    assert till.ran == [("look", "x")]
    waiting = values["__interrupt__"]
    assert len({one.id for one in waiting}) == len({one.value["review"] for one in waiting}) == 2

    first, second = sorted(await opened.pending("ada"), key=lambda card: card.args["amount"])
    await opened.decide(second.id, approve(second), "ada")
    await opened.drain()
    assert till.paid == [("pay", "eve", 6)]
    assert [card.id for card in await opened.pending("ada")] == [first.id]
    assert len(script.steps) == 1, "the agent is not asked again before every call has its result"

    await opened.decide(first.id, reject(first), "ada")
    await opened.drain()
    assert till.paid == [("pay", "eve", 6)] and till.ran.count(("look", "x")) == 1
    values = (await agent.aget_state(on_thread())).values
    assert values["messages"][-1].content == "Settled."
    assert told(values)[:1] == ["x: ok"] and "paid 6 to eve" in told(values)


async def test_a_slow_sibling_finishes_although_another_call_cannot_be_recorded(url):
    started, ended = asyncio.Event(), []

    @assent.action(consequence="costly")
    async def slow(what: str) -> str:
        """Take a while."""
        started.set()
        await asyncio.sleep(0.5)
        ended.append(what)
        return "slow: done"

    @assent.action(consequence="costly", dry_run=lambda to: started.wait())
    async def pay(to: str) -> str:
        """Pay."""
        return "paid"

    policy = assent.Policy((assent.on("slow", lambda facts: assent.Ruling("allow", "fine")),))
    async with assent.open(url, limits=Limits(queue=0)) as desk:
        agent = desk.agent(tools=[slow, pay], policy=policy, propose=Script(calls(("slow", {"what": "a"}), ("pay", {"to": "bob"}))))
        with pytest.raises(assent.AssentError, match="queue is full"):
            await agent.ainvoke(asks(), on_thread())
        await desk.users.add("ada")
        assert ended == ["a"]
        assert [task.kind for task in await desk.tasks("ada")] == ["stalled"], "nobody has to find out what became of the slow one"


async def test_the_interrupt_is_read_by_other_clients_too(opened, till):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    (waiting,) = (await agent.ainvoke(asks(), on_thread()))["__interrupt__"]
    (card,) = await opened.pending("ada")
    value = waiting.value
    assert value["type"] == "tool_approval" and value["name"] == "pay" and value["args"] == {"to": "bob", "amount": 5}
    assert value["digest"] == card.digest and value["review"] == card.id and value["number"] == card.number
    (request,), (config,) = value["action_requests"], value["review_configs"]
    assert request["name"] == config["action_name"] == "pay" and request["args"] == value["args"] and request["description"]
    assert config["allowed_decisions"] == ["approve", "edit", "reject", "respond"]
    assert (
        value["reason"] == "tool_call" and value["toolCallId"] and value["message"] and value["responseSchema"]["type"] == "object"
    )


async def test_a_rejection_reaches_the_model_and_trying_again_has_an_end(opened, till):
    script = Script(*[calls(("pay", {"to": "bob", "amount": amount})) for amount in (1, 2, 3, 4, 5)])
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    for attempt in range(3):
        (card,) = await opened.pending("ada")
        await opened.decide(card.id, reject(card, "too much", f"Try less, {attempt}."), "ada")
        await opened.drain()
    assert await opened.pending("ada") == []
    assert till.ran == [] and len(script.steps) == 3
    assert "too much" in str(script.steps[1].messages[-1].content) and "Try less, 0." in str(script.steps[1].messages[-1].content)
    last = (await agent.aget_state(on_thread())).values["messages"][-1]
    assert last.type == "ai" and "colleague" in last.content

    script.lines[:] = [says("Hello again.")]
    values = await agent.ainvoke(asks("And now?"), on_thread())
    assert values["messages"][-1].content == "Hello again.", "a new message starts a new turn"


async def test_an_answer_takes_the_place_of_the_tool(opened, till):
    script = Script(calls(("pay", {"to": "bob", "amount": 5})))
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, respond(card, "Bob has been paid already."), "ada")
    await opened.drain()
    message = script.steps[1].messages[-1]
    assert message.content == "Bob has been paid already." and message.status == "success" and till.ran == []


async def test_an_edit_runs_instead_and_the_agent_is_told(opened, till):
    script = Script(calls(("pay", {"to": "bob", "amount": 500})))
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    done = await opened.decide(card.id, edit(card, amount=50), "ada")
    assert done.action_digest != card.digest
    await opened.drain()
    assert till.ran == [("pay", "bob", 50)]
    (said,) = told((await agent.aget_state(on_thread())).values)
    assert "person changed" in said and "500" in said and "50" in said
    proposed = (await agent.aget_state(on_thread())).values["messages"][1]
    assert proposed.tool_calls[0]["args"] == {"to": "bob", "amount": 500}, "what the model proposed is kept"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (("fly", {"to": "moon"}), "no tool 'fly'"),
        (("pay", {"to": "bob"}), "amount"),
        (("pay", {"to": "bob", "amount": "lots"}), "amount"),
        (("pay", {"to": "bob", "amount": 5, "memo": "x"}), "memo"),
        (("pay", {}), "to"),
    ],
)
async def test_what_the_agent_got_wrong_goes_back_to_the_agent(opened, till, call, why):
    script = Script(calls(call))
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    values = await agent.ainvoke(asks(), on_thread())
    assert "__interrupt__" not in values and till.ran == [] and await opened.pending("ada") == []
    message = script.steps[1].messages[-1]
    assert message.status == "error" and why in message.content


async def test_a_number_no_database_holds_is_refused_or_shown_never_lost(opened, till):
    script = Script(calls(("pay", {"to": "bob", "amount": 2**70})))
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    try:
        await agent.ainvoke(asks(), on_thread())
    except Exception:
        assert [task.kind for task in await opened.tasks("ada")] == ["stalled"]
    assert till.ran == []


async def test_what_the_dry_run_refuses_never_reaches_a_person(opened):
    async def enough(to: str, amount: int) -> str:
        if amount > 100:
            raise assent.ActionRefused("only 100 are left")
        return "100 are left"

    @assent.action(consequence="costly", dry_run=enough)
    async def pay(to: str, amount: int) -> str:
        """Pay."""
        return "paid"

    script = Script(calls(("pay", {"to": "bob", "amount": 500})), calls(("pay", {"to": "bob", "amount": 50})))
    agent = opened.agent(tools=[pay], policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    assert "only 100 are left" in script.steps[1].messages[-1].content
    (card,) = await opened.pending("ada")
    assert card.args["amount"] == 50 and card.evidence[0]["text"] == "100 are left"


@pytest.mark.parametrize("broken", ["dry_run", "choices"])
async def test_a_broken_dry_run_or_lookup_lets_nothing_pass(opened, broken):
    ran = []

    async def fails(**_: object) -> None:
        raise ConnectionError("no route")

    async def fails_for(to: str) -> None:
        raise ConnectionError("no route")

    given = {"dry_run": fails_for} if broken == "dry_run" else {"choices": fails}

    @assent.action(consequence="costly", **given)
    async def pay(to: str) -> str:
        """Pay."""
        ran.append(to)
        return "paid"

    allow = assent.Policy((assent.on("pay", lambda facts: assent.Ruling("allow", "fine")),))
    agent = opened.agent(tools=[pay], policy=allow, propose=Script(calls(("pay", {"to": "bob"}))))
    try:
        await agent.ainvoke(asks(), on_thread())
    except ConnectionError:
        assert [task.kind for task in await opened.tasks("ada")] == ["stalled"]
    else:
        assert "no route" in (await opened.pending("ada"))[0].reasons[0]["text"]
    assert ran == []


async def test_choices_of_the_case_are_offered_and_shown(opened):
    async def orders(case: assent.Case) -> list[dict[str, str]]:
        return [{"order": "1"}, {"order": "2"}] if case.requester == "carol" else []

    @assent.action(consequence="costly", choices=orders)
    async def refund(order: str, amount: int) -> str:
        """Refund."""
        return "refunded"

    facts_seen = []

    def legal(facts):
        facts_seen.append(facts.context["choices_legal"])
        return assent.Ruling("review", "A person decides.")

    script = Script(calls(("refund", {"order": "3", "amount": 1}), ("refund", {"order": "2", "amount": 1})))
    agent = opened.agent(tools=[refund], policy=assent.Policy((legal,)), propose=script)
    await agent.ainvoke(asks(), on_thread())
    assert script.steps[0].offers[0].choices == ({"order": "1"}, {"order": "2"})
    assert sorted(facts_seen) == [False, True]
    assert (await opened.pending("ada"))[0].choices == [{"order": "1"}, {"order": "2"}]

    other = Script(says())
    await opened.agent(tools=[refund], policy=SAFE, propose=other, name="other").ainvoke(asks(), on_thread("t2", "dave"))
    assert other.steps[0].offers == (), "what has no legal arguments is not offered"


async def test_a_plain_tool_counts_as_irreversible_and_no_general_rule_lets_it_run(opened):
    ran = []

    @tool
    async def wipe(disk: str) -> str:
        """Wipe a disk."""
        ran.append(disk)
        return "wiped"

    anything = assent.Policy(
        (lambda facts: assent.Ruling("allow", "fine"), assent.on("wipe", lambda facts: assent.Ruling("allow", "fine")))
    )
    agent = opened.agent(tools=[wipe], policy=anything, propose=Script(calls(("wipe", {"disk": "a"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    assert card.consequence == "irreversible" and ran == []
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert ran == ["a"]


def measured(value, *, gates=True):
    async def signal(name, args, step, propose):
        if isinstance(value, Exception):
            raise value
        return Reading("fake", value, {"value": value}, 0.0, 1, gates)

    signal.name = "fake"
    return signal


GATED = assent.Policy((assent.on(["note", "pay"], lambda facts: assent.Ruling("gate", "If sure.")),), threshold=0.9)


@pytest.mark.parametrize(
    ("value", "tool_name", "runs"),
    [
        (0.95, "note", True),
        (0.9, "note", True),
        (0.89, "note", False),
        (None, "note", False),
        (float("nan"), "note", False),
        (float("inf"), "note", False),
        (1e9, "note", False),
        (-1.0, "note", False),
        ("99%", "note", False),
        (True, "note", False),
        (RuntimeError("the model server went away"), "note", False),
        (0.99, "pay", False),
    ],
)
async def test_confidence_lets_only_the_reversible_pass_and_only_when_it_is_a_number(opened, till, value, tool_name, runs):
    args = {"text": "hi"} if tool_name == "note" else {"to": "bob", "amount": 1}
    agent = opened.agent(tools=till.tools, policy=GATED, propose=Script(calls((tool_name, args))), signals=[measured(value)])
    await agent.ainvoke(asks(), on_thread())
    assert bool(till.ran) == runs
    cards = await opened.pending("ada")
    assert len(cards) == (0 if runs else 1)
    if runs:
        (line,) = [line for line in await opened.history("ada") if line.tool == tool_name]
        assert line.decision == "automatic" and "uncertified" in line.reason
    else:
        assert cards[0].confidence is not None and cards[0].confidence["certified"] is False


async def test_a_signal_that_is_recorded_only_opens_no_door(opened, till):
    agent = opened.agent(
        tools=till.tools, policy=GATED, propose=Script(calls(("note", {"text": "hi"}))), signals=[measured(1.0, gates=False)]
    )
    await agent.ainvoke(asks(), on_thread())
    assert till.ran == [] and len(await opened.pending("ada")) == 1


@pytest.mark.parametrize("then", ["allow", "refuse"])
async def test_a_verdict_is_given_once_whatever_the_policy_says_later(opened, till, then):
    mood = ["review"]
    policy = assent.Policy((assent.on("pay", lambda facts: assent.Ruling(mood[0], "moody")),))
    agent = opened.agent(tools=till.tools, policy=policy, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread())
    mood[0] = then
    await agent.ainvoke(None, on_thread())
    (card,) = await opened.pending("ada")
    assert till.ran == []
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert till.ran == [("pay", "bob", 5)]


async def test_two_identical_calls_under_one_provider_id_are_two_reviews(opened, till):
    call = ("pay", {"to": "bob", "amount": 5})
    script = Script(calls(call, call, ids=["call_0", "call_0"]), calls(call, ids=["call_0"]))
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=script)
    await agent.ainvoke(asks(), on_thread())
    one, other = await opened.pending("ada")
    assert one.digest != other.digest
    with pytest.raises(assent.AssentError):
        await opened.decide(one.id, approve(other), "ada")
    await opened.decide(one.id, approve(one), "ada")
    await opened.decide(other.id, reject(other), "ada")
    await opened.drain()
    assert till.ran == [("pay", "bob", 5)]
    (third,) = await opened.pending("ada")
    assert third.id not in (one.id, other.id)


async def test_a_policy_that_throws_or_says_nothing_sends_to_a_person(opened, till):
    def broken(facts):
        raise KeyError("limit")

    agent = opened.agent(
        tools=till.tools,
        policy=assent.Policy((assent.on("pay", broken),)),
        propose=Script(calls(("pay", {"to": "b", "amount": 1}), ("look", {"what": "x"}))),
    )
    await agent.ainvoke(asks(), on_thread())
    assert till.ran == []
    assert {card.tool: card.reasons[0]["ruling"] for card in await opened.pending("ada")} == {"pay": "review", "look": "review"}


async def test_checkpoints_hold_messages_and_ids_and_nothing_of_the_desk(opened, till, tmp_path):
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=Script(calls(("pay", {"to": "bob", "amount": 5}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    connection = sqlite3.connect(tmp_path / "desk.db")
    blobs = [row[0] for row in connection.execute("SELECT checkpoint FROM checkpoints")] + [
        row[0] for row in connection.execute("SELECT value FROM writes")
    ]
    connection.close()
    everything = b"".join(blob for blob in blobs if isinstance(blob, bytes))
    assert blobs and b"assent.graph" not in everything and b"ActionRow" not in everything and b"pickle" not in everything


async def test_text_that_no_database_holds_waits_like_any_other_and_is_never_half_done(opened):
    ran = []

    @assent.action(consequence="costly")
    async def shout(text: str) -> str:
        """Shout."""
        ran.append(text)
        return f"shouted {text}"

    agent = opened.agent(tools=[shout], policy=SAFE, propose=Script(calls(("shout", {"text": "a\ud800"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert ran == ["a\ud800"] and await opened.tasks("ada") == []
    assert (await opened.history("ada"))[0].outcome == "succeeded"


class Envelope(BaseModel):
    type: str
    args: dict[str, Any]
    id: str


async def test_arguments_that_look_like_a_tool_call_are_run_as_they_were_shown(opened):
    ran = []

    async def forward(**given: Any) -> str:
        ran.append(given)
        return "forwarded"

    forwards = StructuredTool(name="forward", description="Forward something.", coroutine=forward, args_schema=Envelope)
    shown = {"type": "tool_call", "args": {"type": "hidden", "args": {}, "id": "hidden"}, "id": "x"}
    agent = opened.agent(tools=[forwards], policy=SAFE, propose=Script(calls(("forward", shown))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    assert card.args == shown
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert ran == [shown]


async def test_a_tool_that_cancels_itself_leaves_a_task_and_a_living_worker(opened, till):
    @assent.action(consequence="costly")
    async def odd(what: str) -> str:
        """Cancel itself."""
        raise asyncio.CancelledError

    agent = opened.agent(tools=[odd], policy=SAFE, propose=Script(calls(("odd", {"what": "x"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert [task.kind for task in await opened.tasks("ada")] == ["unknown"]


async def test_a_result_that_is_no_json_is_still_a_result(opened):
    @assent.action(consequence="costly")
    async def odd(what: str) -> object:
        """Answer oddly."""
        return {("a", 1): float("nan")}

    agent = opened.agent(tools=[odd], policy=SAFE, propose=Script(calls(("odd", {"what": "x"}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert (await opened.history("ada"))[0].outcome == "succeeded"


async def test_keys_that_json_turns_into_text_are_shown_hashed_and_run_alike(opened):
    ran = []

    @assent.action(consequence="costly")
    async def rate(scores: dict[int, float]) -> str:
        """Rate."""
        ran.append(scores)
        return "rated"

    agent = opened.agent(tools=[rate], policy=SAFE, propose=Script(calls(("rate", {"scores": {"1": 0.5, "2": -0.0}}))))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    await opened.decide(card.id, approve(card), "ada")
    await opened.drain()
    assert ran == [{1: 0.5, 2: -0.0}]


class Doubled(BaseModel):
    """A schema that is not the same twice: it doubles what it reads."""

    amount: int

    @field_validator("amount")
    @classmethod
    def twice(cls, value: int) -> int:
        return value * 2


async def test_a_schema_that_changes_what_it_reads_is_refused_because_it_would_run_what_nobody_saw(opened, till):
    async def pay(amount: int) -> str:
        till.ran.append(amount)
        return "paid"

    tool = StructuredTool(name="pay", description="Pay.", coroutine=pay, args_schema=Doubled)
    agent = opened.agent(tools=[tool], policy=SAFE, propose=Script(calls(("pay", {"amount": 10})), AIMessage("Well.")))
    await agent.ainvoke(asks("Pay."), on_thread())
    assert await opened.pending("ada") == [] and till.ran == []
    assert "not be what runs" in (await opened.history("ada"))[0].reason


async def test_a_tool_with_a_plain_json_schema_is_validated_and_unknown_arguments_are_refused(opened, till):
    async def pay(**given: Any) -> str:
        till.ran.append(given)
        return "paid"

    schema = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
    tool = StructuredTool(name="pay", description="Pay.", coroutine=pay, args_schema=schema)
    script = Script(calls(("pay", {"amount": "ten"})), calls(("pay", {"amount": 10, "to": "eve"})), calls(("pay", {"amount": 10})))
    agent = opened.agent(tools=[tool], policy=SAFE, propose=script)
    await agent.ainvoke(asks("Pay."), on_thread())
    (card,) = await opened.pending("ada")
    assert card.args == {"amount": 10}
    with pytest.raises(InvalidEdit):
        await opened.decide(card.id, {"type": "edit", "digest": card.digest, "args": {"amount": "much"}}, "ada")
    with pytest.raises(InvalidEdit, match="knows no such argument"):
        await opened.decide(card.id, {"type": "edit", "digest": card.digest, "args": {"amount": 1, "to": "eve"}}, "ada")


async def test_a_model_that_never_stops_is_stopped_after_so_many_actions(opened, till):
    forever = Script(*[calls(("look", {"what": str(index)})) for index in range(40)])
    agent = opened.agent(tools=till.tools, policy=SAFE, propose=forever)
    state = await agent.ainvoke(asks("Look around."), on_thread())
    assert len([one for one in state["messages"] if one.type == "tool"]) == 25
