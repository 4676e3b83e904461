"""What a class has earned, at the gate: laws of the one function that judges, and real actions under rows of every kind."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta

import assent
import pytest
from assent.evals.ladder.levels import demote
from assent.graph.authority import earning
from assent.graph.autonomy.drawing import draw
from assent.graph.autonomy.earned import Earned, judged, on_record
from assent.graph.autonomy.levels import EARNED, Level, ceiling_of
from assent.graph.autonomy.scoring import AGREEMENT, Head, Term
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Policy, on
from assent.graph.store import autonomy, probes, reviews
from assent.graph.store.autonomy_models import AutonomyRow
from earning import GATED, Clerk, as_signed
from fakes import approve, on_thread, staff
from hypothesis import given
from hypothesis import strategies as st
from langgraph.errors import NodeCancelledError

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
shares = st.floats(0, 1, exclude_min=True)
levels = st.sampled_from(EARNED)


def earned(**values):
    sound = {
        "level": Level.CERTIFIED,
        "key": "k",
        "head": AGREEMENT,
        "threshold": 0.8,
        "share": 0.2,
        "seed": "s",
        "certificate": "c",
        "watched_until": LATER,
    }
    return Earned(**{**sound, **values})


def ruled(one, agreement=0.9, key="k", action="a1", **more):
    more = {"now": NOW, **more}
    return judged(one, key=key, features={"agreement": agreement}, action=action, **more)


@given(levels, shares, st.floats(0, 1), st.floats(0, 1), st.text(max_size=8))
def test_what_reaches_the_threshold_passes_and_is_audited_by_its_draw_alone(level, share, threshold, sure, action):
    found = ruled(earned(level=level, share=share, threshold=threshold), sure, action=action)
    assert (found.way == "allow") == (sure >= threshold) and found.confidence == sure
    assert found.draw == draw("s", action) and found.audited == (found.way == "allow" and found.draw < share)
    assert found.basis == "certificate" and not found.shadow and not found.void


@given(shares, shares, st.integers(0, 10**6))
def test_a_lower_share_audits_some_of_what_a_higher_one_would(one, other, number):
    low, high = sorted((one, other))
    audited = [ruled(earned(share=share), action=str(number)).audited for share in (low, high)]
    assert audited != [True, False]


broken = st.sampled_from(
    [
        {"suspended": "an alarm"},
        {"key": "another"},
        {"head": None},
        {"head": Head(raw="log_probability")},
        {"head": Head((Term("agreement", math.nan),))},
        {"head": Head((Term("agreement", math.inf),))},
        {"head": Head((Term("agreement", math.inf), Term("agreement", -math.inf)))},
        {"head": Head((Term("agreement", 1.0, scale=0.0),))},
        {"threshold": None},
        {"threshold": math.nan},
        {"threshold": -math.inf},
        {"seed": ""},
        {"share": 0.0},
        {"share": math.nan},
        {"watched_until": None},
        {"watched_until": NOW},
        {"watched_until": NOW - timedelta(days=400)},
        {"level": Level.SUPERVISED},
        {"level": Level.SHADOW},
    ]
)


@given(broken, levels, st.one_of(st.none(), st.floats(0, 1)), st.floats(0, 1))
def test_whatever_is_missing_or_broken_lets_nothing_pass(fault, level, stated, sure):
    found = ruled(earned(**{"level": level, **fault}), 1.0, sure=sure, stated=stated)
    assert found.way != "allow" and not found.audited
    assert found.void == (fault == {"key": "another"})
    assert all(value is None or math.isfinite(value) for value in (found.threshold, found.share, found.draw))


@given(shares, st.floats(0, 1), st.integers(0, 10**6))
def test_what_is_reviewed_because_nobody_watches_is_drawn_as_if_somebody_did(share, value, number):
    """So it certifies with what is audited, and a time without a watch breaks no stretch."""
    watched, unwatched = (ruled(earned(share=share, **more), value, action=str(number)) for more in ({}, {"watched_until": None}))
    assert unwatched.way == "review" and not unwatched.audited
    assert (unwatched.share, unwatched.draw, unwatched.basis) == (watched.share, watched.draw, "certificate")


@given(st.sampled_from([math.nan, math.inf, -math.inf, None, -0.1, 1.1]), levels)
def test_a_confidence_that_is_no_share_passes_nowhere(value, level):
    assert ruled(earned(level=level, threshold=0.0), value).way == "review"


@given(levels, st.sampled_from(list(Level)))
def test_above_its_ceiling_nothing_passes(level, ceiling):
    assert (ruled(earned(level=level), 1.0, ceiling=ceiling).way == "allow") == (level <= ceiling)


@given(st.sampled_from(["read", "reversible", "costly", "irreversible", "unheard of", None]), st.sampled_from([None, *Level]))
def test_a_policy_lowers_ceilings_and_raises_only_that_of_what_cannot_be_taken_back(consequence, stated):
    found, least = ceiling_of(consequence, stated), ceiling_of(consequence)
    assert stated is None or found <= stated
    assert found <= least or (consequence == "irreversible" and found <= Level.CERTIFIED)
    assert consequence in ("read", "reversible") or found <= Level.CERTIFIED


@given(st.one_of(st.none(), st.floats(0, 1)), st.one_of(st.none(), st.floats(0, 1)))
def test_a_stated_threshold_counts_only_while_nobody_moved_the_class(sure, stated):
    found = ruled(None, sure=sure, stated=stated)
    assert (found.way == "allow") == (sure is not None and stated is not None and sure >= stated)
    assert ruled(earned(level=Level.SUPERVISED), sure=sure, stated=stated).way == "review"
    assert on_record(None, found, "k")["basis"] == ("none" if stated is None else "stated")


# -- the gate, with rows ---------------------------------------------------------------------------------------------


async def moved(clerk, level=Level.CERTIFIED, **values):
    """Say what the clerk's class may do, as a signature would; its key is that of the clerk's actions."""
    desk = clerk.desk
    async with desk.store.begin() as tx:
        row = await autonomy.get(tx, "main", clerk.name, clerk.tool)
        fields = {"tenant": "main", "agent": clerk.name, "tool": clerk.tool, "since": desk.clock()}
        sound = {"key": clerk.key, "head": AGREEMENT.as_json(), "threshold": 0.8, "share": 1e-9, "seed": "s"}
        sound["watched_until"] = desk.clock() + timedelta(days=1)
        fields_now = {"level": int(level), **sound, **values}
        signed = {name: fields_now[name] for name in ("key", "head", "threshold", "level")}
        fields_now.setdefault("certificate", await as_signed(tx, clerk.name, clerk.tool, **signed))
        old = AutonomyRow(**fields, version=row.version if row else 0)
        assert await autonomy.change(tx, old, **fields_now)


async def row_of(clerk):
    """Return what the clerk's class may do."""
    async with clerk.desk.store.read() as tx:
        return await autonomy.get(tx, "main", clerk.name, clerk.tool)


