"""Values that execute differently hash differently, and what was hashed comes back from the database as it was."""

from __future__ import annotations

import json
import math

import pytest
import sqlalchemy as sa
from assent.graph.canonical import NotCanonical, canonical, digest_of
from assent.graph.store.columns import PlainJson
from hypothesis import given, settings
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["", "1", "i1;", "s1:a", "\ud800", "é", "e\u0301", "\x00", "{}"]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0, 0.0, -0.0, 1, 1.0, 2**53, 2.0**53])
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def told_apart(value: object) -> object:
    """Return what Python would call different, all types and signs included; independent of the canonical form."""
    match value:
        case bool() | None:
            return ("constant", repr(value))
        case float():
            return ("float", math.copysign(1, value), repr(value))
        case int():
            return ("int", value)
        case str():
            return ("str", value)
        case list():
            return ("list", tuple(told_apart(item) for item in value))
        case dict():
            return ("dict", frozenset((told_apart(key), told_apart(item)) for key, item in value.items()))
    raise AssertionError(value)


@given(PLAIN, PLAIN)
@settings(max_examples=400, deadline=None)
def test_two_values_have_the_same_bytes_only_if_they_are_the_same(one, other):
    assert (canonical(one) == canonical(other)) == (told_apart(one) == told_apart(other))


@pytest.mark.parametrize(
    "values",
    [
        (1, 1.0, True, "1", [1], {"1": None}),
        (0, 0.0, -0.0, False, None, "", [], {}),
        ({"1": "a"}, {1: "a"}),
        ("é", "e\u0301"),
        (["ab"], ["a", "b"], [["a"], "b"], ["a", ["b"]]),
        ({"a": 1, "b": 2}, {"a": {"b": 2}}, {"a": 1}),
        ("\ud800", "\\ud800", "\udfff"),
        (2**53, 2.0**53, str(2**53)),
    ],
)
def test_values_that_execute_differently_hash_differently(values):
    assert len({digest_of(value) for value in values}) == len(values)


@given(st.dictionaries(TEXT, PLAIN, max_size=5), st.randoms())
@settings(deadline=None)
def test_the_order_of_keys_says_nothing(value, random):
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(value)


@given(PLAIN)
@settings(max_examples=300, deadline=None)
def test_the_digest_survives_the_column_it_is_stored_in(value):
    column, dialect = PlainJson(), sa.create_engine("sqlite://").dialect
    stored = column.process_bind_param({"value": value}, dialect)
    assert stored is not None
    assert digest_of(column.process_result_value(stored, dialect)) == digest_of({"value": value})


def test_the_digest_survives_a_real_database(tmp_path):
    table = sa.Table("kept", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("value", PlainJson))
    value = {"amount": -0.0, "big": 2**200, "third": 1 / 3, "half": "\ud800", "zero": "\x00", "list": [1, 1.0, True, "1", None]}
    engine = sa.create_engine(f"sqlite:///{tmp_path}/kept.db")
    table.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(table.insert().values(id=1, value=value))
    with engine.begin() as connection:
        found = connection.execute(sa.select(table.c.value)).scalar_one()
    engine.dispose()
    assert digest_of(found) == digest_of(value)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, {"a": [math.nan]}, b"bytes", {1.5: "a"}, {True: "a"}, {None: 1}, object(), {"a"}, 1j]
)
def test_what_plain_json_cannot_hold_is_refused(value):
    with pytest.raises(NotCanonical):
        canonical(value)


def test_a_number_too_long_to_be_written_out_is_refused_as_such():
    with pytest.raises(NotCanonical):
        canonical({"amount": 10**5000})


def test_a_value_nested_too_deep_is_refused():
    deep: list[object] = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(NotCanonical):
        canonical(deep)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_column_refuses_what_has_no_canonical_form(value):
    with pytest.raises(ValueError):
        PlainJson().process_bind_param({"a": value}, sa.create_engine("sqlite://").dialect)


def test_the_column_holds_text_that_any_json_reader_reads():
    stored = PlainJson().process_bind_param({"a": "\ud800", "b": [1.5]}, sa.create_engine("sqlite://").dialect)
    assert stored is not None and stored.isascii() and json.loads(stored) == {"a": "\ud800", "b": [1.5]}
