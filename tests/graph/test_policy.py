"""The laws of the policy: strictest wins, whatever the order; nothing a check does wrong lets an action go."""

from __future__ import annotations

import asyncio
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from assent.graph.autonomy.levels import Level
from assent.graph.rules.checks import always, max_amount
from assent.graph.rules.policy import KINDS, Facts, Kind, Policy, PolicyError, Ruled, Ruling, on, strictest
from hypothesis import given, settings
from hypothesis import strategies as st

FACTS = Facts("refund", {"order_id": "1", "amount": "34.00"}, "read", "C1", "main", "shop", "t1", {"text": "Hello"})
TOOLS = ("refund", "look_up")


class Sentence(Exception):
    def __str__(self) -> str:
        raise RuntimeError("this exception cannot even be printed")


def forged(kind: object) -> Ruling:
    ruling = Ruling("allow", "forged")
    object.__setattr__(ruling, "kind", kind)
    return ruling


def raising(error: BaseException) -> Callable[[Facts], Any]:
    def check(facts: Facts) -> Any:
        raise error

    return check


def answering(value: object) -> Callable[[Facts], Any]:
    return lambda facts: value


def later(inner: Callable[[Facts], Any]) -> Callable[[Facts], Any]:
    async def check(facts: Facts) -> Any:
        await asyncio.sleep(0)
        return inner(facts)

    return check


async def stuck(facts: Facts) -> Ruling:
    await asyncio.sleep(60)
    return Ruling("allow", "too late")


