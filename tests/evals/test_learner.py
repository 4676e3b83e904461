"""What learns beside a desk: each audit is counted once, what speaks against a promise takes it back, labels become offers."""

from __future__ import annotations

import asyncio
import builtins
import dataclasses
import logging
from datetime import timedelta

import assent
import pytest
from assent.evals.certify import certifying
from assent.evals.certify.certifying import DELTA, GROWTH, promised, spent, tried
from assent.evals.certify.labels import labels_of
from assent.evals.ladder.levels import demoted
from assent.evals.ladder.offering import could_pass_before, looked_at, row_of
from assent.evals.learner import Learner
from assent.evals.watch.monitor import monitor_of, observe, start
from assent.evals.watch.renewing import PATIENCE
from assent.graph.authority import probing
from assent.graph.autonomy.levels import Level
from assent.graph.store import autonomy, probes, reviews
from assent.graph.store.autonomy_models import AutonomyRow
from earning import KEY, START, Past, decision_of
from fakes import HandClock, staff

HEAD = {"version": 1, "terms": [], "bias": 0.0, "raw": "agreement"}


class Watched:
    """A class that lets things pass, and audits of it that were answered."""

    def __init__(self, desk, tool="note", consequence="reversible") -> None:
        self.desk, self.store, self.clock, self.consequence = desk, desk.store, HandClock(START + timedelta(days=7)), consequence
        self.key = dataclasses.replace(KEY, tool=tool)
        self.past = Past(desk.store, self.key)

    async def signed(self, level=Level.CERTIFIED, alpha=0.05, **more):
        values = {"certificate": "c", "key": self.key.digest(), "head": HEAD, "threshold": 0.9, "share": 0.2, "seed": "seed"}
        values |= {"level": int(level), "monitor": start(alpha).as_json(), "watched_until": self.clock() + PATIENCE, **more}
        row = AutonomyRow(tenant="main", agent="assent", tool=self.key.tool, since=self.clock(), version=0)
        async with self.store.begin() as tx:
            assert await autonomy.change(tx, row, **values)

    async def audited(self, outcome="correct", *, certificate="c", kind="audit", reason="", decision=""):
        """Write an action that passed, its audit, and the answer to it."""
        (action,) = await self.past.write(1, None, consequence=self.consequence, certificate=certificate)
        async with self.store.begin() as tx:
            review = await probing.ask(tx, await reviews.action(tx, action), kind, self.clock(), share=0.2)
            said = decision or {"correct": "approve", "wrong": "reject", "left out": "respond"}[outcome]
            row = decision_of(review, said, self.clock())
            row.reason = reason
            assert await reviews.add_decision(tx, row)
            self.clock.now = max(self.clock.now, self.past.now) + timedelta(seconds=1)
            assert await probes.answer(tx, review.id, said, outcome, "ada", self.clock(), 1_000)

    async def row(self):
        async with self.store.read() as tx:
            return await autonomy.get(tx, "main", "assent", self.key.tool)

    async def steps(self):
        async with self.store.read() as tx:
            return [(one.by, one.before, one.after) for one in await autonomy.changes(tx, "main", "assent", self.key.tool)]

    def learner(self, **how):
        return Learner(self.store, self.clock, "main", **how)


@pytest.fixture
def watched(opened_on_any):
    return Watched(opened_on_any)


async def test_each_answer_is_counted_once_however_many_processes_count(watched, any_url):
    await watched.signed()
    outcomes = ["correct"] * 9 + ["wrong"] + ["correct"] * 10
    for outcome in outcomes:
        await watched.audited(outcome)
    async with assent.open(any_url) as other:
        learners = [watched.learner(), watched.learner(), Learner(other.store, watched.clock, "main")]
        assert sum(await asyncio.gather(*(one.count() for one in learners))) == len(outcomes)
        assert await asyncio.gather(*(one.count() for one in learners)) == [0, 0, 0]
    expected = start(0.05)
    for outcome in outcomes:
        expected = observe(expected, outcome == "wrong")
    assert monitor_of((await watched.row()).monitor) == expected, "in the order of the answers, nothing twice"
    assert await watched.steps() == []


async def test_only_audits_of_the_certificate_in_force_speak_about_it(opened):
    watched = Watched(opened)
    await watched.signed()
    await watched.audited("wrong", certificate="an older one")
    await watched.audited("left out")
    await watched.audited("wrong", kind="second")
    await watched.audited("wrong", kind="known")
    assert await watched.learner().count() == 4
    assert monitor_of((await watched.row()).monitor) == start(0.05)


async def test_an_alarm_takes_the_class_down_in_the_transaction_that_counts(watched):
    await watched.signed(Level.MONITORED)
    for _ in range(2):
        await watched.audited("wrong")
    assert await watched.learner().count() == 2
    row = await watched.row()
    assert (row.level, row.threshold, row.seed, row.certificate) == (2, None, "", "") and "2 of 2" in row.suspended
    assert await watched.steps() == [("monitor", 3, 2)]
    await watched.audited("wrong")
    assert await watched.learner().count() == 1
    assert await watched.steps() == [("monitor", 3, 2)], "audits of what has ended take nothing down again"


