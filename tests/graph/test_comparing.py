"""Which arguments are the same: five words at any depth of a schema, the laws of sameness, and that no model sees the words."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Annotated, Any

import assent
import pytest
from assent.evals.examples import Call, Example
from assent.evals.exports.turns import tools as tools_of
from assent.graph.canonical import canonical
from assent.graph.comparing import only_cosmetic, same
from assent.graph.confidence import agreement, precedent, same_action
from assent.graph.proposing import Offer, Precedent, Step, action_schema, native, structured
from assent.tools.comparison import COMPARE, COMPARISONS, unmarked
from assent.tools.declaration import plain, schema_digest, schema_of
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool as langchain_tool
from pydantic import BaseModel, Field
from scripted_model_server import action, scripted_server, tool_calls

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def words(**found: Any) -> dict[str, Any]:
    """Return a schema of these arguments, each compared by a word or under a schema of its own."""
    return {
        "type": "object",
        "properties": {name: {COMPARE: word} if isinstance(word, str) else word for name, word in found.items()},
    }


class Line(BaseModel):
    sku: str
    pieces: int = 1
    remark: str = ""


class Address(BaseModel):
    street: Annotated[str, Field(json_schema_extra={COMPARE: "text"})]
    zip: str = ""


class Odd(BaseModel):
    note: Annotated[str, Field(json_schema_extra={COMPARE: "txt"})]


@assent.action(
    consequence="costly",
    compare={"lines": "set", "lines.remark": "cosmetic", "amount": "number", "to.zip": "text", "tags": "set", "tags[]": "text"},
)
async def order(
    lines: list[Line],
    amount: Decimal,
    to: Address,
    billing: Address | None = None,
    tags: list[str] | None = None,
    note: Annotated[str, Field(json_schema_extra={COMPARE: "text"})] = "",
) -> str:
    """Order goods."""
    return ""


ORDER = plain(
    order,
    {
        "lines": [{"sku": "a", "remark": "red"}, {"sku": "b", "pieces": 2}],
        "amount": "12.50",
        "to": {"street": "High Street 1", "zip": "AB1"},
        "tags": ["Gift", "fragile"],
        "note": "Please ring",
    },
)


# --- the five words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "one", "other", "alike"),
    [
        ("exact", 1, 1.0, False),
        ("exact", 1, True, False),
        ("exact", 1, "1", False),
        ("exact", "a", "A", False),
        ("exact", ["a", "b"], ["b", "a"], False),
        ("exact", {"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ("set", ["a", "b"], ["b", "a", "a"], True),
        ("set", [{"x": 1}, {"x": 2}], [{"x": 2}, {"x": 1}], True),
        ("set", ["a", "b"], ["a"], False),
        ("set", list(range(99)), list(range(99))[::-1], True),
        ("set", [1], [1.0], False),
        ("set", [], None, False),
        ("set", "ab", "ba", False),
        ("number", 1, 1.0, True),
        ("number", 0, -0.0, True),
        ("number", 1, True, False),
        ("number", 0, False, False),
        ("number", 12.5, "12.50", True),
        ("number", 0.1, "0.1", True),
        ("number", 10**22, 1e22, True),
        ("number", 9007199254740993, 9007199254740992.0, False),
        ("number", 1, 1 + 2**-52, False),
        ("number", "-0.00", 0, True),
        ("number", "1e3", 1000, True),
        ("number", "1,000", "1000", False),
        ("number", "\u0661", 1, False),
        ("number", "1_0", 10, False),
        ("number", None, 0, False),
        ("number", [1], [1.0], False),
        ("text", "Caf\u00e9  au\tlait ", "cafe\u0301 AU lait", True),
        ("text", "stra\u00dfe", "STRASSE", True),
        ("text", "\uff11\uff10", "10", True),
        ("text", "a b", "ab", False),
        ("text", "a\u200bb", "ab", False),
        ("text", "1", 1, False),
        ("text", ["A"], ["a"], False),
        ("cosmetic", "a", {"b": 1}, True),
        ("cosmetic", None, 0, True),
        ("cosmetic", math.nan, math.nan, False),
        ("numbr", 1, 1.0, False),
        ("numbr", 1, 1, True),
    ],
)
def test_a_word_says_which_differences_matter(word: str, one: Any, other: Any, alike: bool) -> None:
    schema = words(a=word)
    assert same({"a": one}, {"a": other}, schema) is same({"a": other}, {"a": one}, schema) is alike
    nested = words(b=words(c={"type": "array", "items": words(a=word)}))
    assert same({"b": {"c": [{"a": one}]}}, {"b": {"c": [{"a": other}]}}, nested) is alike


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({"lines": [{"sku": "b", "pieces": 2}, {"sku": "a", "remark": "blue"}]}, True),
        ({"lines": [{"sku": "b", "pieces": 2}, {"sku": "a"}, {"sku": "a"}]}, True),
        ({"lines": [{"sku": "a"}]}, False),
        ({"lines": [{"sku": "a"}, {"sku": "b", "pieces": 2.0}]}, False),
        ({"amount": 12.5}, True),
        ({"amount": 12.51}, False),
        ({"to": {"street": "HIGH  street 1", "zip": "ab1"}}, True),
        ({"to": {"street": "High Street 2", "zip": "AB1"}}, False),
        ({"billing": {"street": "High Street 1"}}, False),
        ({"tags": ["FRAGILE", "gift"]}, True),
        ({"tags": None}, False),
        ({"note": "please  RING"}, True),
        ({"note": "please call"}, False),
    ],
)
def test_words_reach_into_objects_lists_and_what_may_be_left_out(change: dict[str, Any], alike: bool) -> None:
    left_out = {name: value for name, value in ORDER.items() if name != "billing"}
    assert same(ORDER, {**left_out, **change}, schema_of(order)) is alike


def test_a_path_marks_one_use_of_a_model_and_an_annotation_all() -> None:
    billed = {**ORDER, "billing": {"street": "Side Street", "zip": "x"}}
    assert same(billed, {**billed, "billing": {"street": "side street", "zip": "x"}}, schema_of(order))
    assert not same(billed, {**billed, "billing": {"street": "Side Street", "zip": "X"}}, schema_of(order))


def test_the_form_that_fits_a_value_says_how_it_compares() -> None:
    card = {"type": "object", "properties": {"kind": {"const": "card"}, "holder": {COMPARE: "text"}}, "required": ["kind"]}
    cash = {"type": "object", "properties": {"kind": {"const": "cash"}}, "required": ["kind"]}
    schema = words(by={"oneOf": [cash, {"$ref": "#/$defs/Card"}]}, more={"additionalProperties": {COMPARE: "number"}}) | {
        "$defs": {"Card": card}
    }
    assert same({"by": {"kind": "card", "holder": "Ann"}}, {"by": {"kind": "card", "holder": "ANN"}}, schema)
    assert not same({"by": {"kind": "cash", "holder": "Ann"}}, {"by": {"kind": "cash", "holder": "ANN"}}, schema)
    assert same({"more": {"x": 1}}, {"more": {"x": 1.0}}, schema)
    pair = words(a={"prefixItems": [{COMPARE: "text"}], "items": {COMPARE: "number"}})
    assert same({"a": ["A", 1, 2]}, {"a": ["a", 1.0, 2.0]}, pair) and not same({"a": [1, "A"]}, {"a": [1, "a"]}, pair)


def test_what_is_cosmetic_may_be_left_out_and_what_has_a_default_too() -> None:
    schema = words(a="cosmetic", b={"default": 1}, c="text")
    assert same({"a": 1}, {"b": 1}, schema)
    assert not same({"b": 2}, {}, schema) and not same({"c": ""}, {}, schema)


def test_nobody_can_call_the_arguments_as_a_whole_cosmetic() -> None:
    assert not same({"a": 1}, {"a": 2}, {COMPARE: "cosmetic", "properties": {"a": {}}})


# --- cosmetic edits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "cosmetic"),
    [
        ({}, False),
        ({"lines": [{"sku": "a", "remark": "blue"}, {"sku": "b", "pieces": 2}]}, True),
        ({"lines": [{"sku": "a", "remark": "blue"}, {"sku": "b", "pieces": 3}]}, False),
        ({"lines": [{"sku": "b", "pieces": 2}, {"sku": "a", "remark": "red"}]}, False),
        ({"note": "PLEASE RING"}, False),
    ],
)
def test_an_edit_is_cosmetic_when_it_changes_something_and_only_what_is_declared_so(edit: dict[str, Any], cosmetic: bool) -> None:
    assert only_cosmetic(ORDER, plain(order, {**ORDER, **edit}), schema_of(order)) is cosmetic


# --- laws -------------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.sampled_from([0, 1, -1, 0.0, -0.0, 1.0, 0.1, "1", "1.0", "a", "A ", "\uff21", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=5,
)
ARGS = st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2)
SCHEMAS = st.recursive(
    st.one_of(st.just({}), st.sampled_from(COMPARISONS).map(lambda word: {COMPARE: word})),
    lambda inner: st.builds(
        lambda word, properties, items: {**word, "properties": properties, "items": items},
        st.sampled_from([{}, *({COMPARE: word} for word in COMPARISONS)]),
        st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        inner,
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(ARGS, ARGS, ARGS, SCHEMAS)
def test_sameness_is_an_equivalence_that_equal_json_never_breaks(one, two, three, schema) -> None:
    assert same(one, one, schema) and same(one, json.loads(json.dumps(one)), schema)
    assert same(one, two, schema) == same(two, one, schema)
    if same(one, two, schema) and same(two, three, schema):
        assert same(one, three, schema)
    if canonical(one) == canonical(two):
        assert same(one, two, schema)


@settings(max_examples=300)
@given(ARGS, ARGS, SCHEMAS)
def test_without_words_only_equal_json_is_the_same_and_cosmetic_edits_differ(one, two, schema) -> None:
    assert same(one, two, unmarked(schema)) == (canonical(one) == canonical(two))
    if only_cosmetic(one, two, schema):
        assert canonical(one) != canonical(two) and same(one, two, schema)


WRITTEN = st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False))


@given(WRITTEN, WRITTEN)
def test_numbers_are_the_same_exactly_when_their_values_are(one, other) -> None:
    if any(isinstance(value, Decimal) and not value.is_finite() for value in (one, other)):
        return
    left, right = (str(value) if isinstance(value, Decimal) else value for value in (one, other))
    exact = [Decimal(repr(value)) if isinstance(value, float) else Decimal(value) for value in (one, other)]
    assert same({"a": left}, {"a": right}, words(a="number")) == (exact[0] == exact[1])


# --- declaring --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"note": "fuzzy"}, {"nota": "text"}, {"note.x": "text"}, {"note[]": "text"}, {"": "text"}])
def test_a_word_or_an_argument_that_does_not_exist_cannot_be_declared(wrong: Any) -> None:
    with pytest.raises(ValueError, match="compare"):

        @assent.action(consequence="read", compare=wrong)
        async def look(note: str) -> str:
            """Look."""
            return note


def test_a_misspelt_annotation_cannot_be_declared_either() -> None:
    with pytest.raises(ValueError, match="not as 'txt'"):

        @assent.action(consequence="read")
        async def look(odd: Odd) -> str:
            """Look."""
            return ""


def test_what_is_declared_is_part_of_the_schema_and_of_its_digest() -> None:
    def declared(**compare: Any) -> Any:
        @assent.action(consequence="read", compare=compare)
        async def look(note: str) -> str:
            """Look."""
            return note

        return look

    @langchain_tool(args_schema=Address)
    def plain_tool(street: str, zip: str) -> str:
        """Look."""
        return street

    assert schema_of(declared(note="text"))["properties"]["note"][COMPARE] == "text"
    assert len({schema_digest(declared(**one)) for one in ({}, {"note": "text"}, {"note": "cosmetic"})}) == 3
    assert COMPARE not in str(declared(note="text").tool_call_schema.model_json_schema())
    assert schema_of(plain_tool)["properties"]["street"][COMPARE] == "text"


# --- at the models' doors ---------------------------------------------------------------------------------------------


async def test_no_model_is_sent_a_word() -> None:
    named = {"type": "object", "properties": {COMPARE: {"type": "string", COMPARE: "text"}}, "required": []}
    offers = (Offer("order", "Order.", schema_of(order)), Offer("odd", "Odd.", named))
    step = Step("", (HumanMessage("Buy it"),), offers)
    async with scripted_server() as server:
        server.will_say(tool_calls(("odd", "{}")))
        await native(server.model())(step)
        functions = {one["function"]["name"]: one["function"]["parameters"] for one in server.requests[-1]["tools"]}
        assert functions["odd"]["properties"] == {COMPARE: {"type": "string"}}, "an argument may be called so, a keyword not"
        assert COMPARE not in str(functions["order"]) and functions["order"]["properties"]["lines"]["type"] == "array"
        server.will_say(action("odd"))
        await structured(server.model())(step)
        asked = str(server.requests[-1]["response_format"])
        assert asked.count(COMPARE) == 1 and f"'{COMPARE}': {{'type': 'string'}}" in asked
    assert COMPARE not in str(action_schema(offers[:1], True))
    example = Example("e", "Buy it", (), "order", {}, {}, "approve", offers=offers)
    exported = {one["function"]["name"]: one["function"]["parameters"] for one in tools_of(example, Call("order", {})) or ()}
    assert COMPARE not in str(exported["order"]) and exported["odd"] == functions["odd"]


# --- the signals that compare -----------------------------------------------------------------------------------------


async def test_agreement_compares_as_the_schema_says() -> None:
    step = Step("", (HumanMessage("Buy it"),), (Offer("order", "Order.", schema_of(order)),))
    other = {**ORDER, "amount": 12.5, "note": "PLEASE ring", "lines": ORDER["lines"][::-1]}
    async with scripted_server() as server:
        server.will_say(tool_calls(("order", json.dumps(other))), tool_calls(("order", json.dumps({**other, "amount": 12}))))
        reading = await agreement(k=2)("order", ORDER, step, native(server.model()))
    assert reading.value == 0.5
    assert same_action("order", ORDER, "order", other, schema_of(order)) and not same_action("order", ORDER, "order", other)


async def test_precedents_that_differ_in_what_is_cosmetic_agree() -> None:
    schema = words(why={"enum": ["late", "bent"]}, tone={"enum": ["warm", "cool"], COMPARE: "cosmetic"})
    past = (Precedent("e", "text", "refund", {"why": "late", "tone": "warm"}, 0.9),)
    step = Step("", (HumanMessage("Late"),), (Offer("refund", "Refund.", schema),), past)
    assert (await precedent()("refund", {"why": "late", "tone": "cool"}, step, native)).value == 0.9  # type: ignore[arg-type]
    assert (await precedent()("refund", {"why": "bent", "tone": "warm"}, step, native)).value == 0.0  # type: ignore[arg-type]
