"""What was said can be erased, and what happened stays provable; what is not at its end is left alone."""

from __future__ import annotations

import json

import assent
import pytest
import sqlalchemy as sa
from assent.graph.audit.auditing import exported
from assent.graph.audit.erasing import StillOpen
from assent.graph.audit.verifying import verify
from assent.graph.errors import TooLate
from assent.graph.rules.terms import Terms
from fakes import SAFE, HandClock, Script, approve, as_owner, calls, edit, on_thread, reject, says, staff

WORD = "quetzalcoatl"
PAY = calls(("pay", {"to": WORD, "amount": 5}), text=f"I will pay {WORD}.")


@pytest.fixture
async def timed(any_url):
    clock = HandClock()
    async with assent.open(any_url, clock=clock) as desk:
        await staff(desk)
        yield desk, clock


async def talk(desk, till, *answers, name="assent"):
    """Have actions proposed and decided, one thread each; returns the threads."""
    script = Script(*(line for _ in answers for line in (PAY, says(f"Done, {WORD}."))))
    desk.agent(tools=till.tools, policy=SAFE, propose=script, name=name)
    for number, answer in enumerate(answers):
        await desk.send(f"{name}-{number}", f"Pay {WORD} please.", requester="carol", agent=name)
        await desk.drain()
        (card,) = await desk.pending("ada")
        if answer is not None:
            await desk.decide(card.id, answer(card), "ada")
            await desk.drain()
    return [f"{name}-{number}" for number in range(len(answers))]


def everywhere(url, word):
    """Return the tables, of ours and of LangGraph, in which a word stands."""
    found = set()
    with as_owner(url, guarded=True) as connection:
        for table in sa.inspect(connection).get_table_names():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"').all():
                if word in "".join(bytes(one).decode("latin1") if isinstance(one, bytes | memoryview) else str(one) for one in row):
                    found.add(table)
    return found


async def proof(desk):
    return verify([item async for item in exported(desk.store, desk.clock, desk.tenant)])


async def test_what_was_said_is_gone_from_every_table_and_the_log_still_verifies(timed, till):
    desk, clock = timed
    url = desk.store.url.render_as_string(hide_password=False)
    threads = await talk(desk, till, approve, lambda card: edit(card, to=WORD + "!"), lambda card: reject(card, WORD, WORD))
    assert {"actions", "decisions", "examples", "events", "inbound"} <= everywhere(url, WORD)
    assert any("checkpoint" in table for table in everywhere(url, WORD))
    clock.forward(600)
    for thread in threads:
        assert (await desk.erase(thread, "root", "asked for it")).records > 0
    assert everywhere(url, WORD) == set()
    report = await proof(desk)
    assert report.bad == "" and report.erased >= 8
    lines = await desk.history("ada")
    assert {line.decision for line in lines} >= {"approve", "edit", "reject"} and all(
        line.args == {} for line in lines if line.review
    )
    assert all(example.retired for example in await desk.examples("ada"))
    assert (await desk.erase(threads[0], "root")).records == 0, "a second time changes nothing"
    with pytest.raises(assent.AssentError):
        await desk.send(threads[0], "Again.", requester="carol")


async def test_only_an_admin_erases_and_only_what_is_at_its_end(timed, till):
    desk, clock = timed
    done, waiting = await talk(desk, till, approve, None)
    clock.forward(600)
    for actor in ("vi", "ada", "lee", "nobody", ""):
        with pytest.raises(assent.AssentError):
            await desk.erase(done, actor)
    with pytest.raises(StillOpen, match="a review is pending"):
        await desk.erase(waiting, "root")
    with pytest.raises(assent.AssentError):
        await desk.erase("no such thread", "root")
    (card,) = await desk.pending("ada")
    await desk.decide(card.id, approve(card), "ada")
    with pytest.raises(StillOpen, match="an approved action has not run"):
        await desk.erase(waiting, "root")
    assert till.paid == [("pay", WORD, 5)] and (await proof(desk)).erased == 0


