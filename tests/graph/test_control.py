"""Control: what runs without a person can be vetoed before and undone after; a stop keeps everything back until it is lifted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import assent
import pytest
from assent.graph.errors import AssentError, NotAllowed, TooLate
from assent.graph.rules.terms import Terms
from assent.graph.store import events, holds, undos
from fakes import Script, approve, asks, calls, on_thread, reject, says, told

MINUTE = 60.0


class Shelf:
    """One tool that puts something away, and can take it back; it writes down what it really did."""

    def __init__(self) -> None:
        self.done, self.trouble = [], None

        async def take_back(what: str) -> str:
            self.done.append(("undo", what))
            if self.trouble is not None:
                raise self.trouble
            return f"{what} is back"

        @assent.action(consequence="reversible", undo=take_back)
        async def put(what: str) -> str:
            """Put something away."""
            self.done.append(("put", what))
            return f"{what} put away"

        @assent.action(consequence="costly")
        async def pay(to: str) -> str:
            """Pay somebody."""
            self.done.append(("pay", to))
            return f"paid {to}"

        self.tools = [put, pay]

    def policy(self, **terms):
        return assent.Policy((assent.on("put", lambda facts: assent.Ruling("allow", "It can be undone.", terms=Terms(**terms))),))


@pytest.fixture
def shelf():
    return Shelf()


def agent_of(desk, shelf, *lines, **terms):
    lines = lines or (calls(("put", {"what": "cup"})),)
    return desk.agent(tools=shelf.tools, policy=shelf.policy(**terms), propose=Script(*lines))


async def the_action(desk):
    (line,) = await desk.feed("vi")
    return line.action


async def noted(desk, subject):
    async with desk.store.read() as tx:
        return [row.kind for row in await events.of_subject(tx, desk.tenant, subject)]


async def test_an_allowed_action_is_held_for_its_veto_window_and_then_runs_by_its_verdict(desk, shelf, clock):
    agent = agent_of(desk, shelf, veto=5 * MINUTE)
    state = await agent.ainvoke(asks(), on_thread())
    assert shelf.done == [] and state["__interrupt__"][0].value["type"] == "held"
    (line,) = await desk.feed("vi")
    assert (line.kind, line.tool, line.args) == ("held", "put", {"what": "cup"})
    assert line.until == (clock() + timedelta(minutes=5)).isoformat()
    clock.forward(4 * MINUTE)
    await desk.drain()
    await agent.ainvoke(None, on_thread())
    assert shelf.done == []
    clock.forward(MINUTE)
    await desk.drain()
    assert shelf.done == [("put", "cup")] and await desk.feed("vi") == []
    await desk.drain()
    assert shelf.done == [("put", "cup")]


async def test_a_veto_turns_it_into_a_refusal_that_the_agent_is_told(desk, shelf, clock):
    agent = agent_of(desk, shelf, veto=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    with pytest.raises(NotAllowed):
        await desk.veto(action, "vi")
    await desk.veto(action, "ada", "not that cup")
    with pytest.raises(TooLate, match="by ada"):
        await desk.veto(action, "bob")
    await desk.drain()
    clock.forward(10 * MINUTE)
    await desk.drain()
    state = await agent.aget_state(on_thread())
    assert shelf.done == [] and told(state.values) == ["A person vetoed this action before it began: not that cup."]
    assert state.next == () and await desk.feed("vi") == []
    assert [kind for kind in await noted(desk, action) if kind.startswith("hold")] == ["hold.begun", "hold.vetoed"]


async def test_a_veto_that_comes_after_the_window_is_refused_even_before_it_ran(desk, shelf, clock):
    agent = agent_of(desk, shelf, veto=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    clock.forward(5 * MINUTE)
    with pytest.raises(TooLate, match="window is over"):
        await desk.veto(action, "ada")
    with pytest.raises(AssentError, match="no such action"):
        await desk.veto("act_0", "ada")
    await desk.drain()
    assert shelf.done == [("put", "cup")]


async def test_the_claim_itself_looks_at_the_hold(desk, shelf, clock):
    """A worker that was told it may go on, and is overtaken by a veto, does not begin."""
    agent = agent_of(desk, shelf, veto=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    inner = desk._ledger.outcome

    async def overtaken(action_id):
        found = await inner(action_id)
        if found.status == "approved":
            async with desk.store.begin() as tx:
                assert await holds.veto(tx, action, "ada", "no", clock() - timedelta(seconds=1))
        return found

    desk._ledger.outcome = overtaken
    clock.forward(5 * MINUTE)
    await desk.drain()
    assert shelf.done == []
    assert "vetoed" in told((await agent.aget_state(on_thread())).values)[0]


async def test_an_action_whose_hold_was_taken_away_does_not_run(desk, shelf, clock):
    agent = agent_of(desk, shelf, veto=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    async with desk.store.begin() as tx:
        await tx.delete(await holds.get(tx, action))
    clock.forward(10 * MINUTE)
    await desk.drain()
    assert shelf.done == []


async def test_a_cancelled_case_is_not_held_any_more(desk, shelf, clock):
    agent = agent_of(desk, shelf, veto=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    await desk.cancel("t1", "ada")
    assert await desk.feed("vi") == []
    clock.forward(10 * MINUTE)
    await desk.drain()
    assert shelf.done == []


async def test_what_ran_without_a_person_is_undone_once_and_the_agent_hears_of_it_next_time(desk, shelf, clock):
    agent = agent_of(desk, shelf, calls(("put", {"what": "cup"})), says("Put away."), undo=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    (line,) = await desk.feed("vi")
    assert (line.kind, line.until) == ("undoable", (clock() + timedelta(minutes=5)).isoformat())
    with pytest.raises(NotAllowed):
        await desk.undo(line.action, "vi")
    await desk.undo(line.action, "ada", "wrong cup")
    with pytest.raises(TooLate, match="ada asked for this already"):
        await desk.undo(line.action, "bob")
    assert (await desk.feed("vi"))[0].kind == "undoing"
    await desk.drain()
    await desk.drain()
    assert shelf.done == [("put", "cup"), ("undo", "cup")] and await desk.feed("vi") == []
    assert len((await agent.aget_state(on_thread())).values["messages"]) == 4, "an undo wakes no model"
    assert (await desk.history("vi"))[0].outcome == "undone"
    state = await agent.ainvoke(asks("And now?"), on_thread())
    notes = [str(message.content) for message in state["messages"] if message.type == "system"]
    assert notes == ["The action put was undone; nothing of it stands. It was asked for by a person: wrong cup"]
    kinds = [kind for kind in await noted(desk, line.action) if kind.startswith("undo")]
    assert kinds == ["undo.requested", "undo.claimed", "undo.succeeded"]
    state = await agent.ainvoke(asks("Thanks."), on_thread())
    assert len([message for message in state["messages"] if message.type == "system"]) == 1, "told once"


async def test_an_undo_after_its_time_is_refused_with_words(desk, shelf, clock):
    agent = agent_of(desk, shelf, undo=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    clock.forward(5 * MINUTE)
    assert await desk.feed("vi") == []
    with pytest.raises(TooLate, match="was over at"):
        await desk.undo(action, "ada")
    await desk.drain()
    assert shelf.done == [("put", "cup")]


async def test_what_has_no_undo_window_cannot_be_undone(desk, shelf):
    agent = agent_of(desk, shelf, calls(("put", {"what": "cup"}), ("pay", {"to": "ann"})))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    for line in await desk.history("vi"):
        assert line.outcome == "succeeded"
    async with desk.store.read() as tx:
        actions = [row.id for row in await assent.graph.store.reviews.actions_of_thread(tx, "t1")]
    for action in actions:
        with pytest.raises(TooLate, match="cannot be undone"):
            await desk.undo(action, "ada")
    with pytest.raises(AssentError, match="no such execution"):
        await desk.undo("act_0", "ada")


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (assent.ActionRefused("It broke."), "failed", "could not be undone"),
        (RuntimeError("connection lost"), "unknown", "may or may not"),
    ],
)
async def test_an_undo_that_does_not_work_is_told_apart_from_one_that_nobody_can_vouch_for(desk, shelf, trouble, status, words):
    agent = agent_of(desk, shelf, undo=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    shelf.trouble = trouble
    await desk.undo(action, "ada")
    await desk.drain()
    await desk.drain()
    assert shelf.done.count(("undo", "cup")) == 1
    state = await agent.ainvoke(asks("And?"), on_thread())
    assert words in " ".join(str(message.content) for message in state["messages"] if message.type == "system")
    tasks = [(task.kind, task.action) for task in await desk.tasks("vi")]
    assert tasks == ([("undo unknown", action)] if status == "unknown" else [("undo failed", action)])


async def test_a_person_says_what_became_of_an_undo(desk, shelf):
    agent = agent_of(desk, shelf, undo=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    shelf.trouble = RuntimeError("connection lost")
    await desk.undo(action, "ada")
    await desk.drain()
    await desk.settle(action, "done", "lee", "the cup stands on the table")
    assert await desk.tasks("vi") == [] and (await desk.history("vi"))[0].outcome == "undone"
    with pytest.raises(AssentError, match="settled already"):
        await desk.settle(action, "done", "lee")


async def test_an_undo_that_a_dead_process_had_begun_is_never_tried_again(desk, shelf, clock):
    agent = agent_of(desk, shelf, undo=5 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    await desk.undo(action, "ada")
    async with desk.store.begin() as tx:
        assert await undos.claim(tx, action, "lease_of_the_dead")
    await desk.drain()
    assert shelf.done == [("put", "cup")]
    assert [(task.kind, task.action) for task in await desk.tasks("vi")] == [("undo unknown", action)]
    async with desk.store.begin() as tx:
        assert not await undos.finish(tx, action, "lease_of_the_dead", "succeeded", "late"), "the fence holds"


async def test_a_stop_keeps_approved_work_back_and_lifting_it_lets_it_go_on(desk, shelf, clock):
    agent = agent_of(desk, shelf, calls(("pay", {"to": "ann"})))
    await agent.ainvoke(asks(), on_thread())
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    stop = await desk.stop("all", "", "lee", "something is wrong")
    assert (stop.in_flight, stop.waiting) == ([], 1)
    await desk.drain()
    await desk.drain()
    assert shelf.done == [] and told((await agent.aget_state(on_thread())).values) == []
    (shown,) = await desk.stops("vi")
    assert (shown.id, shown.waiting, shown.by, shown.reason) == (stop.id, 1, "lee", "something is wrong")
    await desk.lift(stop.id, "lee", "it was nothing")
    assert await desk.stops("vi") == []
    await desk.drain()
    assert shelf.done == [("pay", "ann")]
    assert await noted(desk, stop.id) == ["stop.pressed", "stop.lifted"]
    with pytest.raises(NotAllowed, match="by lee"):
        await desk.lift(stop.id, "root")


async def test_a_stopped_tool_waits_alone(desk, shelf, clock):
    agent = agent_of(desk, shelf, calls(("put", {"what": "cup"}), ("pay", {"to": "ann"})))
    stop = await desk.stop("tool", "put", "lee")
    state = await agent.ainvoke(asks(), on_thread())
    assert shelf.done == [] and {one.value["type"] for one in state["__interrupt__"]} == {"held", "tool_approval"}
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    await desk.drain()
    assert shelf.done == [("pay", "ann")]
    await desk.lift(stop.id, "lee")
    await desk.drain()
    assert shelf.done == [("pay", "ann"), ("put", "cup")]
    assert (await agent.aget_state(on_thread())).next == ()


async def test_a_stopped_agent_proposes_nothing_and_its_messages_wait(desk, shelf, clock):
    agent = agent_of(desk, shelf, calls(("put", {"what": "cup"})))
    script = desk._gates["assent"][0].propose
    stop = await desk.stop("agent", "assent", "lee")
    await desk.send("t1", "Please.", requester="carol")
    await desk.drain()
    assert script.steps == [] and await desk.backlog() == 1
    assert [task.kind for task in await desk.tasks("vi")] == ["stopped"]
    await desk.lift(stop.id, "lee")
    await desk.drain()
    assert shelf.done == [("put", "cup")] and await desk.backlog() == 0
    assert (await agent.aget_state(on_thread())).next == ()


async def test_an_agent_in_the_middle_of_a_turn_proposes_no_further(desk, shelf, clock):
    """The stop comes while the tool runs: it ends, is recorded, and the model is not asked again."""
    agent = agent_of(desk, shelf, calls(("put", {"what": "cup"})), calls(("put", {"what": "jug"})))
    inner = desk._ledger.finish

    async def finish(*args, **kwargs):
        (flying,) = (await desk.stop("all", "", "lee")).in_flight
        assert flying["tool"] == "put"
        return await inner(*args, **kwargs)

    desk._ledger.finish = finish
    await agent.ainvoke(asks(), on_thread())
    desk._ledger.finish = inner
    assert shelf.done == [("put", "cup")] and len(desk._gates["assent"][0].propose.steps) == 1
    (stop,) = await desk.stops("vi")
    assert stop.in_flight == []
    await desk.lift(stop.id, "root")
    await desk.drain()
    assert shelf.done == [("put", "cup"), ("put", "jug")]


async def test_what_a_stop_keeps_back_can_still_be_taken_back_rejected_and_cancelled(desk, shelf, clock):
    agent = agent_of(desk, shelf, calls(("pay", {"to": "ann"}), ("pay", {"to": "ben"}), ("pay", {"to": "cat"})))
    await agent.ainvoke(asks(), on_thread())
    stop = await desk.stop("tool", "pay", "lee")
    cards = {card.args["to"]: card for card in await desk.pending("ada")}
    await desk.decide(cards["ann"].id, approve(cards["ann"]), "ada")
    await desk.decide(cards["ben"].id, approve(cards["ben"]), "ada")
    await desk.decide(cards["cat"].id, reject(cards["cat"]), "ada")
    await desk.drain()
    await desk.withdraw(cards["ann"].id, "ada")
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, reject(card), "ada")
    await desk.lift(stop.id, "lee")
    await desk.drain()
    assert shelf.done == [("pay", "ben")]
    assert sorted(text.split(":")[0] for text in told((await agent.aget_state(on_thread())).values)) == [
        "A person rejected this action", "A person rejected this action", "paid ben",
    ]  # fmt: skip


async def test_two_stops_both_have_to_be_lifted(desk, shelf, clock):
    agent = agent_of(desk, shelf)
    first, second = await desk.stop("all", "", "lee"), await desk.stop("tool", "put", "root")
    await agent.ainvoke(asks(), on_thread())
    await desk.lift(first.id, "lee")
    await desk.drain()
    assert shelf.done == [] and [stop.id for stop in await desk.stops("vi")] == [second.id]
    await desk.lift(second.id, "lee")
    await desk.drain()
    assert shelf.done == [("put", "cup")]


async def test_a_stop_also_holds_what_becomes_due_but_lets_undo_through(desk, shelf, clock):
    agent = agent_of(desk, shelf, calls(("put", {"what": "cup"})), says(), calls(("put", {"what": "jug"})), undo=60 * MINUTE)
    await agent.ainvoke(asks(), on_thread())
    action = await the_action(desk)
    stop = await desk.stop("all", "", "lee")
    await desk.undo(action, "ada")
    await desk.drain()
    assert shelf.done == [("put", "cup"), ("undo", "cup")]
    await desk.lift(stop.id, "lee")
    await desk.drain()
    assert shelf.done == [("put", "cup"), ("undo", "cup")]


async def test_a_held_action_that_becomes_due_under_a_stop_waits_for_it(desk, shelf, clock):
    agent = agent_of(desk, shelf, veto=MINUTE)
    await agent.ainvoke(asks(), on_thread())
    stop = await desk.stop("tool", "put", "lee")
    clock.forward(MINUTE)
    await desk.drain()
    assert shelf.done == []
    await desk.lift(stop.id, "lee")
    await desk.drain()
    assert shelf.done == [("put", "cup")]


async def test_only_a_lead_stops_and_only_what_there_is(desk, shelf):
    agent_of(desk, shelf)
    for who in ("ada", "vi", "nobody"):
        with pytest.raises(NotAllowed):
            await desk.stop("all", "", who)
    for scope, name in (("all", "x"), ("tool", ""), ("page", "x")):
        with pytest.raises(AssentError, match="Stop 'all'"):
            await desk.stop(scope, name, "lee")
    with pytest.raises(AssentError, match="no tool 'pvt', so nothing was stopped; known here: pay, put"):
        await desk.stop("tool", "pvt", "lee")
    with pytest.raises(AssentError, match="no such stop"):
        await desk.lift("stop_0", "lee")
    assert await desk.stops("vi") == []


async def test_a_stop_that_is_pressed_during_a_claim_waits_for_it_and_shows_it(desk, shelf, clock):
    agent = agent_of(desk, shelf)
    entered, go_on = asyncio.Event(), asyncio.Event()
    inner = desk._ledger.finish

    async def finish(*args, **kwargs):
        entered.set()
        await go_on.wait()
        return await inner(*args, **kwargs)

    desk._ledger.finish = finish
    running = asyncio.create_task(agent.ainvoke(asks(), on_thread()))
    await entered.wait()
    stop = await desk.stop("all", "", "lee")
    assert [one["title"] for one in stop.in_flight] == ["put"]
    go_on.set()
    await running
    assert shelf.done == [("put", "cup")]
