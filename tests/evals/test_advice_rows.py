"""What advice reads from a desk's own rows, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import assent
import pytest
from assent.evals.advising.action_types import ActionType
from assent.evals.advising.advice import advise
from assent.evals.advising.advice_rows import Offered, desk_types, mode_within
from assent.graph.authority import probing
from assent.graph.autonomy.classes import key_of
from assent.graph.autonomy.levels import Level
from assent.graph.errors import NotAllowed
from assent.graph.rules.checks import always
from assent.graph.rules.terms import Terms
from assent.graph.store import autonomy, reviews, volumes
from assent.graph.store.autonomy_models import CertificateRow
from earning import Clerk
from fakes import HandClock, Script, Till, approve, asks, calls, edit, on_thread, reject, respond, staff


@assent.action(consequence="costly")
async def pay(to: str, amount: int, memo: str = "") -> str:
    """Pay somebody."""
    return f"paid {amount} to {to}"


POLICY = assent.Policy(
    (
        assent.on("pay", always("review", "Money.")),
        assent.on("note", always("allow", "It can wait a moment.", Terms(veto=300.0))),
        assent.on("look", always("allow", "Reading changes nothing.")),
    )
)


class Busy:
    """A desk on which one action after another is proposed and decided."""

    def __init__(self, desk: assent.Desk, till: Till, policy: assent.Policy = POLICY) -> None:
        self.desk, self.number, self.script = desk, 0, Script()
        desk.agent(tools=[pay, till.look, till.note], policy=policy, propose=self.script)

    async def propose(self, tool: str = "pay", **args: object) -> None:
        self.number += 1
        self.script.lines.append(calls((tool, args or {"to": "ann", "amount": self.number})))
        await self.desk.send(f"t{self.number}", "Please see to it.", requester="carol")
        await self.desk.drain()

    async def decide(self, make: Any = approve, **more: object) -> None:
        await self.propose()
        (card,) = await self.desk.pending("ada", limit=1)
        await self.desk.decide(card.id, {**make(card, **more), "seen_ms": 2_000 * self.number}, "ada")
        await self.desk.drain()


@pytest.fixture
def busy(opened_on_any: assent.Desk, till: Till) -> Busy:
    return Busy(opened_on_any, till)


async def of(desk: assent.Desk, tool: str = "pay", actor: str = "vi") -> ActionType:
    return next(one for one in await desk_types(desk.store, desk.clock, actor) if one.tool == tool)


async def test_labels_times_and_volumes_come_from_what_people_decided(busy: Busy) -> None:
    await busy.decide()
    await busy.decide(edit, amount=999)
    await busy.decide(reject)
    await busy.decide(respond, message="Ask again tomorrow.")
    await busy.propose()  # and waits
    await busy.propose("look", what="the weather")
    await busy.propose("note", text="hello")
    paid, looked, noted = [await of(busy.desk, tool) for tool in ("pay", "look", "note")]
    assert (paid.consequence, paid.labelled, paid.wrong, paid.edited, paid.labels) == ("costly", 3, 2, 1, "decisions")
    assert paid.review_seconds == 5.0 and paid.wait_seconds is not None and 0 <= paid.wait_seconds < 60
    assert paid.volume == 5 * 30 and looked.volume == 30 and looked.consequence == "read"
    assert (noted.veto_seconds, noted.undo, paid.veto_seconds) == (300.0, False, None)
    assert advise(paid).mode == "in the loop" and advise(looked).mode == "automatic"


async def test_what_was_taken_back_or_can_be_is_no_label(any_url: str, till: Till) -> None:
    clock = HandClock()
    async with assent.open(any_url, clock=clock) as desk:
        await staff(desk)
        busy = Busy(desk, till)
        await busy.propose()
        (card,) = await desk.pending("ada", limit=1)
        await desk.decide(card.id, reject(card), "ada", undo_window=60.0)
        assert (await of(desk)).labelled == 0
        await desk.withdraw(card.id, "ada")
        await desk.decide(card.id, approve(await desk.card(card.id, "ada")), "ada", undo_window=60.0)
        clock.forward(120)
        found = await of(desk)
        assert (found.labelled, found.wrong, found.edited) == (1, 0, 0)


async def test_what_was_decided_under_another_policy_is_left_out(any_url: str, till: Till) -> None:
    async with assent.open(any_url) as desk:
        await staff(desk)
        busy = Busy(desk, till)
        await busy.decide()
        await busy.decide(reject)
    async with assent.open(any_url) as desk:
        later = Busy(desk, till, assent.Policy((assent.on("pay", always("review", "Money, since the new rules.")),)))
        later.number = busy.number
        await later.decide()
        found = await of(desk)
        assert (found.labelled, found.wrong, found.left_out) == (1, 0, 2)


async def test_a_certificate_of_the_key_counts_and_one_of_another_does_not(busy: Busy) -> None:
    await busy.decide()
    async with busy.desk.store.read() as tx:
        (one,) = await volumes.proposed(tx, "main", busy.desk.clock() - timedelta(days=1))
    key = key_of(one.agent, one.tool, one.tool_digest, one.provenance)

    async def add(name: str, digest: str, bound: float) -> None:
        fields = {"tenant": "main", "agent": "assent", "tool": "pay", "key": digest, "parts": key.as_json(), "level": 2}
        numbers = {"alpha": 0.01, "delta": 0.1, "threshold": 0.9, "rows": 500, "n": 300, "k": 0, "coverage": 0.6, "bound": bound}
        row = CertificateRow(id=name, **fields, **numbers, head={}, report={}, created_at=busy.desk.clock())
        async with busy.desk.store.begin() as tx:
            await autonomy.add_certificate(tx, row)

    await add("c1", "0" * 64, 0.0001)
    assert (await of(busy.desk)).certificate is None
    await add("c2", key.digest(), 0.0076)
    found = (await of(busy.desk)).certificate
    assert found is not None and (found.coverage, found.bound, found.n, found.wrong) == (0.6, 0.0076, 300, 0)


async def test_a_tool_that_was_never_proposed_is_told_too_and_another_tenant_sees_nothing(busy: Busy) -> None:
    await busy.decide()
    await busy.desk.users.add("eve", role="admin", tenant="rival")
    offered = [Offered("assent", "note", "reversible", undo=True)]
    found = await desk_types(busy.desk.store, busy.desk.clock, "vi", offered)
    assert [(one.tool, one.volume > 0, one.undo) for one in found] == [("note", False, True), ("pay", True, False)]
    assert await desk_types(busy.desk.store, busy.desk.clock, "eve") == []
    with pytest.raises(NotAllowed):
        await desk_types(busy.desk.store, busy.desk.clock, "nobody")


async def test_an_old_volume_is_spread_over_the_month_and_what_is_older_is_not_counted(url: str, till: Till) -> None:
    clock = HandClock()
    async with assent.open(url, clock=clock) as desk:
        await desk.users.add("vi", role="viewer")
        busy = Busy(desk, till)
        for _ in range(4):
            await busy.propose()
        assert (await of(desk)).volume == 4 * 30, "one day at least"
        clock.forward(10 * 86_400)
        await busy.propose()
        assert (await of(desk)).volume == pytest.approx(5 * 3)
        clock.forward(25 * 86_400)
        assert (await of(desk)).volume == pytest.approx(1)


@assent.action(consequence="reversible", compare={"memo": "cosmetic"})
async def send(to: str, memo: str) -> str:
    """Send a letter."""
    return f"sent to {to}"


async def test_an_edit_of_what_is_cosmetic_only_says_that_the_proposal_was_right(opened: assent.Desk) -> None:
    script = Script(*(calls(("send", {"to": "ann", "memo": "hi"})) for _ in range(2)))
    opened.agent(tools=[send], policy=assent.Policy((assent.on("send", always("review", "A letter.")),)), propose=script)
    for number, changed in enumerate(({"memo": "Dear Ann"}, {"to": "bob"})):
        await opened.send(f"t{number}", "Write to her.", requester="carol")
        await opened.drain()
        (card,) = await opened.pending("ada", limit=1)
        await opened.decide(card.id, edit(card, **changed), "ada")
        await opened.drain()
    found = await of(opened, "send")
    assert (found.labelled, found.wrong, found.edited) == (2, 1, 1)


async def test_the_policys_ceilings_are_those_of_the_advice(opened: assent.Desk, till: Till) -> None:
    assert [mode_within(level, "reversible", certified=False) for level in Level] == ["in the loop"] * 3 + [
        "on the loop",
        "automatic",
    ]
    assert mode_within(Level.CERTIFIED, "reversible", certified=True) == "automatic"
    assert mode_within(Level.CERTIFIED, "irreversible", certified=False) == "automatic", "and then it needs a certificate"
    assert mode_within(Level.SUPERVISED, "irreversible", certified=True) == "in the loop"
    rules = (assent.on(("pay", "note"), always("gate", "If it is certain.")),)
    busy = Busy(opened, till, assent.Policy(rules, ceilings={"note": Level.SUPERVISED}))
    await busy.propose("note", text="hello")
    await busy.propose()
    assert [(await of(opened, tool)).ceiling for tool in ("note", "pay")] == ["in the loop", "automatic"]


async def test_known_answer_items_say_how_much_reviewers_catch_and_are_no_labels(busy: Busy) -> None:
    for _ in range(3):
        await busy.decide(reject)
    before = await of(busy.desk)
    for number, make in ((1, reject), (2, approve), (3, edit)):
        async with busy.desk.store.begin() as tx:
            (source,) = await reviews.actions_of_thread(tx, f"t{number}")
            assert await probing.ask(tx, source, "known", busy.desk.clock(), expected="wrong") is not None
        (card,) = await busy.desk.pending("bob", limit=1)
        await busy.desk.decide(card.id, make(card, **({"amount": 5} if make is edit else {})), "bob")
    assert ((await of(busy.desk)).known, (await of(busy.desk)).caught) == (2, 2), "the third waits for a lead's word"
    (card,) = await busy.desk.pending("lee", mine=True)
    await busy.desk.decide(card.id, reject(card), "lee")
    found = await of(busy.desk)
    assert (found.known, found.caught) == (3, 2)
    assert (found.labelled, found.wrong, found.volume) == (before.labelled, before.wrong, before.volume)


async def test_answers_about_a_class_in_shadow_are_labels_and_a_tool_that_nobody_offers_is_no_type(opened: assent.Desk) -> None:
    clerk = Clerk(opened)
    await clerk.decided("approve")
    async with opened.store.begin() as tx:  # as a signature would
        fields = {"tenant": "main", "agent": "assent", "tool": "note", "since": opened.clock(), "version": 0}
        assert await autonomy.change(tx, autonomy.AutonomyRow(**fields), level=int(Level.SHADOW))
    await clerk.decided("edit")
    await clerk.decided("approve", who="bob")
    await clerk.decided("respond")
    found = await of(opened, "note")
    assert (found.labelled, found.wrong, found.edited, found.left_out) == (3, 1, 1, 0)
    clerk.script.lines[:] = [calls(("invented", {"a": 1}))]
    await clerk.agent.ainvoke(asks(), on_thread("t9"))
    assert [one.tool for one in await desk_types(opened.store, opened.clock, "vi")] == ["note"]
