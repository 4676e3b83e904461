"""Nothing passes unwatched: not without a learner, not while audits are unanswered or uncounted; and it resumes by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import assent
import pytest
from assent.evals.insights.reading import insight, overview
from assent.evals.ladder.evidence import evidence_of
from assent.evals.ladder.levels import demote
from assent.evals.ladder.overview import standing
from assent.evals.learner import Learner
from assent.evals.watch import counting
from assent.evals.watch.monitor import start
from assent.evals.watch.renewing import PATIENCE, UNTOLD
from assent.graph.authority import earning, reviewing
from assent.graph.autonomy.levels import Level
from assent.graph.autonomy.scoring import AGREEMENT
from assent.graph.opening import open_desk
from assent.graph.store import autonomy, events, reviews
from assent.graph.store.autonomy_models import AutonomyRow
from earning import Clerk, as_signed
from fakes import HandClock, approve, staff

CLASS = ("assent", "note")
DAY = 86_400.0


class Signed:
    """A class as a lead signs it up, where all that passes is audited; no learner runs but the one that a test gives a turn."""

    def __init__(self, desk, clock) -> None:
        self.desk, self.store, self.clock, self.clerk = desk, desk.store, clock, Clerk(desk)
        self.learner = Learner(desk.store, clock, "main")

    async def begun(self):
        await staff(self.desk)
        first = await self.clerk.decided("reject", 0.1)
        key = (await self.clerk.row(first)).provenance["earned"]["key"]
        values = {
            "level": 2,
            "key": key,
            "head": AGREEMENT.as_json(),
            "threshold": 0.8,
            "share": 1.0,
            "seed": "s",
        }
        passing = {name: values[name] for name in ("key", "head", "threshold")}
        values |= {"monitor": start(0.05).as_json(), "watched_until": self.clock() + PATIENCE}
        row = AutonomyRow(tenant="main", agent="assent", tool="note", since=self.clock(), version=0)
        async with self.store.begin() as tx:
            assert await autonomy.change(tx, row, **values, certificate=await as_signed(tx, *CLASS, **passing))
        return self

    async def set(self, **values):
        async with self.store.begin() as tx:
            assert await autonomy.change(tx, await autonomy.locked(tx, "main", *CLASS), **values)

    async def row(self):
        async with self.store.read() as tx:
            return await autonomy.get(tx, "main", *CLASS)

    async def passes(self):
        """Propose something sure; returns what the gate said of it, and why."""
        row = await self.clerk.row(await self.clerk.proposes(1.0))
        return row.verdict == "allow", str(row.reasons)

    async def answers(self):
        for card in await self.desk.pending("ada"):
            await self.desk.decide(card.id, approve(card), "ada")

    async def told(self):
        async with self.store.read() as tx:
            found = await events.of_subject(tx, "main", earning.class_id(*CLASS))
        return [row.kind for row in found if row.kind in ("autonomy.unwatched", "autonomy.watched")]


@pytest.fixture
async def signed(url):
    clock = HandClock()
    async with open_desk(url, clock=clock) as desk:
        yield await Signed(desk, clock).begun()


@pytest.fixture
async def signed_on_any(any_url):
    clock = HandClock()
    async with open_desk(any_url, clock=clock) as desk:
        yield await Signed(desk, clock).begun()


async def test_a_class_that_nobody_watches_passes_for_an_hour_and_then_not_until_a_learner_has_looked(signed):
    assert (await signed.passes())[0]
    signed.clock.forward(PATIENCE.total_seconds() - 1)
    assert (await signed.passes())[0]
    signed.clock.forward(1)
    passed, why = await signed.passes()
    assert not passed and "Nobody watches this class since" in why and "audit" not in why and "worker with the learner" in why
    before = await signed.row()
    await signed.learner.learn()
    row = await signed.row()
    assert (await signed.passes())[0] and row.watched_until == signed.clock() + PATIENCE
    assert (row.level, row.certificate, row.version, row.since) == (before.level, before.certificate, before.version, before.since)
    assert await signed.told() == ["autonomy.watched"], "the gap is on record, once"


async def test_while_a_learner_looks_it_writes_twice_an_hour_and_no_record(signed):
    seen = set()
    for _ in range(18):
        signed.clock.forward(600)
        await signed.learner.learn()
        seen.add((await signed.row()).watched_until)
    assert (await signed.passes())[0] and len(seen) <= 7 and await signed.told() == []


async def test_audits_that_nobody_answers_end_it_and_their_answers_resume_it_each_told_once(signed_on_any):
    signed = signed_on_any
    assert [(await signed.passes())[0] for _ in range(2)] == [True, True]
    signed.clock.forward(3 * DAY - 1)
    await signed.learner.learn()
    assert (await signed.passes())[0], "for three days they may wait"
    signed.clock.forward(1)
    digest = (await evidence_of(signed.store, signed.clock, "main", *CLASS)).digest
    for _ in range(3):
        await signed.learner.learn()
    assert not (await signed.passes())[0] and (await signed.row()).watched_until is None
    assert (await evidence_of(signed.store, signed.clock, "main", *CLASS)).digest == digest, "no signature depends on it"
    shown = (await standing(signed.store, signed.clock, "lee", *CLASS)).unwatched
    assert shown.startswith("Passes nothing: 2 audits unanswered, the oldest since ")
    (line,) = await overview(signed.store, signed.clock, "lee")
    assert line.unwatched == shown == (await insight(signed.store, signed.clock, "lee", *CLASS)).unwatched
    assert (await standing(signed.store, signed.clock, "ada", *CLASS)).unwatched == UNTOLD, (
        "an operator would know the audits by it"
    )
    await signed.answers()
    await signed.learner.learn()
    assert not (await signed.passes())[0], "what is answered and not counted tells the monitor nothing"
    await signed.learner.count()
    for _ in range(3):
        await signed.learner.learn()
    assert (await signed.passes())[0] and await signed.told() == ["autonomy.watched", "autonomy.unwatched", "autonomy.watched"]
    assert (await standing(signed.store, signed.clock, "vi", *CLASS)).unwatched == ""


async def test_leads_are_told_once_that_audits_are_unanswered(url):
    clock, sent = HandClock(), []

    async def notifier(notice):
        sent.append(notice)

    async with open_desk(url, clock=clock, notifier=notifier, learning=lambda *how: Learner(*how)) as desk:
        signed = await Signed(desk, clock).begun()
        await signed.passes()
        clock.forward(3 * DAY)
        for _ in range(3):
            await desk.drain()
    (told,) = [one for one in sent if one.kind == "unwatched"]
    assert "1 audit unanswered" in told.text and told.body["to"] == "role:lead" and told.body["unanswered"] == 1


async def test_a_lead_says_how_long_audits_may_wait_and_a_cancelled_one_waits_for_nobody(signed):
    await reviewing.change(signed.store, signed.clock, "lee", {"audits_due": 1})
    with pytest.raises(assent.AssentError, match="audits_due is from 1 to 30"):
        await reviewing.change(signed.store, signed.clock, "lee", {"audits_due": 0})
    await signed.passes()
    signed.clock.forward(DAY)
    await signed.learner.learn()
    assert not (await signed.passes())[0]
    for card in await signed.desk.pending("ada"):
        async with signed.store.begin() as tx:
            row = await reviews.by_id(tx, card.id, lock=True)
            assert await reviews.close(tx, row, "cancelled", "its case was erased", signed.clock())
    await signed.learner.learn()
    assert (await signed.passes())[0]


async def test_a_class_that_cannot_be_counted_is_not_renewed_and_keeps_no_other_from_it(signed, monkeypatch):
    await signed.passes()
    await signed.answers()

    async def broken(*_):
        raise RuntimeError("a row that nobody can read")

    with monkeypatch.context() as patched:
        patched.setattr(counting, "_critical", broken)
        for _ in range(3):
            signed.clock.forward(PATIENCE.total_seconds() / 2)
            await signed.learner.count()
            await signed.learner.learn()
        assert not (await signed.passes())[0]
    await signed.learner.count()
    await signed.learner.learn()
    assert (await signed.passes())[0]


async def test_a_renewal_neither_undoes_a_demotion_nor_makes_one_fail(any_url):
    clock = HandClock()
    async with open_desk(any_url, clock=clock) as desk, open_desk(any_url, clock=clock) as other:
        signed = await Signed(desk, clock).begun()
        for _ in range(3):
            clock.forward(PATIENCE.total_seconds())
            elsewhere = Learner(other.store, clock, "main")
            down = demote(desk.store, clock, *CLASS, Level.SUPERVISED, "lee", reason="Enough.")
            await asyncio.gather(elsewhere.learn(), down, signed.learner.learn())
            row = await signed.row()
            assert (row.level, row.watched_until, row.threshold) == (Level.SUPERVISED, None, None)
            await signed.set(level=2, threshold=0.5, share=1.0, seed="s", certificate="c", watched_until=clock() + PATIENCE)


async def test_what_was_read_before_a_demotion_renews_nothing(signed):
    seen = await signed.row()
    await demote(signed.store, signed.clock, *CLASS, Level.SUPERVISED, "lee", reason="Enough.")
    async with signed.store.begin() as tx:
        assert not await autonomy.watch(tx, seen, signed.clock() + timedelta(days=1))
    assert (await signed.row()).watched_until is None


async def test_a_class_that_is_not_what_was_signed_is_suspended_at_the_next_action_and_everybody_is_told_once(signed):
    assert (await signed.passes())[0]
    await signed.set(threshold=0.1)
    assert [(await signed.passes())[0] for _ in range(2)] == [False, False]
    before = (await signed.row()).watched_until
    signed.clock.forward(PATIENCE.total_seconds() - 1)
    await signed.learner.learn()
    found = await standing(signed.store, signed.clock, "lee", *CLASS)
    assert found.suspended == earning.UNSIGNED and found.evidence.to == Level.CERTIFIED, "a lead can sign for the same level again"
    assert (await signed.row()).watched_until == before, "no learner renews it"
    async with signed.store.read() as tx:
        told = [one.kind for one in await events.of_subject(tx, "main", earning.class_id(*CLASS))]
    assert told == ["autonomy.suspended"]


async def test_a_class_that_was_signed_before_there_was_a_watch_passes_from_the_first_look_on(signed):
    await signed.set(watched_until=None)
    assert not (await signed.passes())[0]
    await signed.learner.learn()
    assert (await signed.passes())[0]
