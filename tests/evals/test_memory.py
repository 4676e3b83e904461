"""A new signature wipes no evidence against a class: it goes on under the same key, until labels start anew as well."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random

import hypothesis
import pytest
from assent.evals.insights.reading import insight
from assent.evals.ladder.evidence import HEALTH, evidence_of
from assent.evals.ladder.levels import demote, demoted, promote
from assent.evals.ladder.memory import RESERVE, going_on
from assent.evals.ladder.offering import looked_at
from assent.evals.learner import Learner
from assent.evals.watch.monitor import ALARM, carried, monitor_of, observe, observe_earlier, start
from assent.graph.authority import probing
from assent.graph.autonomy.levels import Level
from assent.graph.store import autonomy, probes, reviews, settings
from assent.graph.store.autonomy_models import AutonomyRow, CertificateRow
from earning import START, Past
from fakes import HandClock
from hypothesis import given
from hypothesis import strategies as st

CLASS = ("assent", "note")
alphas = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.3])


@hypothesis.settings(deadline=None, max_examples=50)
@given(st.lists(alphas, min_size=2, max_size=5), st.sampled_from([0.0, 0.1]))
def test_no_change_of_alpha_gains_or_loses_anything_on_average(stream, reserve):
    mean = 0.0
    for outcomes in itertools.product((False, True), repeat=len(stream)):
        monitor, chance = start(stream[0], reserve=reserve), 1.0
        for alpha, wrong in zip(stream, outcomes, strict=True):
            monitor = observe(carried(dataclasses.replace(monitor, alarmed_at=None), alpha), wrong)
            chance *= alpha if wrong else 1 - alpha
        mean += chance * math.exp(monitor.log_evidence)
    assert mean == pytest.approx(1 - reserve)


@given(alphas, alphas, st.booleans())
def test_a_late_audit_counts_for_the_promise_under_which_its_action_passed(before, now, wrong):
    late = observe_earlier(carried(start(before), now), wrong, before)
    assert (late.log_wealth, late.alpha, late.earlier) == (observe(start(before), wrong).log_wealth, now, 1)


def test_alarms_stay_rare_while_alpha_changes_and_the_promise_is_kept():
    source, rang = random.Random(11), 0
    for _ in range(400):
        monitor = start(0.05, reserve=0.1)
        for audit in range(240):
            if audit % 30 == 0:
                monitor = carried(monitor, source.choice([0.02, 0.05, 0.1]))
            monitor = observe(monitor, source.random() < monitor.alpha)
            if monitor.alarmed:
                rang += 1
                break
    assert rang <= 0.05 * 400


def test_a_monitor_that_has_given_the_alarm_is_not_carried_on():
    monitor = start(0.05)
    while not monitor.alarmed:
        monitor = observe(monitor, True)
    with pytest.raises(ValueError, match="alarm"):
        carried(monitor, 0.1)


class Class:
    """One class with its labels, its signatures and its audits."""

    def __init__(self, desk) -> None:
        self.store, self.past, self.clock = desk.store, Past(desk.store), HandClock(START)
        self.learner = Learner(desk.store, self.clock, "main")

    async def healthy(self):
        async with self.store.begin() as tx:
            await settings.put(tx, "main", HEALTH, {"healthy": True, "why": "measured", "at": ""}, self.clock())

    async def signed(self, to=Level.CERTIFIED, labels=0):
        await self.past.write(labels)
        self.clock.now = max(self.clock.now, self.past.now)
        await looked_at(self.store, self.clock, "main", *CLASS)
        found = await evidence_of(self.store, self.clock, "main", *CLASS)
        signed = {"digest": found.digest, "certificate": found.offered, "reason": "It is right."}
        return await promote(self.store, self.clock, *CLASS, to, "lee", **signed)

    async def row(self):
        async with self.store.read() as tx:
            return await autonomy.get(tx, "main", *CLASS)

    async def gathered(self, right, wrong):
        """Have the monitor take in so many audits at once."""
        row = await self.row()
        monitor = monitor_of(row.monitor)
        count = right + wrong
        for place in range(count):
            monitor = observe(monitor, place * wrong // count != (place + 1) * wrong // count)
        async with self.store.begin() as tx:
            await autonomy.watched(tx, await autonomy.locked(tx, "main", *CLASS), monitor.as_json())
        return monitor

    async def audited(self, certificate, wrong=True):
        """Have one action that passed under a certificate audited, and the answer counted."""
        (action,) = await self.past.write(1, None, certificate=certificate)
        self.clock.now = max(self.clock.now, self.past.now)
        async with self.store.begin() as tx:
            review = await probing.ask(tx, await reviews.action(tx, action), "audit", self.clock(), share=0.2)
            how = ("reject", "wrong") if wrong else ("approve", "correct")
            assert await probes.answer(tx, review.id, *how, "ada", self.clock(), 1_000)
        await self.learner.count()

    async def steps(self):
        async with self.store.read() as tx:
            return [(one.by, one.before, one.after) for one in await autonomy.changes(tx, "main", *CLASS)]


@pytest.fixture
def one(opened):
    return Class(opened)


async def test_the_next_level_is_watched_with_what_is_known_and_the_alarm_comes_sooner(one):
    await one.healthy()
    first = (await one.signed(labels=70)).certificate
    before = await one.gathered(40, 7)
    assert 5 < before.evidence < ALARM
    row = await one.signed(Level.MONITORED, labels=100)
    now = monitor_of(row.monitor)
    assert (row.level, now.alpha, now.log_wealth, now.audits, now.earlier) == (3, 0.1, before.log_wealth, 47, 47)
    found = await evidence_of(one.store, one.clock, "main", *CLASS)
    assert any("0 audits, 47 more under earlier certificates" in lack for lack in found.missing), (
        "the next step needs audits of its own"
    )
    assert found.body["monitor"]["evidence"] == pytest.approx(before.evidence, abs=1e-6)
    alone, needed = start(0.1, reserve=0.1), 0
    while not alone.alarmed:
        alone, needed = observe(alone, True), needed + 1
    await one.audited(first, wrong=False)
    late = monitor_of((await one.row()).monitor)
    assert late.log_wealth == observe(before, False).log_wealth, "an audit of the former certificate speaks about its promise"
    shown = (await insight(one.store, one.clock, "vi", *CLASS)).watch
    assert (shown.audits, shown.evidence) == (48, late.evidence)
    count = 0
    while (await one.row()).level == Level.MONITORED:
        await one.audited(row.certificate)
        count += 1
    assert count < needed and (await one.steps())[0] == ("monitor", 3, 2)
    assert (await one.row()).monitor is None, "after an alarm only younger actions certify, and the monitor starts anew"


async def test_a_person_who_takes_a_class_down_and_signs_again_wipes_nothing(one):
    first = (await one.signed(labels=70)).certificate
    before = await one.gathered(40, 7)
    await demote(one.store, one.clock, *CLASS, Level.SUPERVISED, "lee", reason="A try.")
    await one.audited(first, wrong=False)
    kept = monitor_of((await one.row()).monitor)
    assert kept.log_wealth == observe(before, False).log_wealth, "what had passed before is still counted"
    assert monitor_of((await one.signed(labels=160)).monitor).log_wealth == kept.log_wealth


async def test_a_calm_hides_no_change_after_the_next_signature(one):
    await one.healthy()
    await one.signed(labels=70)
    before = await one.gathered(60, 0)
    assert before.evidence < 0.5
    assert monitor_of((await one.signed(Level.MONITORED, labels=100)).monitor) == start(0.1, reserve=0.1)


def test_each_signature_adds_at_most_what_a_new_monitor_stakes():
    """Over every course of audits, so that m signatures ring falsely with a chance of at most m / 20."""
    signed = CertificateRow(id="c", tenant="main", agent="a", tool="t", key="k", level=2, alpha=0.3, delta=0.1)
    class_row = AutonomyRow(tenant="main", agent="a", tool="t", key="k")
    mean, signatures, audits = 0.0, 3, 3
    for outcomes in itertools.product((False, True), repeat=signatures * audits):
        row, chance = class_row, 1.0
        for place, wrong in enumerate(outcomes):
            monitor = going_on(row, signed) if place % audits == 0 else monitor_of(row.monitor)
            row = AutonomyRow(**{**class_row.model_dump(), "monitor": observe(monitor, wrong).as_json()})
            chance *= 0.3 if wrong else 0.7
        mean += chance * monitor_of(row.monitor).evidence
    assert 1 - RESERVE < mean <= signatures * (1 - RESERVE)


async def test_an_alarm_about_what_had_passed_comes_after_a_person_was_faster(one):
    first = (await one.signed(labels=70)).certificate
    await demote(one.store, one.clock, *CLASS, Level.SHADOW, "lee", reason="A try.")
    for _ in range(3):
        await one.audited(first)
    assert await one.steps() == [("monitor", 0, 0), ("lee", 2, 0), ("lee", 1, 2)], "it raises nothing, and labels start anew"
    assert (await one.row()).monitor is None


@pytest.mark.parametrize(("by", "kept"), [("key", True), ("monitor", False), ("critical", False), ("reviewers", False)])
async def test_memory_ends_where_labels_start_anew(one, by, kept):
    await one.signed(labels=70)
    before = await one.gathered(40, 7)
    async with one.store.begin() as tx:
        assert await demoted(tx, await autonomy.locked(tx, "main", *CLASS), by, "So it is.", one.clock())
    row = await one.row()
    assert (row.monitor is not None) == kept
    one.clock.forward(9 * 86_400)
    one.past.number += 20_000
    again = monitor_of((await one.signed(labels=130)).monitor)
    assert again == (carried(before, 0.05) if kept else start(0.05, reserve=0.1))


async def test_another_key_has_a_monitor_of_its_own(one):
    await one.signed(labels=70)
    await one.gathered(40, 7)
    async with one.store.begin() as tx:
        row = await autonomy.locked(tx, "main", *CLASS)
        assert await autonomy.change(tx, row, key="of another model")
        assert await demoted(tx, await autonomy.locked(tx, "main", *CLASS), "key", "It changed.", one.clock())
    assert monitor_of((await one.signed(labels=160)).monitor) == start(0.05, reserve=0.1)


async def test_what_was_signed_on_certifies_no_next_step(one):
    await one.healthy()
    await one.signed(labels=130)
    assert await looked_at(one.store, one.clock, "main", *CLASS) == 0, "nothing was proposed since, and the old rows had their say"


async def test_what_a_person_took_down_begins_with_new_rows(one):
    row = await one.signed(labels=130)
    await one.past.write(150, "approve", basis="certificate", share=0.2, draw=0.1, certificate=row.certificate, level=2)
    one.clock.now = max(one.clock.now, one.past.now)
    await demote(one.store, one.clock, *CLASS, Level.SUPERVISED, "lee", reason="A feeling.")
    one.clock.forward(60)
    await looked_at(one.store, one.clock, "main", *CLASS)
    assert (await evidence_of(one.store, one.clock, "main", *CLASS)).offered == ""