async def employed(desk):
    found = Clerk(desk)
    first = await found.decided("reject", 0.1)
    found.key = (await found.row(first)).provenance["earned"]["key"]
    return found


@pytest.fixture
async def clerk(opened):
    return await employed(opened)


@pytest.fixture
async def clerk_on_any(opened_on_any):
    return await employed(opened_on_any)


async def test_what_is_sure_enough_runs_and_what_is_not_waits(clerk_on_any):
    clerk = clerk_on_any
    await moved(clerk)
    sure, unsure = await clerk.proposes(0.8), await clerk.proposes(0.79)
    assert [(await clerk.row(one)).verdict for one in (sure, unsure)] == ["allow", "review"]
    assert len(clerk.till.ran) == 1 and len(await clerk.desk.pending("ada")) == 1
    noted = (await clerk.row(sure)).provenance["earned"]
    assert noted["draw"] == draw("s", sure) and (noted["share"], noted["audited"]) == (1e-9, False)
    assert noted["certificate"] == (await row_of(clerk)).certificate


async def test_an_audit_is_asked_about_after_the_fact_and_blind(clerk_on_any):
    clerk = clerk_on_any
    await moved(clerk, share=1.0)
    action = await clerk.proposes(0.9)
    assert len(clerk.till.ran) == 1
    (card,) = await clerk.desk.pending("ada")
    assert card.confidence is None and "without what the machine made of it" in str(card.reasons)
    async with clerk.desk.store.read() as tx:
        probe = await probes.of_source(tx, action, "audit")
    assert (probe.share, probe.certificate, probe.review) == (1.0, (await row_of(clerk)).certificate, card.id)
    await clerk.desk.decide(card.id, approve(card), "ada")
    await clerk.desk.drain()
    assert len(clerk.till.ran) == 1, "an audit that finds it right runs nothing again"