async def test_what_is_old_is_erased_and_what_is_open_or_young_is_not(timed, till):
    desk, clock = timed
    await talk(desk, till, approve, name="old")
    desk.agent(tools=till.tools, policy=SAFE, propose=Script(PAY), name="open")
    await desk.send("waits", "Pay.", requester="carol", agent="open")
    await desk.drain()
    clock.forward(40 * 86_400)
    desk.agent(tools=till.tools, policy=SAFE, propose=Script(says("Hello.")), name="young")
    await desk.send("fresh", f"Hello {WORD}.", requester="carol", agent="young")
    await desk.drain()
    done = await desk.retain(30, "root")
    assert (done.erased, done.open) == (1, 1)
    assert (await desk.retain(30, "root")).erased == 0
    assert (await desk.conversation("fresh")).messages[0]["text"] == f"Hello {WORD}."
    with pytest.raises(assent.AssentError):
        await desk.retain(0, "root")
    assert (await proof(desk)).bad == ""


async def test_an_erasure_whose_reason_names_somebody_is_no_way_back(timed, till):
    desk, clock = timed
    (thread,) = await talk(desk, till, approve)
    clock.forward(600)
    await desk.erase(thread, "root", "asked by letter")
    items = [item async for item in exported(desk.store, desk.clock, desk.tenant)]
    (erased,) = [item for item in items if item.get("kind") == "erased"]
    assert erased["actor"] == "root" and erased["payload"] == {"reason": "asked by letter"}
    assert json.dumps(items).count(thread) > 1, "that there was a thread stays on record"


class Shelf:
    """One tool that runs without a person and can be taken back, both with a default that nobody meant."""

    def __init__(self, desk, **terms):
        self.done = []

        async def take_back(what: str = "everything") -> str:
            self.done.append(("undo", what))
            return "back"

        @assent.action(consequence="reversible", undo=take_back)
        async def put(what: str = "everything") -> str:
            """Put something away."""
            self.done.append(("put", what))
            return "away"

        allow = assent.Policy((assent.on("put", lambda facts: assent.Ruling("allow", "fine", terms=Terms(**terms))),))
        self.agent = desk.agent(tools=[put], policy=allow, propose=Script(calls(("put", {"what": WORD})), says()))

    async def put(self, desk):
        """Have it put something away, or held; returns the action."""
        await self.agent.ainvoke({"messages": [("user", "Put it away.")]}, on_thread())
        await desk.drain()
        (line,) = await desk.feed("ada")
        return line.action


async def test_what_was_erased_is_not_undone_with_what_is_left_of_it(timed):
    desk, clock = timed
    shelf = Shelf(desk, undo=86_400)
    action = await shelf.put(desk)
    clock.forward(600)
    await desk.erase("t1", "root")
    with pytest.raises(TooLate, match="erased on request"):
        await desk.undo(action, "ada", "wrong cup")
    await desk.drain()
    assert shelf.done == [("put", WORD)]


async def test_an_undo_runs_with_exactly_the_arguments_that_ran_or_not_at_all(timed):
    desk, _ = timed
    shelf = Shelf(desk, undo=86_400)
    action = await shelf.put(desk)
    await desk.undo(action, "ada")
    with as_owner(desk.store.url.render_as_string(hide_password=False).replace("+aiosqlite", "")) as connection:
        connection.exec_driver_sql("UPDATE actions SET args = '{}'")
    await desk.drain()
    assert shelf.done == [("put", WORD)]
    (task,) = await desk.tasks("ada")
    assert (task.kind, task.action) == ("undo failed", action) and "not on record any more" in task.text


async def test_a_vetoed_action_is_at_its_end_for_an_erasure_and_for_a_restore(timed):
    desk, clock = timed
    shelf = Shelf(desk, veto=86_400)
    action = await shelf.put(desk)
    with pytest.raises(StillOpen):
        await desk.erase("t1", "root")
    await desk.veto(action, "ada", f"not {WORD}")
    clock.forward(2 * 86_400)
    await desk.drain()
    clock.forward(600)
    done = await desk.restored("root")
    assert (done.unknown, done.superseded) == (0, 0) and await desk.tasks("ada") == []
    assert (await desk.erase("t1", "root", "asked for it")).records > 0
    await desk.drain()
    assert shelf.done == [] and (await proof(desk)).bad == ""
