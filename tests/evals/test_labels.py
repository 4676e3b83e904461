"""Which decisions are labels of a class, and which of them certify: those that had one chance of it, whatever became of them."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta

import pytest
from assent.evals.certify.labels import gathered, labels_of, one_each, split, thin, uniform
from assent.graph.authority import reviewing
from assent.graph.autonomy.levels import Level
from assent.graph.rules.policy import Policy
from assent.graph.store import autonomy, labelled, settings
from assent.graph.store.labelled import Gated
from earning import GATED, KEY, START, Clerk, Past, as_signed
from hypothesis import given
from hypothesis import strategies as st

DIGEST = KEY.digest()


async def known(desk, tool="note", **how):
    return await labels_of(desk.store, "main", "assent", tool, desk.clock(), **how)


def by_action(labels):
    return {row.action: (row.correct, row.source) for row in labels.rows}


async def moved(desk, level, **values):
    """Say outright what the class may do, as a signature would."""
    async with desk.store.begin() as tx:
        row = await autonomy.get(tx, "main", "assent", "note")
        fields = {"tenant": "main", "agent": "assent", "tool": "note", "since": desk.clock(), "version": row.version if row else 0}
        if "head" in values:
            signed = {name: values[name] for name in ("key", "head", "threshold")}
            values["certificate"] = await as_signed(tx, "assent", "note", **signed)
        assert await autonomy.change(
            tx, autonomy.AutonomyRow(**fields), level=int(level), watched_until=desk.clock() + timedelta(days=99), **values
        )


async def test_what_people_decided_is_a_label_and_what_they_did_not_say_is_none(opened_on_any):
    desk = opened_on_any
    clerk = Clerk(desk)
    right, changed, wrong = [await clerk.decided(label) for label in ("approve", "edit", "reject")]
    await clerk.decided("respond")
    taken_back = await clerk.proposes()
    (card,) = await desk.pending("ada")
    await clerk.answered("approve", undo_window=60.0)
    await desk.withdraw(card.id, "ada")
    await clerk.answered("approve", undo_window=60.0)
    await clerk.proposes(0.5)
    labels = await known(desk)
    assert by_action(labels) == {right: (True, "review"), changed: (False, "review"), wrong: (False, "review")}
    assert labels.counts == {"review": 3, "respond": 1, "undecided": 2} and labels.decisions == {
        "approve": 1,
        "edit": 1,
        "reject": 1,
    }
    assert (labels.consequence, labels.ceiling, labels.share) == ("reversible", Level.SAMPLED, 1.0)
    assert labels.rows[0].features == {"agreement": 1.0, "flag:always": 1.0, "tool:note": 1.0}
    later = await labels_of(desk.store, "main", "assent", "note", desk.clock() + timedelta(minutes=2))
    assert by_action(later)[taken_back] == (True, "review"), "an approval certifies once it cannot be taken back"
    assert await known(desk, "look") is None and await labels_of(desk.store, "other", "assent", "note", desk.clock()) is None


async def test_audits_and_shadow_answers_label_the_action_they_are_about(opened_on_any):
    desk = opened_on_any
    clerk = Clerk(desk)
    first = await clerk.decided("approve")
    key = (await clerk.row(first)).provenance["earned"]["key"]
    earned = {"key": key, "head": {"version": 1, "terms": [], "bias": 0.0, "raw": "agreement"}, "threshold": 0.9}
    await moved(desk, Level.CERTIFIED, share=1.0, seed="s", **earned)
    audited = await clerk.decided("reject", who="bob")
    unsure = await clerk.decided("approve", 0.5)
    await moved(desk, Level.CERTIFIED, share=1e-9, seed="s", **earned)
    passed = await clerk.proposes()
    assert (await known(desk)).share == 1e-9
    await moved(desk, Level.SHADOW)
    shadow = await clerk.decided("edit")
    assert len(clerk.till.ran) == 2, "what passed has run, audited or not, and nothing in shadow"
    labels = await known(desk)
    assert by_action(labels) == {
        first: (True, "review"),
        audited: (False, "audit"),
        unsure: (True, "review"),
        shadow: (False, "shadow"),
    }
    assert passed not in by_action(labels) and labels.counts["unaudited"] == 1 and labels.share == 1.0
    chances = {row.action: (row.chance, row.share) for row in labels.rows}
    assert chances == {first: (1.0, 1.0), audited: (1.0, 1.0), unsure: (1.0, 1.0), shadow: (1.0, 1.0)}


async def test_while_a_stated_threshold_lets_things_pass_unlabelled_nothing_certifies(opened):
    desk = opened
    clerk = Clerk(desk, policy=Policy(GATED.checks, threshold=0.8))
    await clerk.proposes(0.9)
    await clerk.decided("approve", 0.5)
    labels = await known(desk)
    assert labels.stated and labels.rows == () and labels.counts == {"stated": 2}
    await moved(desk, Level.SUPERVISED)
    fresh = await clerk.decided("approve", 0.9)
    labels = await known(desk)
    assert not labels.stated and list(by_action(labels)) == [fresh], "with a row of its own the stated threshold counts no more"


async def test_only_rows_of_the_key_in_force_and_of_the_time_since_count(opened):
    store = opened.store
    past = Past(store)
    await past.write(3)
    newer = Past(store, dataclasses.replace(KEY, policy="stricter"))
    newer.number = 100
    kept = await newer.write(2)
    assert set(by_action(await known(opened))) == set(kept)
    assert len((await known(opened, key=DIGEST)).rows) == 3
    assert len((await known(opened, key=DIGEST, since=START + timedelta(minutes=3))).rows) == 1


async def test_what_was_added_to_an_action_after_it_was_scored_is_no_feature(opened):
    clerk = Clerk(opened, tool="pay")
    async with opened.store.begin() as tx:
        await settings.put(tx, "main", reviewing.HEALTH, {"second": True}, opened.clock())
    row = await clerk.row(await clerk.proposes())
    assert reviewing.SECOND in row.reasons
    for who in ("ada", "bob"):
        await clerk.answered("approve", who=who)
    (label,) = (await known(opened, "pay")).rows
    assert label.features == {"agreement": 1.0, "flag:always": 1.0, "tool:pay": 1.0}


async def test_a_class_is_read_page_by_page_to_a_limit(opened_on_any, monkeypatch):
    monkeypatch.setattr(labelled, "PAGE", 4)
    past = Past(opened_on_any.store)
    written = await past.write(11)
    assert [row.action for row in (await known(opened_on_any)).rows] == written[::-1]
    assert [row.action for row in (await known(opened_on_any, limit=6)).rows] == written[:4:-1]
    await Past(opened_on_any.store, dataclasses.replace(KEY, tool="pay")).write(1)
    await Past(opened_on_any.store, dataclasses.replace(KEY, agent="zoe")).write(1, None)
    async with opened_on_any.store.read() as tx:
        assert await labelled.classes(tx, "main") == [("assent", "note"), ("assent", "pay"), ("zoe", "note")]
        assert await labelled.classes(tx, "main", 2) == [("assent", "note"), ("assent", "pay")]
        newest = await labelled.newest_decision(tx, "main")
        assert [row[1:] for row in await labelled.decided_since(tx, "main", newest - 2, 9)] == [
            ("assent", "note"),
            ("assent", "pay"),
        ]


async def test_what_was_erased_says_nothing_any_more(opened):
    clerk = Clerk(opened)
    await clerk.decided("edit", thread="gone")
    kept = await clerk.decided("approve")
    await opened.drain()
    await opened.erase("gone", "root")
    labels = await known(opened)
    assert list(by_action(labels)) == [kept] and labels.counts["erased"] == 1


actions = st.lists(
    st.tuples(
        st.sampled_from([1.0, 0.2, 0.1, 0.02]),  # the share in force; 1: everything was reviewed
        st.floats(0, 1, exclude_max=True),  # its draw
        st.booleans(),  # whether it passed
        st.booleans(),  # whether it was right
        st.integers(0, 5),  # its conversation
    ),
    min_size=1,
    max_size=40,
)


def population(drawn, *, right=lambda correct: correct, passes=lambda passed: passed):
    """Return the rows a store would hold of these actions."""
    rows = []
    for number, (share, u, passed, correct, case) in enumerate(drawn):
        certified = share < 1
        allowed, found = certified and passes(passed), "approved" if right(correct) else "rejected"
        audited = allowed and u < share
        earned = {"key": DIGEST, "level": 2 if certified else 1, "ceiling": 4}
        earned |= {"basis": "certificate", "share": share, "draw": u, "audited": audited} if certified else {"basis": "none"}
        said = (None, None) if allowed else (found, "approve" if right(correct) else "reject")
        probed = ("audit", "correct" if right(correct) else "wrong", "approve") if audited else (None, None, None)
        provenance = {"model": KEY.model, "prompt": KEY.prompt, "policy": KEY.policy, "earned": earned}
        own = (f"a{number}", f"t{case}", "allow" if allowed else "review", "reversible", KEY.schema)
        at = START - timedelta(minutes=number)
        rows.append(Gated(*own, [], [], provenance, {}, {}, at, None, *said, None, START, *probed))
    return rows


def certifying(rows):
    labels = gathered("assent", "note", rows, START)
    return labels, {row.action for row in uniform(labels)}


@given(actions)
def test_whether_a_row_certifies_depends_on_its_draw_alone(drawn):
    """Of the newest stretch with one share in force every row below it certifies, and no other row."""
    labels, kept = certifying(population(drawn))
    rho = drawn[0][0]
    newest = list(itertools.takewhile(lambda one: one[0] == rho, drawn))
    assert labels.share == rho and kept == {f"a{number}" for number, (_, u, *_) in enumerate(newest) if rho == 1 or u < rho}
    flips = [{"right": lambda correct: not correct}, {"passes": lambda passed: not passed}, {"passes": lambda passed: True}]
    assert all(certifying(population(drawn, **flip))[1] == kept for flip in flips)


def test_once_something_passes_the_rows_of_full_review_certify_no_more_however_many_they_are():
    reviewed = [(1.0, 0.0, False, True, number) for number in range(100)]
    passing = [(0.2, (number + 0.5) / 100, True, number % 2 == 0, 100 + number) for number in range(100)]
    labels, kept = certifying(population(passing + reviewed))
    assert kept == {f"a{number}" for number in range(20)} and len(labels.rows) == 120
    again = [(1.0, 0.0, False, True, 200 + number) for number in range(3)]
    assert certifying(population(again + passing + reviewed))[1] == {"a0", "a1", "a2"}, "taken down, it begins anew"


def test_no_row_is_thinned_to_a_chance_it_never_had():
    labels, _ = certifying(population([(0.2, 0.1, False, True, 0)]))
    with pytest.raises(ValueError, match="rows would be missing"):
        thin(labels.rows, 0.5)


@given(actions, st.randoms())
def test_one_row_of_a_conversation_and_never_on_both_sides(drawn, random):
    labels, _ = certifying(population(drawn))
    fit, certify = split(labels.rows, DIGEST)
    assert not {row.group for row in fit} & {row.group for row in certify} and len(fit) + len(certify) == len(labels.rows)
    single = one_each(labels.rows, DIGEST)
    assert sorted(row.group for row in single) == sorted({row.group for row in labels.rows})
    mixed = list(labels.rows)
    random.shuffle(mixed)
    assert {row.action for row in one_each(mixed, DIGEST)} == {row.action for row in single}
    flipped, _ = certifying(population(drawn, right=lambda correct: not correct))
    assert {row.action for row in one_each(flipped.rows, DIGEST)} == {row.action for row in single}
