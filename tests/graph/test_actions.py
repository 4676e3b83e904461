"""Ids are ours, digests bind everything that an approval is about, and decisions are parsed once, at the door."""

from __future__ import annotations

import pytest
from assent.graph.actions import Action, mint_action_id
from assent.graph.authority.decisions import Approve, Edit, Reject, Respond, parse_decision
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

DIGEST = "a" * 64
ACTION = Action("act_1", "main", "t1", "assent", "carol", "pay", "d" * 64, {"to": "bob", "amount": 5}, "costly")
SAMPLES = {"approve": {}, "edit": {"args": {"to": "bob"}}, "reject": {"reason": "no"}, "respond": {"message": "later"}}


def changed(**fields: object) -> Action:
    return Action(**{**{name: getattr(ACTION, name) for name in Action.__slots__}, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"tool": "pay2"},
        {"tool_digest": "e" * 64},
        {"args": {"to": "bob", "amount": 6}},
        {"args": {"to": "bob", "amount": 5.0}},
        {"args": {"to": "bob", "amount": True}},
        {"args": {"to": "bob", "amount": "5"}},
        {"args": {"to": "bob"}},
        {"thread": "t2"},
        {"id": "act_2"},
        {"tenant": "other"},
    ],
)
def test_an_approval_of_one_action_fits_no_other(fields):
    assert changed(**fields).digest() != ACTION.digest()


def test_the_digest_depends_on_the_action_alone():
    assert changed(args={"amount": 5, "to": "bob"}).digest() == ACTION.digest()
    assert len(ACTION.digest()) == 64


@given(st.tuples(st.text(), st.text(), st.integers(0, 50)), st.tuples(st.text(), st.text(), st.integers(0, 50)))
def test_ids_are_the_same_for_the_same_call_only(one, other):
    assert (mint_action_id(*one) == mint_action_id(*other)) == (one == other)


def test_ids_do_not_run_together():
    assert mint_action_id("t", "1m", 1) != mint_action_id("t1", "m", 1)
    assert mint_action_id("t", "m", 11) != mint_action_id("t", "m1", 1)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_decision_is_read_from_plain_json(kind):
    found = parse_decision({"type": kind, "digest": DIGEST, "seen_ms": 1200, **SAMPLES[kind]})
    assert isinstance(found, {"approve": Approve, "edit": Edit, "reject": Reject, "respond": Respond}[kind])
    assert found.digest == DIGEST and found.seen_ms == 1200
    assert parse_decision(found) == found


@pytest.mark.parametrize(
    "wrong",
    [
        True,
        "approve",
        None,
        {},
        {"type": "approve"},
        {"type": "approve", "digest": ""},
        {"type": "approve", "digest": "a" * 63},
        {"type": "approve", "digest": "a" * 65},
        {"type": "approve", "digest": DIGEST, "args": {}},
        {"type": "approve", "digest": DIGEST, "actor": "root"},
        {"type": "approve", "digest": DIGEST, "seen_ms": -1},
        {"type": "APPROVE", "digest": DIGEST},
        {"type": "withdrawn", "digest": DIGEST},
        {"type": "edit", "digest": DIGEST},
        {"type": "edit", "digest": DIGEST, "args": [1]},
        {"type": "edit", "digest": DIGEST, "args": {}, "tool": "other"},
        {"type": "reject", "digest": DIGEST},
        {"type": "reject", "digest": DIGEST, "reason": ""},
        {"type": "reject", "digest": DIGEST, "reason": "x" * 201},
        {"type": "respond", "digest": DIGEST, "message": ""},
        {"type": "respond", "digest": DIGEST, "message": "x" * 4001},
        {"type": "respond", "digest": DIGEST, "message": "\ud800"},
    ],
)
def test_anything_else_is_no_decision(wrong):
    with pytest.raises(ValidationError):
        parse_decision(wrong)