async def test_a_class_that_is_suspended_or_damaged_is_reviewed(clerk):
    faults = ({"suspended": "an alarm"}, {"head": None}, {"threshold": None}, {"share": 0.0}, {"head": {"version": 9}})
    for fault in faults:
        await moved(clerk, **fault)
        assert (await clerk.row(await clerk.proposes(1.0))).verdict == "review", fault
    assert clerk.till.ran == []


@pytest.mark.parametrize(
    "changed",
    [
        {"head": Head((Term("agreement", 9.0),), 9.0).as_json()},
        {"head": {**AGREEMENT.as_json(), "bias": 1.0}},
        {"threshold": 0.79},
        {"certificate": "cert_nobody_knows"},
        {"certificate": ""},
    ],
)
async def test_what_was_not_signed_lets_nothing_pass(clerk, changed):
    """The class row says what passes; only what its certificate says too does, even where it is changed behind the doors."""
    await moved(clerk)
    assert (await clerk.row(await clerk.proposes(1.0))).verdict == "allow"
    async with clerk.desk.store.begin() as tx:
        assert await autonomy.change(tx, await autonomy.locked(tx, "main", clerk.name, clerk.tool), **changed)
    found = await clerk.row(await clerk.proposes(1.0))
    assert found.verdict == "review" and "is not what was signed" in str(found.reasons)


async def test_another_key_voids_the_certificate_at_once(clerk):
    await moved(clerk, key="of another model")
    assert (await clerk.row(await clerk.proposes(1.0))).verdict == "review"
    async with clerk.desk.store.read() as tx:
        row = await autonomy.get(tx, "main", "assent", "note")
    assert "void" in row.suspended
    await moved(clerk, key=clerk.key, suspended=row.suspended)
    assert (await clerk.row(await clerk.proposes(1.0))).verdict == "review", "what is void stays void when the key changes back"


async def test_in_shadow_nothing_runs_and_what_people_say_is_on_record(clerk_on_any):
    clerk = clerk_on_any
    await moved(clerk, Level.SHADOW)
    action = await clerk.proposes(1.0)
    assert (await clerk.row(action)).verdict == "refuse"
    (card,) = await clerk.desk.pending("ada")
    await clerk.desk.decide(card.id, approve(card), "ada")
    await clerk.desk.drain()
    assert clerk.till.ran == []
    async with clerk.desk.store.read() as tx:
        assert (await probes.of_source(tx, action, "shadow")).outcome == "correct"


async def test_at_level_monitored_what_passes_is_held_for_a_veto_first(clerk):
    await moved(clerk, Level.MONITORED, veto=3600.0, undo=60.0)
    action = await clerk.proposes(1.0)
    assert (await clerk.row(action)).verdict == "allow" and clerk.till.ran == []
    assert [line.action for line in await clerk.desk.feed("ada")] == [action]


async def test_a_stop_outranks_what_was_earned(clerk):
    await moved(clerk)
    stop = await clerk.desk.stop("tool", "note", "lee", "wait")
    action = await clerk.proposes(1.0)
    await clerk.desk.drain()
    assert (await clerk.row(action)).verdict == "allow" and clerk.till.ran == []
    await clerk.desk.lift(stop.id, "lee")
    await clerk.desk.drain()
    assert len(clerk.till.ran) == 1


