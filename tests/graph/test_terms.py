"""Terms: whatever the order of rules, the strictest of them count; nonsense is told; the review is opened under them."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import Any

import assent
import pytest
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Facts, Policy, PolicyError, Ruling, on
from assent.graph.rules.policy_file import PolicyFileError, parse_policy
from assent.graph.rules.terms import DECIDERS, DEFAULT, Terms, combined, of_json, rank
from assent.graph.store import reviews
from fakes import NOON, HandClock, Script, asks, calls, on_thread, staff
from hypothesis import given
from hypothesis import strategies as st

FACTS = Facts("pay", {"amount": 5}, "costly", "C1", "main", "shop", "t1", {})

seconds = st.none() | st.sampled_from([1, 60, 3600.5])
some_terms = st.builds(
    Terms,
    quorum=st.integers(1, 4),
    role=st.sampled_from(DECIDERS),
    second_for_edits=st.booleans(),
    escalate_to=st.sampled_from(["role:lead", "role:admin", "user:ada", "user:bob"]),
    **{name: seconds for name in ("due", "warn", "escalate", "valid", "veto", "undo")},
)


@given(st.lists(some_terms, max_size=4).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_rules_changes_nothing(both: tuple[list[Terms], list[Terms]]) -> None:
    assert combined(both[0]) == combined(both[1]) == combined([combined(both[0]), *both[1]])


@given(some_terms, some_terms)
def test_no_rule_makes_anothers_terms_looser(one: Terms, other: Terms) -> None:
    both = combined([one, other])
    assert both.quorum >= one.quorum and rank(both.role) >= rank(one.role) and both.second_for_edits >= one.second_for_edits
    for name in ("due", "warn", "escalate", "valid"):
        assert getattr(one, name) is None or getattr(both, name) <= getattr(one, name)
    for name in ("veto", "undo"):
        assert getattr(one, name) is None or getattr(both, name) >= getattr(one, name)


@given(some_terms)
def test_terms_survive_being_stored(terms: Terms) -> None:
    assert of_json(terms.as_json()) == terms
    assert DEFAULT.as_json() == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"quorum": 0},
        {"quorum": True},
        {"quorum": 2.0},
        {"quorum": "2"},
        {"role": "viewer"},
        {"role": "boss"},
        {"second_for_edits": 1},
    ]
    + [{"due": value} for value in (0, -1, math.nan, math.inf, True, "1", 1e12)]
    + [{"escalate_to": value} for value in ("lead", "role:viewer", "user:", "", None)],
)
def test_what_nobody_can_mean_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Terms(**wrong)


async def test_the_policy_combines_the_terms_of_all_that_rules_said() -> None:
    policy = Policy(
        (
            on("pay", always("allow", "fine", Terms(veto=60))),
            on("pay", always("review", "people look", Terms(quorum=2, due=600))),
            on("look", always("review", "not this one", Terms(quorum=5))),
        ),
        terms=Terms(due=900, role="lead"),
    )
    assert (await policy.rule(FACTS)).terms == Terms(quorum=2, due=600, role="lead", veto=60)
    assert Policy(()).digest != Policy((), terms=Terms(quorum=2)).digest
    assert Policy((always("allow", "x"),)).digest != Policy((always("allow", "x", Terms(undo=5)),)).digest
    with pytest.raises(PolicyError, match="terms"):
        Policy((), terms={"quorum": 2})  # type: ignore[arg-type]


async def test_terms_that_are_none_send_the_action_to_review_and_an_unnamed_rule_keeps_its_terms() -> None:
    def odd(facts: Facts) -> Ruling:
        return Ruling("allow", "fine", terms="two people")  # type: ignore[arg-type]

    found = await Policy((on("pay", odd),)).rule(FACTS)
    assert found.kind == "review" and "terms" in found.reasons[0]
    assert (await Policy((always("allow", "anything", Terms(quorum=3)),)).rule(FACTS)).terms.quorum == 3


FILE = """
version: 1
terms: {due: 2d}
rules:
  - name: money
    tools: [pay]
    ruling: review
    reason: It costs money.
    terms: {quorum: 2, role: lead, second_for_edits: true, due: 4h, warn: 30m, escalate: 3600, escalate_to: "user:lee", valid: 1h}
  - name: reading
    tools: [look]
    ruling: allow
    reason: It reads.
    terms: {undo: 90s}
"""


def test_a_file_says_the_same_as_python() -> None:
    policy = parse_policy(FILE)
    assert asyncio.run(policy.rule(FACTS)).terms == Terms(
        quorum=2, role="lead", second_for_edits=True, due=14_400, warn=1_800, escalate=3_600, escalate_to="user:lee", valid=3_600
    )
    other = parse_policy(FILE.replace("quorum: 2", "quorum: 3"))
    assert policy.digest != other.digest and policy.digest == parse_policy(FILE.replace("4h", "14400")).digest


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("quorum: 2", "quorum: 0", "quorum"),
        ("quorum: 2", "quorum: two", "quorum"),
        ("quorum: 2", "qourum: 2", "unknown key 'qourum'; did you mean 'quorum'"),
        ("role: lead", "role: boss", "allowed: operator, lead, admin"),
        ("due: 4h", "due: 4 weeks", "90s, 30m, 4h or 2d"),
        ("due: 4h", "due: true", "90s, 30m, 4h or 2d"),
        ("due: 4h", "due: -4", "due cannot be"),
        ("due: 4h", "due: 0h", "due cannot be"),
        ('"user:lee"', "lee", "role:lead, role:admin or user:NAME"),
        ("terms: {due: 2d}", "terms: 2d", "terms must be a mapping with the keys quorum, role"),
        ("terms: {undo: 90s}", "terms: 90s", "terms must be a mapping with the keys quorum, role"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(PolicyFileError) as wrong:
        parse_policy(FILE.replace(old, new))
    assert told in str(wrong.value) and wrong.value.line == FILE[: FILE.index(old)].count("\n") + 1


async def test_a_review_is_opened_under_its_terms(any_url, till) -> None:
    stated = Terms(quorum=2, role="lead", due=3600, warn=600, escalate=1200, escalate_to="role:admin", second_for_edits=True)
    clock = HandClock()
    async with assent.open(any_url, clock=clock) as desk:
        await staff(desk)
        policy = Policy((on("pay", always("review", "People look.", stated)),))
        script = Script(calls(("pay", {"to": "bob", "amount": 5}), ("note", {"text": "x"})))
        await desk.agent(tools=till.tools, policy=policy, propose=script).ainvoke(asks(), on_thread())
        cards = {card.tool: card for card in await desk.pending("ada")}
        async with desk.store.read() as tx:
            row, plain = [await reviews.by_id(tx, cards[name].id) for name in ("pay", "note")]
    assert row is not None and plain is not None
    assert (row.quorum, row.role, row.second_for_edits) == (2, "lead", True)
    assert row.due_at == NOON + timedelta(seconds=3600) and row.warn_at == NOON + timedelta(seconds=3000)
    assert row.escalate_at == row.next_at == NOON + timedelta(seconds=1200) and row.escalate_to == "role:admin"
    assert (plain.quorum, plain.role, plain.due_at, plain.next_at) == (1, "operator", None, None)