@pytest.mark.parametrize(
    ("consequence", "reason", "decision", "demoted"),
    [
        ("costly", "suspicious", "reject", True),
        ("irreversible", "not_allowed", "reject", True),
        ("costly", "wrong_details", "reject", False),
        ("reversible", "suspicious", "reject", False),
        ("costly", "suspicious", "edit", False),
    ],
)
async def test_one_critical_error_is_enough(opened, consequence, reason, decision, demoted):
    watched = Watched(opened, "pay", consequence)
    await watched.signed()
    await watched.audited("correct")
    await watched.audited("wrong", reason=reason, decision=decision)
    await watched.learner().count()
    assert await watched.steps() == ([("critical", 2, 1)] if demoted else [])


async def test_a_monitor_that_cannot_be_read_watches_nothing_so_nothing_passes(opened):
    watched = Watched(opened)
    await watched.signed(monitor={"version": 9})
    await watched.audited("correct")
    await watched.learner().count()
    assert await watched.steps() == [("monitor", 2, 1)]


async def test_learning_offers_when_enough_came_in_and_then_waits(opened):
    watched = Watched(opened)
    learner = watched.learner()
    assert await learner.learn() == 0
    await watched.past.write(24)
    assert await learner.learn() == 0
    await watched.past.write(60)
    assert [await learner.learn() for _ in range(2)] == [1, 0]
    async with watched.store.read() as tx:
        (offer,) = await autonomy.certificates(tx, "main", "assent", "note")
    assert (offer.status, offer.level, offer.n, offer.k, offer.threshold) == ("offered", 2, 84, 0, 0.5)
    assert offer.delta == spent(DELTA, 1) and offer.report["try"] == 1
    await watched.past.write(30)
    assert await learner.learn() == 0, "a try is worth its delta only when rows have grown by half"
    await watched.past.write(12)
    watched.clock.forward(timedelta(minutes=11).total_seconds())
    assert [await watched.learner().learn(), await learner.learn()] == [0, 2], "after a pause a few new ones are enough"
    async with watched.store.read() as tx:
        newest, older = await autonomy.certificates(tx, "main", "assent", "note")
    assert (newest.status, newest.delta, older.status) == ("offered", spent(DELTA, 2), "replaced")


async def test_a_later_try_that_does_not_hold_takes_the_offer_away(opened):
    watched = Watched(opened)
    await watched.past.write(60)
    assert await looked_at(watched.store, watched.clock, "main", "assent", "note") == 1
    await watched.past.write(60, "reject")
    watched.clock.forward(1)
    assert await looked_at(watched.store, watched.clock, "main", "assent", "note") == 2
    async with watched.store.read() as tx:
        assert [one.status for one in await autonomy.certificates(tx, "main", "assent", "note")] == ["none", "void"]


async def test_after_an_alarm_only_younger_actions_certify(opened):
    watched = Watched(opened)
    await watched.past.write(70)
    await watched.signed()
    for _ in range(2):
        await watched.audited("wrong")
    await watched.learner().count()
    assert await watched.steps() == [("monitor", 2, 1)]
    assert await looked_at(watched.store, watched.clock, "main", "assent", "note") == 0
    watched.past.number = 20_000
    watched.clock.forward(30 * 86_400)
    await watched.past.write(58)
    assert await looked_at(watched.store, watched.clock, "main", "assent", "note") == 0
    await watched.past.write(5)
    assert await looked_at(watched.store, watched.clock, "main", "assent", "note") == 1


async def test_labels_of_reviewers_who_could_not_be_relied_on_certify_no_more(opened):
    watched = Watched(opened)
    await watched.past.write(70)
    await watched.signed()
    async with watched.store.begin() as tx:
        row = await autonomy.locked(tx, "main", "assent", "note")
        assert await demoted(tx, row, "reviewers", "They let too much through.", watched.clock())
    assert await looked_at(watched.store, watched.clock, "main", "assent", "note") == 0


async def test_two_learners_at_once_make_one_offer(watched, any_url):
    await watched.past.write(70)
    async with assent.open(any_url) as other:
        found = await asyncio.gather(*(Learner(store, watched.clock, "main").learn() for store in (watched.store, other.store) * 2))
    async with watched.store.read() as tx:
        assert len(await autonomy.certificates(tx, "main", "assent", "note")) == sum(found) == 1


