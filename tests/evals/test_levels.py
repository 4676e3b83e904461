"""The ladder: up with a signature on exactly what was shown, down by itself or by a person, and every step on record."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa
from assent.evals.ladder.evidence import HEALTH, evidence_of
from assent.evals.ladder.levels import StaleEvidence, demote, promote, seed_digest
from assent.evals.ladder.offering import looked_at
from assent.evals.watch.lowering import watched_over
from assent.evals.watch.monitor import observe, start
from assent.evals.watch.renewing import PATIENCE
from assent.graph.authority import earning, probing
from assent.graph.autonomy.earned import VOID
from assent.graph.autonomy.levels import SHARES, Level
from assent.graph.autonomy.scoring import Head, Term, head_of
from assent.graph.errors import NotAllowed
from assent.graph.store import autonomy, events, reviews, settings
from assent.graph.store.autonomy_models import CertificateRow
from earning import KEY, START, Past
from fakes import HandClock

CLASS = ("assent", "note")


class Ladder:
    """The doors for one class, as a lead uses them."""

    def __init__(self, desk) -> None:
        self.desk, self.store, self.clock, self.past = desk, desk.store, HandClock(), Past(desk.store)

    async def evidence(self):
        return await evidence_of(self.store, self.clock, "main", *CLASS)

    async def offered(self, count=70, **how):
        self.past.number = max(self.past.number, int((self.clock() - START).total_seconds() // 60))
        await self.past.write(count, **how)
        self.clock.now = max(self.clock.now, self.past.now)
        await looked_at(self.store, self.clock, "main", *CLASS)
        return await self.evidence()

    async def promoted(self, to=Level.CERTIFIED, who="lee", **how):
        found = await self.evidence()
        signed = {"certificate": found.offered, "digest": found.digest, "reason": "It is right.", **how}
        return await promote(self.store, self.clock, *CLASS, to, who, **signed)

    async def demoted(self, to=Level.SUPERVISED, who="lee", reason="It feels wrong."):
        return await demote(self.store, self.clock, *CLASS, to, who, reason=reason)

    async def row(self):
        async with self.store.read() as tx:
            return await autonomy.get(tx, "main", *CLASS)

    async def changed(self, **values):
        async with self.store.begin() as tx:
            assert await autonomy.change(tx, await autonomy.locked(tx, "main", *CLASS), **values)

    async def certificates(self):
        async with self.store.read() as tx:
            return await autonomy.certificates(tx, "main", *CLASS)

    async def steps(self):
        async with self.store.read() as tx:
            return await autonomy.changes(tx, "main", *CLASS)

    async def events(self, kind):
        async with self.store.read() as tx:
            return [row for row in await events.of_subject(tx, "main", earning.class_id(*CLASS)) if row.kind == kind]

    async def healthy(self, healthy=True, **more):
        async with self.store.begin() as tx:
            await settings.put(tx, "main", HEALTH, {"healthy": healthy, "why": "measured", "at": "", **more}, self.clock())

    async def audited(self, count, wrong=0):
        known = (await self.row()).monitor
        monitor = start(known["alpha"], reserve=known["reserve"])
        for number in range(count):
            monitor = observe(monitor, number < wrong)
        async with self.store.begin() as tx:
            await autonomy.watched(tx, await autonomy.locked(tx, "main", *CLASS), monitor.as_json())


@pytest.fixture
def ladder(opened):
    return Ladder(opened)


@pytest.fixture
def ladder_on_any(opened_on_any):
    return Ladder(opened_on_any)


async def test_a_signature_lets_a_class_pass_under_the_certificate_that_was_shown(ladder_on_any):
    ladder = ladder_on_any
    found = await ladder.offered()
    assert found.missing == () and found.body["certificate"]["id"] == found.offered
    row = await ladder.promoted()
    (signed,) = await ladder.certificates()
    assert (row.level, row.key, row.certificate, row.share, row.suspended) == (
        2,
        KEY.digest(),
        signed.id,
        SHARES[Level.CERTIFIED],
        "",
    )
    assert row.watched_until == ladder.clock() + PATIENCE, "it passes from now on, as long as somebody watches"
    assert (row.threshold, row.head, signed.status, len(row.seed)) == (signed.threshold, signed.head, "signed", 64)
    (step,), (event,) = await ladder.steps(), await ladder.events("autonomy.promoted")
    assert (step.before, step.after, step.by, step.evidence) == (1, 2, "lee", found.body)
    assert event.body["evidence"] == found.body and event.body["digest"] == found.digest
    assert event.body["evidence"]["head"] == {"weights": row.head, "told": "agreement as it is"}, "the log alone says what scores"
    assert event.body["seed_digest"] == seed_digest(row.seed) and row.seed not in str(event.body)


@pytest.mark.parametrize("who", ["vi", "ada", "nobody"])
async def test_below_lead_nobody_moves_a_class(ladder, who):
    await ladder.offered()
    with pytest.raises(NotAllowed):
        await ladder.promoted(who=who)
    with pytest.raises(NotAllowed):
        await ladder.demoted(Level.SHADOW, who=who)
    assert await ladder.row() is None and await ladder.steps() == []


async def test_a_signature_answers_no_audits(ladder):
    (action,) = await ladder.past.write(1)
    async with ladder.store.begin() as tx:
        ladder.clock.now = ladder.past.now
        await probing.ask(tx, await reviews.action(tx, action), "audit", ladder.clock())
    ladder.clock.forward(3 * 86_400)
    await ladder.offered()
    assert (await ladder.promoted()).watched_until == ladder.clock(), "nothing passes before they are answered"


async def test_evidence_that_changed_since_it_was_shown_is_not_signed(ladder):
    shown = await ladder.offered()
    await ladder.healthy()
    with pytest.raises(StaleEvidence, match="reviewers") as refused:
        await ladder.promoted(digest=shown.digest, shown=shown.body)
    assert refused.value.evidence.digest == (await ladder.evidence()).digest and await ladder.row() is None
    with pytest.raises(StaleEvidence):
        await ladder.promoted(certificate="cert_other")
    assert (await ladder.promoted()).level == Level.CERTIFIED


async def test_another_head_is_other_evidence(ladder):
    shown = await ladder.offered()
    fitted = Head((Term("agreement", 1.25, 0.8, 0.1, -0.5), Term("tool:note", -0.125)), 2.0).as_json()
    async with ladder.store.begin() as tx:
        await tx.exec(sa.update(CertificateRow).where(CertificateRow.id == shown.offered).values(head=fitted))
    with pytest.raises(StaleEvidence, match="Changed: head"):
        await ladder.promoted(digest=shown.digest, shown=shown.body)
    now = await ladder.evidence()
    assert now.body["head"]["told"].startswith("agreement +1.25 (missing -0.50), tool:note -0.12, bias +2.00")
    assert head_of(now.body["head"]["weights"]) == head_of(fitted)


async def test_one_step_at_a_time_and_never_without_a_certificate(ladder):
    await ladder.past.write(30)
    await looked_at(ladder.store, ladder.clock, "main", *CLASS)
    with pytest.raises(NotAllowed, match="No certificate is on offer"):
        await ladder.promoted()
    await ladder.offered(40)
    for to in (Level.SHADOW, Level.SUPERVISED, Level.MONITORED, Level.SAMPLED):
        with pytest.raises(NotAllowed, match="next step is certified"):
            await ladder.promoted(to)
    await ladder.promoted()
    with pytest.raises(NotAllowed, match="next step is monitored"):
        await ladder.promoted()


async def test_labels_of_another_key_promise_nothing(ladder):
    await ladder.offered()
    other = Past(ladder.store, dataclasses.replace(KEY, model="newer"))
    other.number = ladder.past.number + 1
    await other.write(1)
    found = await ladder.evidence()
    assert any("changed: the model" in one for one in found.missing)
    with pytest.raises(NotAllowed, match="another key"):
        await ladder.promoted()
    await looked_at(ladder.store, ladder.clock, "main", *CLASS)
    assert [one.status for one in await ladder.certificates()] == ["void"]


async def test_nothing_is_signed_under_a_key_that_no_other_model_would_change(ladder):
    ladder.past = Past(ladder.store, dataclasses.replace(KEY, model=""))
    found = await ladder.offered()
    assert found.offered and any("model_name" in told for told in found.missing)
    with pytest.raises(NotAllowed, match="model_name"):
        await ladder.promoted()


async def test_a_certificate_that_nobody_signed_for_a_month_is_not_signed_any_more(ladder):
    await ladder.offered()
    ladder.clock.forward(31 * 86_400)
    with pytest.raises(NotAllowed, match="older than 30 days"):
        await ladder.promoted()


@pytest.mark.parametrize(("consequence", "stated", "highest"), [("irreversible", 1, "supervised"), ("reversible", 1, "supervised")])
async def test_no_class_rises_above_its_ceiling(ladder, consequence, stated, highest):
    await ladder.past.write(70, consequence=consequence, ceiling=stated)
    assert await looked_at(ladder.store, ladder.clock, "main", *CLASS) == 0
    with pytest.raises(NotAllowed, match=highest):
        await ladder.promoted()


async def test_monitored_takes_audits_below_the_alarm_and_reviewers_who_were_measured(ladder):
    await ladder.offered()
    await ladder.promoted()
    await ladder.offered(130)
    await ladder.audited(44)
    found = await ladder.evidence()
    assert found.to == Level.MONITORED and len(found.missing) == 2, found.missing
    assert "1 more" in found.missing[0] and "never measured" in found.missing[1]
    await ladder.audited(45)
    await ladder.healthy(False)
    assert ["cannot be relied on" in one for one in (await ladder.evidence()).missing] == [True]
    await ladder.healthy(catch=0.85)
    row = await ladder.promoted(Level.MONITORED)
    assert (row.level, row.share, row.veto, row.undo) == (3, 0.1, 60.0, 3600.0)
    assert [one.status for one in await ladder.certificates()] == ["signed", "replaced"]
    monitor = (await ladder.row()).monitor
    assert (monitor["audits"], monitor["earlier"]) == (0, 0), "a calm is no capital, and the next step needs audits of its own"
    assert monitor["reserve"] > 0, "and what is kept back for later bets notices a change after a long calm"


async def test_a_person_takes_a_class_down_any_number_of_levels_and_says_why(ladder_on_any):
    ladder = ladder_on_any
    await ladder.offered()
    seed = (await ladder.promoted()).seed
    with pytest.raises(NotAllowed, match="Say why"):
        await ladder.demoted(reason="  ")
    with pytest.raises(NotAllowed, match="not above"):
        await ladder.demoted(Level.CERTIFIED)
    row = await ladder.demoted(Level.SHADOW)
    assert (row.level, row.threshold, row.seed, row.certificate, row.share) == (0, None, "", "", 0.0)
    (event,) = await ladder.events("autonomy.demoted")
    assert event.body["seed"] == seed and event.actor == "lee" and event.payload == {"reason": "It feels wrong."}
    assert [one.status for one in await ladder.certificates()] == ["void"]
    assert (await ladder.promoted(Level.SUPERVISED, certificate="")).level == Level.SUPERVISED, (
        "out of shadow without a certificate"
    )


async def test_a_changed_key_takes_a_suspended_class_one_level_down_once(ladder):
    await ladder.offered()
    await ladder.promoted()
    await ladder.changed(level=3)
    async with ladder.store.begin() as tx:
        row = await autonomy.locked(tx, "main", *CLASS)
        assert await earning.suspend(
            tx,
            row,
            f"{VOID} Changed: the model.",
            ladder.clock(),
            {},
        )
    assert [await watched_over(ladder.store, ladder.clock, "main") for _ in range(2)] == [1, 0]
    row = await ladder.row()
    assert row.level == 2 and row.suspended and row.threshold is None
    newest = (await ladder.steps())[0]
    assert (newest.before, newest.after, newest.by) == (3, 2, "key")
    found = await ladder.evidence()
    assert found.to == Level.CERTIFIED, "a suspended class is signed for at its own level again"


async def test_failing_reviewers_take_every_earned_class_down_once(ladder):
    await ladder.offered()
    await ladder.promoted()
    assert await watched_over(ladder.store, ladder.clock, "main") == 0
    await ladder.healthy(False)
    assert [await watched_over(ladder.store, ladder.clock, "main") for _ in range(2)] == [1, 0]
    (step, _) = await ladder.steps()
    assert (step.by, step.after) == ("reviewers", 1) and (await ladder.row()).level == 1


async def test_the_system_risk_is_told_in_numbers_and_words(ladder):
    await ladder.past.write(30, "reject", sure=0.2)
    found = await ladder.offered(70)
    risk = found.body["system_risk"]
    assert risk["coverage"] == 0.7 and risk["queue_error"] == 1.0
    assert risk["risk"] == pytest.approx(0.7 * risk["bound"] + 0.3)
    assert "Of 100 actions 70 pass" in risk["sentence"] and "nobody measured" in risk["sentence"]
    await ladder.healthy(catch=0.8)
    assert (await ladder.evidence()).body["system_risk"]["risk"] == pytest.approx(0.7 * risk["bound"] + 0.3 * 0.2)
