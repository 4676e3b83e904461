"""Answers in the tool's place are no way out: a lead is told who gives them to audits, and a certificate what it leaves out."""

from __future__ import annotations

import pytest
from assent.evals.certify.certificate import certify
from assent.evals.certify.left_out import left_out
from assent.evals.insights import insight
from assent.evals.reviewing.catching import Catch, evades
from assent.evals.reviewing.reviewer_health import look, seen
from assent.graph.authority import probing
from assent.graph.opening import open_desk
from assent.graph.store import reviews
from assent.graph.store.control_models import NoticeRow
from fakes import SAFE, HandClock, Script, approve, asks, calls, on_thread, respond, staff
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select


@pytest.fixture
async def desk(url):
    async with open_desk(url, clock=HandClock()) as opened:
        await staff(opened)
        yield opened


async def audited(desk, till, left, count=20):
    """Have actions that passed audited; bob answers so many in the tool's place, and approves the rest."""
    wanted = [("look", {"what": f"w{index}"}) for index in range(count)]
    agent = desk.agent(tools=till.tools, policy=SAFE, propose=Script(calls(*wanted)))
    await agent.ainvoke(asks(), on_thread())
    async with desk.store.begin() as tx:
        for source in await reviews.actions_of_thread(tx, "t1"):
            await probing.ask(tx, source, "audit", desk.clock())
    for index, card in enumerate(await desk.pending("bob", limit=count)):
        await desk.decide(card.id, respond(card, "Never mind.") if index < left else approve(card), "bob")
    return agent


async def test_who_answers_audits_with_neither_right_nor_wrong_is_told_to_a_lead_and_so_is_the_class(desk, till):
    agent = await audited(desk, till, 8)
    assert await look(desk.store, desk.clock, desk.tenant) == 1
    async with desk.store.read() as tx:
        (notice,) = [row.body for row in (await tx.exec(select(NoticeRow))).all() if row.kind == "reviewers"]
        (bob,) = (await seen(tx, desk.tenant, desk.clock())).lines
    assert notice["reviewer"] == "bob" and notice["to"] == "role:lead" and "8 of 20 audits" in notice["text"]
    assert bob.left_out == Catch(20, 8) and bob.alarms == ("left_out",) and bob.as_json()["left_out"]["low"] > 0.2
    found = await insight(desk.store, desk.clock, "vi", agent.name, "look")
    assert found.watch.left_out.startswith("8 of 20 answered audits were neither right nor wrong")
    assert found.drift[0].text.startswith("8 of 20") and "At least 21.71%" in found.drift[0].text
    desk.clock.forward(600)
    await look(desk.store, desk.clock, desk.tenant)
    async with desk.store.read() as tx:
        assert len([row for row in (await tx.exec(select(NoticeRow))).all() if row.kind == "reviewers"]) == 1


async def test_a_few_such_answers_are_shown_and_ring_no_alarm(desk, till):
    agent = await audited(desk, till, 2)
    assert await look(desk.store, desk.clock, desk.tenant) == 0
    found = await insight(desk.store, desk.clock, "vi", agent.name, "look")
    assert found.watch.left_out.startswith("2 of 20") and not any("audits" in one.text for one in found.drift)


def test_the_alarm_needs_twenty_audits_and_a_bound_above_a_fifth():
    assert not evades(Catch(19, 19)) and evades(Catch(20, 20)) and not evades(Catch(20, 7)) and evades(Catch(20, 8))
    assert not evades(Catch(100, 20)) and evades(Catch(100, 28))


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 5), st.integers(0, 40))
def test_the_bound_with_what_was_left_out_is_that_of_as_many_more_errors(right, wrong, m):
    stats = pytest.importorskip("scipy.stats")
    correct = [True] * right + [False] * wrong
    found = certify([1.0] * len(correct), correct, alpha=0.05, delta=0.1, thresholds=(0.5,))
    told = left_out({"review": right, "audit": wrong, "respond": m, "undecided": 9}, found)
    assert (told["left_out"], told["decisions"]) == (m, right + wrong + m)
    if found.threshold is None:
        assert told["bound_if_wrong"] is None
    else:
        assert (
            told["bound_if_wrong"] == pytest.approx(stats.beta.ppf(0.9, wrong + m + 1, right))
            and told["bound_if_wrong"] >= found.bound
        )