async def test_no_certificate_overrules_a_policy_that_wants_a_person(opened):
    policy = Policy((*GATED.checks, on("note", always("review", "People look at notes."))))
    clerk = Clerk(opened, policy=policy)
    clerk.key = "k"
    await moved(clerk, threshold=0.0)
    row = await clerk.row(await clerk.proposes(1.0))
    assert row.verdict == "review" and "earned" not in row.provenance and clerk.till.ran == []


async def test_a_ceiling_of_the_policy_holds_at_the_gate(opened):
    clerk = Clerk(opened, policy=Policy(GATED.checks, ceilings={"note": Level.SUPERVISED}))
    clerk.key = (await clerk.row(await clerk.proposes(0.1))).provenance["earned"]["key"]
    await moved(clerk)
    row = await clerk.row(await clerk.proposes(1.0))
    assert row.verdict == "review" and "above the ceiling" in row.reasons[0]["text"]


async def test_nothing_passes_that_was_measured_before_a_demotion_and_recorded_after(clerk_on_any):
    clerk = clerk_on_any
    await moved(clerk)

    async def measured(*_, **__):
        await demote(clerk.desk.store, clerk.desk.clock, "assent", "note", Level.SUPERVISED, "lee", reason="now")

    clerk.sure.before = measured
    assert (await clerk.row(await clerk.proposes(1.0))).verdict == "review" and clerk.till.ran == []


@pytest.mark.parametrize("known", [True, False])
async def test_a_demotion_returns_when_nothing_can_pass_any_more(any_url, known):
    async with assent.open(any_url) as desk, assent.open(any_url) as other:
        await staff(desk)
        clerk = Clerk(desk)
        clerk.key = "k"
        if known:
            await moved(clerk)
        async with desk.store.begin() as tx:
            found = await earning.shared(tx, "main", "assent", "note", earning.Signatures())
            assert (found is not None) == known
            down = asyncio.create_task(
                demote(other.store, other.clock, "assent", "note", Level.SUPERVISED, "lee", reason="while one is being recorded")
            )
            assert not (await asyncio.wait({down}, timeout=0.5))[0], "whoever has read what the class may do is waited for"
        assert (await down).level == Level.SUPERVISED


async def test_of_many_at_once_only_those_pass_that_were_recorded_before_the_demotion_returned(any_url):
    async with assent.open(any_url) as desk, assent.open(any_url) as other:
        await staff(desk)
        clerk = Clerk(desk, policy=Policy(GATED.checks, threshold=0.5))
        clerk.key = (await clerk.row(await clerk.proposes(0.1))).provenance["earned"]["key"]
        await moved(clerk)
        before: set[str] = set()

        async def down():
            await demote(other.store, other.clock, "assent", "note", Level.SUPERVISED, "lee", reason="enough")
            before.update(await passed(other))

        await asyncio.gather(*(clerk.proposes_at_once(number) for number in range(8)), down())
        assert await passed(desk) <= before


async def passed(desk):
    async with desk.store.read() as tx:
        rows = await reviews.automatic(tx, "main", 100)
    return {action.id for action, _ in rows if action.verdict == "allow"}


async def test_what_was_proposed_before_a_restart_and_not_measured_passes_under_no_head(url):
    fitted = Head((Term("agreement", 1.0, mean=0.9, scale=0.1),), bias=3.0)  # without a reading it would score .95
    async with assent.open(url) as desk:
        await staff(desk)
        clerk = await employed(desk)
        await moved(clerk, head=fitted.as_json())
        assert (await clerk.row(await clerk.proposes(0.9))).verdict == "allow"

        async def dies(*_, **__):
            raise asyncio.CancelledError

        clerk.sure.before = dies
        with pytest.raises(NodeCancelledError):
            await clerk.proposes(0.1, "cut-off")
    async with assent.open(url) as desk:
        clerk = Clerk(desk)
        await clerk.agent.ainvoke(None, on_thread("cut-off"))
        async with desk.store.read() as tx:
            (row,) = await reviews.actions_of_thread(tx, "cut-off")
        assert row.verdict == "review" and clerk.till.ran == []
        assert [(one["signal"], one["value"]) for one in row.readings if one["gates"]] == [("agreement", None)]