async def test_without_the_extra_a_desk_says_so_once_and_works_on(url, monkeypatch, caplog):
    imported = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] in ("scipy", "sklearn"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return imported(name, *rest, **more)

    async with assent.open(url) as desk:
        await staff(desk)
        await Past(desk.store).write(70)
        monkeypatch.setattr(builtins, "__import__", without)
        with caplog.at_level(logging.WARNING, "assent"):
            for _ in range(2):
                await desk.drain()
        told = [one.message for one in caplog.records if "pip install 'assent[calibrate]'" in one.message]
        assert len(told) == 1
        async with desk.store.read() as tx:
            assert await autonomy.certificates(tx, "main", "assent", "note") == []


async def labels(desk):
    return await labels_of(desk.store, "main", "assent", "note", desk.clock())


async def test_tries_share_delta_and_wait_for_rows_and_not_for_labels(opened):
    past = Past(opened.store)
    await past.write(58)
    assert tried(await labels(opened), Level.CERTIFIED, 1, 0) is None
    await past.write(1)
    assert tried(await labels(opened), Level.CERTIFIED, 1, 0).certified.threshold == 0.5
    assert tried(await labels(opened), Level.CERTIFIED, 2, 0) is None, "the second try may spend less, so it needs more rows"
    await past.write(30, "reject", sure=0.2)
    now = await labels(opened)
    assert tried(now, Level.CERTIFIED, 1, 0).certified.n == 59 and tried(now, Level.CERTIFIED, 1, 40) is None
    assert tried(now, Level.CERTIFIED, 1, int(59 / GROWTH)) is not None
    assert sum(spent(DELTA, number) for number in range(1, 10_000)) <= DELTA
    assert promised(Level.CERTIFIED, "costly") == 0.01 and promised(Level.CERTIFIED, "reversible") == 0.05
    assert promised(Level.MONITORED, "reversible") == 0.10


async def test_many_labels_fit_a_head_on_half_of_the_cases_and_certify_on_the_other(opened, monkeypatch):
    past, seen = Past(opened.store), {}
    for number in range(70):
        await past.write(6, "approve", sure=0.7 + (number % 7) * 0.04)
        await past.write(2, "reject", sure=0.1 + (number % 7) * 0.08)
    fitted = certifying.fit_head

    def watched(rows, correct, **how):
        seen["groups"] = set(how["groups"])
        return fitted(rows, correct, **how)

    monkeypatch.setattr(certifying, "fit_head", watched)
    now = await labels(opened)
    found = certifying.prepared(now)
    assert not found.head.raw and not seen["groups"] & {row.group for row in found.rows}
    assert len(found.rows) + len(seen["groups"]) == 560 and found.fitted_on == len(seen["groups"])
    result = tried(now, Level.CERTIFIED, 1, 0)
    assert result.certified.threshold is not None and result.certified.bound <= 0.05
    assert result.report["head"] == "fitted" and result.report["auroc"] > 0.95 and result.report["queue_error"] > 0.5


async def test_older_rows_of_full_review_do_not_outvote_the_audits_since(opened):
    past = Past(opened.store)
    await past.write(300)
    passing = {"level": 2, "basis": "certificate", "share": 0.2, "draw": 0.1}
    await past.write(45, "reject", **passing)
    await past.write(41, **passing)
    assert tried(await labels(opened), Level.MONITORED, 1, 0) is None, "above certified three times 29 rows are waited for"
    await past.write(1, **passing)
    now = await labels(opened)
    assert now.share == 0.2 and len(now.rows) == 387
    found = tried(now, Level.MONITORED, 1, 0)
    assert (found.certified.rows, found.certified.threshold) == (87, None), "half of what is decided now is wrong"
    assert found.report["fitted_on"] == 300 and found.report["since"] == now.rows[86].at.isoformat()
    try_on_older = row_of("main", now, found, now.rows[87].at)
    assert could_pass_before([try_on_older], now) == 0, "rows have to grow by half since the signature, not since ever"
    assert could_pass_before([row_of("main", now, found, now.rows[0].at), try_on_older], now) == 87


async def test_older_rows_fit_the_head_and_all_rows_since_certify(opened):
    past = Past(opened.store)
    for number in range(40):
        await past.write(4, "approve", sure=0.7 + (number % 7) * 0.04)
        await past.write(1, "reject", sure=0.1 + (number % 7) * 0.08)
    older = 200
    await past.write(1, "approve", sure=0.9, thread=f"past-assent-note-{older}", level=2, basis="certificate", share=0.2, draw=0.1)
    for number in range(50):
        await past.write(1, sure=0.8, level=2, basis="certificate", share=0.2, draw=0.15 + 0.1 * (number % 2))
    part = certifying.parted(await labels(opened))
    assert not {row.group for row in part.fit} & {row.group for row in part.certify}
    assert all(row.draw < 0.2 for row in part.certify) and len(part.certify) == 26
    assert len(part.fit) == 199 + 25, "but not what belongs to a conversation that certifies"


async def test_what_could_not_be_read_never_passes_so_it_certifies_nothing(opened):
    past = Past(opened.store)
    await past.write(70, sure=None)
    assert tried(await labels(opened), Level.CERTIFIED, 1, 0) is None