async def stubborn(facts: Facts) -> Ruling:
    """Refuse to be cancelled, as broken clean-up does."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0.2)
    return Ruling("allow", "too late")


ODD_ANSWERS = (
    *(
        True,
        False,
        0,
        1,
        math.nan,
        "allow",
        ["allow"],
        {"kind": "allow", "reason": "x"},
        object(),
        Ruling,
        ("allow", "x"),
    ),
    *(
        forged("ALLOW"),
        forged(None),
        forged(["allow"]),
        forged(math.nan),
        Ruling("allow", cast(Any, None)),
        Ruling("allow", "", cast(Any, 3)),
    ),
)
ERRORS = (
    ValueError("no"),
    KeyError("amount"),
    Sentence(),
    RecursionError(),
    asyncio.CancelledError(),
    TimeoutError(),
    StopIteration(),
)

sound = st.builds(always, st.sampled_from(KINDS), st.sampled_from(["one reason", "another reason"]))
silent = st.just(answering(None))
faulty = st.builds(answering, st.sampled_from(ODD_ANSWERS)) | st.builds(raising, st.sampled_from(ERRORS))
plain = st.one_of(sound, silent, faulty)
checks = st.one_of(plain, st.builds(later, plain), st.builds(on, st.sampled_from(TOOLS), plain))
facts = st.builds(
    replace,
    st.just(FACTS),
    tool=st.sampled_from(TOOLS),
    consequence=st.sampled_from(["read", "reversible", "costly", "irreversible", None]),
)


def ruled(some: list[Any], about: Facts = FACTS, **options: Any) -> Ruled:
    return asyncio.run(Policy(tuple(some), **options).rule(about))


def rank(kind: Kind) -> int:
    return KINDS.index(kind)


@settings(deadline=None)
@given(st.lists(checks, max_size=6).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))), facts)
def test_the_order_of_checks_changes_nothing(both: tuple[list[Any], list[Any]], about: Facts) -> None:
    assert ruled(both[0], about) == ruled(both[1], about)


@settings(deadline=None)
@given(st.lists(checks, min_size=1, max_size=5), facts, st.data())
def test_asking_a_check_twice_changes_nothing(some: list[Any], about: Facts, data: st.DataObject) -> None:
    assert ruled([*some, data.draw(st.sampled_from(some))], about) == ruled(some, about)


@settings(deadline=None)
@given(st.lists(checks, max_size=5), checks, facts)
def test_adding_a_check_never_loosens_what_the_others_said(some: list[Any], more: Any, about: Facts) -> None:
    before, after = ruled(some, about), ruled([*some, more], about)
    nobody_spoke = any(ruling.check == "no match" for ruling in before.rulings)
    assert nobody_spoke or rank(after.kind) >= rank(before.kind)


@settings(deadline=None)
@given(st.lists(checks, max_size=5), st.one_of(faulty, st.builds(later, faulty)), facts)
def test_a_fault_in_a_check_is_at_least_a_review(some: list[Any], broken: Any, about: Facts) -> None:
    assert rank(ruled([*some, broken], about).kind) >= max(rank("review"), rank(ruled(some, about).kind))


@settings(deadline=None)
@given(st.lists(checks, max_size=5), st.sampled_from(["irreversible", None, "harmless", 5]))
def test_what_cannot_be_taken_back_is_always_reviewed(some: list[Any], consequence: Any) -> None:
    assert ruled(some, replace(FACTS, consequence=consequence)).kind in ("review", "refuse")


@settings(deadline=None)
@given(
    st.lists(st.one_of(plain, st.builds(on, st.just("look_up"), plain)), max_size=5),
    st.sampled_from(["costly", "irreversible"]),
)
def test_no_rule_that_does_not_name_a_costly_tool_allows_it(some: list[Any], consequence: Any) -> None:
    about = replace(FACTS, consequence=consequence)
    assert ruled(some, about, unreviewed_irreversible={"refund"}).kind != "allow"


@pytest.mark.parametrize(("consequence", "kind"), [("read", "allow"), ("costly", "allow"), ("irreversible", "review")])
def test_a_rule_that_names_the_tool_allows_it_but_not_beneath_the_floor(consequence: Any, kind: Kind) -> None:
    about = replace(FACTS, consequence=consequence)
    assert ruled([on("refund", always("allow", "named"))], about).kind == kind
    assert ruled([on("refund", always("allow", "named"))], about, unreviewed_irreversible={"refund"}).kind == "allow"


def test_a_listed_irreversible_tool_still_needs_a_rule() -> None:
    about = replace(FACTS, consequence="irreversible")
    assert ruled([], about, unreviewed_irreversible={"refund"}).kind == "review"
    assert ruled([always("allow", "all")], about, unreviewed_irreversible={"refund"}).kind == "review"


def test_no_match_is_a_review_that_says_so() -> None:
    found = ruled([on("look_up", always("allow", "reads"))])
    assert (found.kind, found.reasons) == ("review", ("No rule of the policy speaks about this action of refund.",))


def test_a_name_is_exact() -> None:
    for name in ("refund_all", "Refund", "refund ", "ref"):
        assert ruled([on("refund", always("allow", "named"))], replace(FACTS, tool=name)).kind == "review"
    for pattern in ("refund*", "*", "re?und", "", "a b", "[r]efund"):
        with pytest.raises(PolicyError, match="exact"):
            on(pattern, always("allow", "all"))
    with pytest.raises(PolicyError, match="at least one"):
        on([], always("allow", "all"))


@pytest.mark.parametrize("check", [stuck, stubborn])
async def test_a_check_that_takes_too_long_is_a_review_at_once(check: Any) -> None:
    policy = Policy((on("refund", always("allow", "fine")), check), patience=0.01)
    async with asyncio.timeout(0.15):
        found = await policy.rule(FACTS)
    assert found.kind == "review"
    assert f"The check {check.__name__} could not be carried out" in found.reasons[0]
    assert "no answer within 0.01 s" in found.reasons[0]


async def test_ruling_can_be_cancelled_from_outside() -> None:
    task = asyncio.create_task(Policy((stuck,)).rule(FACTS))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_check_cannot_change_what_the_others_see() -> None:
    def hostile(facts: Facts) -> None:
        facts.args["amount"] = "1.00"
        facts.context.clear()

    own = {"order_id": "1", "amount": "900.00"}
    some = [hostile, on("refund", max_amount("amount", 100)), on("refund", always("gate", "money"))]
    assert ruled(some, replace(FACTS, args=own)).reasons == ("amount 900.00 is above 100.",)
    assert own["amount"] == "900.00"


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), b"x", (1,), {1: 2}, {1}, nested(40), nested(50_000)])
@pytest.mark.parametrize("field", ["args", "context"])
def test_what_is_not_plain_json_is_reviewed(field: str, value: object) -> None:
    change: dict[str, Any] = {field: {"odd": value}}
    found = ruled([always("allow", "all")], replace(FACTS, **change))
    assert (found.kind, found.rulings[0].check) == ("review", "facts")


def test_all_rulings_are_kept_strictest_first_with_their_checks() -> None:
    found = ruled([always("allow", "a"), on("refund", max_amount("amount", 10)), raising(KeyError("x"))])
    assert [(ruling.kind, ruling.check) for ruling in found.rulings] == [
        ("review", "max_amount"),
        ("review", "raising"),
        ("allow", "always"),
    ]
    assert found.reasons == ("amount 34.00 is above 10.", "The check raising could not be carried out (KeyError: 'x').")


def test_strictest_of_nothing_is_review() -> None:
    assert strictest([]) == "review"
    assert strictest([Ruling("allow", ""), Ruling("refuse", ""), Ruling("gate", "")]) == "refuse"


def test_a_ruling_is_one_of_four() -> None:
    with pytest.raises(ValueError, match="allow, gate, review, refuse"):
        Ruling("approve", "a person's word")  # type: ignore[arg-type]


def test_a_stated_threshold_counts_for_reversible_tools_only() -> None:
    policy = Policy((), threshold=0.6, thresholds={"hand_over": 0.7})
    assert policy.threshold_for("change_address", "reversible") == 0.6
    assert policy.threshold_for("hand_over", "reversible") == 0.7
    others: tuple[Any, ...] = ("read", "costly", "irreversible", None)
    for consequence in others:
        assert policy.threshold_for("hand_over", consequence) is None
    assert Policy(()).threshold_for("hand_over", "reversible") is None


def test_a_ceiling_counts_for_its_tool_and_is_part_of_the_digest() -> None:
    policy = Policy((), ceilings={"refund": Level.SUPERVISED, "wipe": Level.CERTIFIED})
    assert policy.ceiling_for("refund", "reversible") == Level.SUPERVISED
    assert (policy.ceiling_for("wipe", "irreversible"), Policy(()).ceiling_for("wipe", "irreversible")) == (2, 1)
    assert policy.ceiling_for("note", "reversible") == Level.SAMPLED
    assert len({policy.digest, Policy(()).digest, Policy((), ceilings={"refund": Level.CERTIFIED}).digest}) == 3
    for wrong in ({"refund": 7}, {"refund*": Level.CERTIFIED}):
        with pytest.raises(PolicyError):
            Policy((), ceilings=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.01, True, "0.6", "99%"])
def test_a_threshold_is_a_share(value: Any) -> None:
    with pytest.raises(PolicyError):
        Policy((), threshold=value)
    with pytest.raises(PolicyError):
        Policy((), thresholds={"hand_over": value})


@pytest.mark.parametrize(
    "options",
    [{"patience": 0}, {"patience": math.nan}, {"unreviewed_irreversible": {"*"}}, {"thresholds": {"a*": 0.5}}],
)
def test_other_nonsense_is_told_when_the_policy_is_made(options: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        Policy((), **options)


def test_the_digest_is_of_the_content() -> None:
    base = Policy((on("refund", max_amount("amount", 100)), always("gate", "x")), threshold=0.6)
    same = Policy((always("gate", "x"), on(["refund"], max_amount("amount", 100)), always("gate", "x")), threshold=0.6)
    assert base.digest == same.digest
    others = [
        Policy((on("refund", max_amount("amount", 101)), always("gate", "x")), threshold=0.6),
        Policy((on("refund", max_amount("total", 100)), always("gate", "x")), threshold=0.6),
        Policy((on("look_up", max_amount("amount", 100)), always("gate", "x")), threshold=0.6),
        Policy((max_amount("amount", 100), always("gate", "x")), threshold=0.6),
        Policy((on("refund", max_amount("amount", 100)), always("gate", "y")), threshold=0.6),
        Policy((on("refund", max_amount("amount", 100)), always("gate", "x")), threshold=0.7),
        Policy((on("refund", max_amount("amount", 100)), always("gate", "x")), threshold=0.6, thresholds={"a": 0.6}),
        Policy((on("refund", max_amount("amount", 100)), always("gate", "x")), threshold=0.6, unreviewed_irreversible={"a"}),
        Policy((on("refund", max_amount("amount", 100)), always("gate", "x")), threshold=0.6, patience=6),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 1 + len(others)


def test_the_digest_survives_checks_without_source_and_with_resources() -> None:
    made: list[dict[str, Any]] = [{}, {}, {}]
    for scope, limit in zip(made, (5, 5, 6), strict=True):
        exec(f"def typed(facts):\n    return None if facts.args.get('n', 0) < {limit} else 1", scope)
    digests = [Policy((scope["typed"],)).digest for scope in made]
    assert digests[0] == digests[1] != digests[2]

    class Owner:
        def __init__(self, table: str) -> None:
            self.table, self.lock = table, object()

        def __call__(self, facts: Facts) -> None:
            return None

    assert Policy((Owner("a"),)).digest == Policy((Owner("a"),)).digest != Policy((Owner("b"),)).digest
    assert Policy((Owner("a").__call__,)).digest != Policy((Owner("b").__call__,)).digest


LIMIT, NAMES = 5, {"refund"}


def within_limit(facts: Facts) -> bool:
    return facts.tool in NAMES and len(facts.args) < LIMIT


def test_the_digest_shows_what_a_check_reads_and_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(facts: Facts) -> Ruling | None:
        return Ruling("gate", "Small.") if within_limit(facts) else None

    def other(facts: Facts) -> bool:
        return len(facts.args) < LIMIT

    digests = [Policy((check,)).digest, Policy((check,)).digest]
    here = sys.modules[__name__]
    for name, value in (("LIMIT", 6), ("NAMES", {"refund", "cancel"}), ("within_limit", other)):
        monkeypatch.setattr(here, name, value)
        digests.append(Policy((check,)).digest)
    check.version = "2"  # type: ignore[attr-defined]
    digests.append(Policy((check,)).digest)
    assert digests[0] == digests[1] and len(set(digests)) == len(digests) - 1


def typed(text: str, file: str = "<typed>") -> Any:
    """Return the function `check` of a text, which has no source then."""
    scope: dict[str, Any] = {}
    exec(compile(text, file, "exec"), scope)
    return scope["check"]


def test_code_without_source_is_told_apart_by_what_it_does_alone() -> None:
    texts = [
        "def check(facts): return facts.args",
        "def check(facts): return facts.tool",
        "def check(facts): return [one for one in facts.args]",
        "def check(facts): return [one.real for one in facts.args]",
        "def check(facts): return [one.imag for one in facts.args]",
        "def check(facts): return facts.tool in {'a', 'b', 'c'}",
        "def check(facts): return facts.tool in {'a', 'b', 'd'}",
    ]
    digests = [Policy((typed(text),)).digest for text in texts]
    assert len(set(digests)) == len(texts)
    assert digests == [Policy((typed(f"\n\n{text}", "/elsewhere"),)).digest for text in texts]


def test_what_a_check_holds_counts_to_its_end() -> None:
    class Matching:
        def __init__(self, tail: str) -> None:
            self.pattern = re.compile("a" * 250 + tail)

        def __call__(self, facts: Facts) -> None:
            return None

    class Listing:
        def __init__(self, limit: int) -> None:
            self.limits = {"refund": [limit]}

        def __call__(self, facts: Facts) -> None:
            return None

    for kind, one, other in ((Matching, "b", "c"), (Listing, 1, 2)):
        assert Policy((kind(one),)).digest == Policy((kind(one),)).digest != Policy((kind(other),)).digest


def test_the_documented_example_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "docs/policy.md", "exec"), {"__name__": "documented"})
