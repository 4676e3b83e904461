"""Conditions over typed arguments: what CEL does with each type, what is refused at load, and what is too much."""

from __future__ import annotations

import time
from typing import Any

import pytest
from assent.graph.rules.expressions import VARIABLES, ExpressionError, compile_expression
from assent.graph.rules.policy import Facts
from hypothesis import given, settings
from hypothesis import strategies as st

ARGS: dict[str, Any] = {
    "amount": "120.50",
    "count": 5,
    "weight": 5.0,
    "urgent": True,
    "note": None,
    "large": 2**63,
    "skus": ["KET-01", "POT-02"],
    "to": {"town": "Bristol"},
    "word": "abc",
    "nan": "NaN",
}


def value_of(source: str, args: dict[str, Any] | None = None, **context: Any) -> object:
    about = Facts("refund", ARGS if args is None else args, "costly", "C1", "main", "shop", "t1", {"text": "Hi", **context})
    return compile_expression(source)(about)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("double(args.amount) > 120", True),
        ("double(args.amount) > 120.5", False),
        ("double(args.amount) == 120.50", True),
        ('args.amount == "120.50"', True),
        ("args.amount == 120.5", False),  # text is never a number
        ("args.count > 4 && args.count > 4.5 && args.count == 5.0", True),
        ("args.weight > 4 && args.weight == 5", True),
        ('args.count == "5"', False),
        ("args.urgent", True),
        ("args.urgent == 1", False),  # a boolean is never a number
        ("args.note == null", True),
        ("has(args.note)", True),  # it is there, and null
        ("has(args.nothing)", False),
        ("args.large > 9223372036854775807", True),
        ('"KET-01" in args.skus && size(args.skus) == 2', True),
        ('args.skus.exists(sku, sku.startsWith("POT"))', True),
        ('args.to.town == "Bristol"', True),
        ('args["to"]["town"] == "Bristol"', True),
        (
            'tool == "refund" && consequence == "costly" && requester == "C1" && tenant == "main" && agent == "shop"',
            True,
        ),
        ('context.text.matches("(?i)^hi$")', True),
        ("type(args.count) == int && type(args.amount) == string && type(args.weight) == double", True),
        ("false && args.nothing", False),
        ("true || args.nothing", True),
        ("args.count", 5),
        ("args.amount", "120.50"),
    ],
)
def test_typed_values(source: str, value: object) -> None:
    found = value_of(source)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "source",
    [
        "args.amount > 100",  # text against number
        "args.nothing > 1",
        "context.evidence.contains('x')",
        "double(args.word) > 1",
        "double(args.nan) > 1.0",
        "args.note > 1",
        "args.urgent > 0",
        "args.count / 0 == 1",
        "args.count && true",
        "args.word.town",
        'args.word.matches("(")',
        "args.skus[7] == 'x'",
    ],
)
def test_what_makes_no_sense_is_an_error_and_not_a_value(source: str) -> None:
    with pytest.raises(ExpressionError):
        value_of(source)


@settings(deadline=None)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5)
)
def test_no_argument_makes_a_comparison_with_a_number_anything_but_a_truth_or_an_error(value: Any) -> None:
    for source in ("double(args.amount) > 100.0", "args.amount > 100"):
        try:
            found = value_of(source, {"amount": value})
        except ExpressionError:
            continue
        number = float(value)
        assert found == (number > 100)


@pytest.mark.parametrize(
    ("source", "problem", "place"),
    [
        ("consequnce == 'read'", "unknown variable 'consequnce'; did you mean 'consequence'?", (1, 1)),
        ("true && amount > 1", "unknown variable 'amount'; an argument is read as args.amount", (1, 9)),
        ("args.skus.exists(sku, sku == skew)", "unknown variable 'skew'", (1, 30)),
        ("'amount' == amount", "unknown variable 'amount'", (1, 13)),
        ("tool ==\n  'a' || tol == 'b'", "unknown variable 'tol'; did you mean 'tool'?", (2, 10)),
        ("now() > 1", "unknown function 'now'", (1, 1)),
        ("double(args.a) > duble(args.b)", "unknown function 'duble'; did you mean 'double'?", (1, 18)),
        ("math.greatest(1, 2) > 1", "unknown function 'greatest'", (1, 6)),
        ("tool = 'a'", "not a CEL expression", (1, 6)),
        ("tool == ", "not a CEL expression", (1, 9)),
        ("", "not a CEL expression", (1, 1)),
        ("args.amount > '100'", "letter by letter", (1, 13)),
        ('"99.5" <= args.amount', "letter by letter", (1, 1)),
        ("args.skus.all(tool, tool == 'a')", "'tool' already has a meaning", (1, 15)),
        ("(" * 200 + "true" + ")" * 200, "nested too deeply", (1, None)),
        ("true" + " || true" * 300, "longer than 2000 characters", (1, None)),
        (" && ".join(f"args.skus.all({name}, true)" for name in "abc"), "at most 2 of", (1, None)),
    ],
)
def test_mistakes_are_found_before_the_first_action(source: str, problem: str, place: tuple[int, int | None]) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert problem in str(caught.value)
    assert (caught.value.line, caught.value.column) == place
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        'context.text.contains("amount > \\"100\\"") // duble(amount)',
        "context.text == '''say exists(x, y)'''",
        'context.day < "2026-11-20"',  # dates in this form do compare letter by letter
        "args.skus.filter(sku, sku != 'x').exists(other, other == 'y')",
    ],
)
def test_what_stands_in_quotes_or_comments_is_no_name(source: str) -> None:
    compile_expression(source)


def test_every_variable_is_a_fact() -> None:
    assert set(VARIABLES) <= set(Facts.__slots__)


def test_arguments_that_are_read_are_known() -> None:
    found = compile_expression("args.a == 'args.z' && has(args.b) && args.to.args.c == 1 && context.args == args.a").arguments
    assert found == {"a": 5, "b": 31, "to": 42}


def test_walking_a_lot_is_refused_and_walking_what_is_left_is_bounded() -> None:
    source = "args.l.exists(a, args.l.exists(b, a + b < 0))"
    with pytest.raises(ExpressionError, match="more than 1000 values"):
        value_of(source, {"l": list(range(1001))})
    started = time.perf_counter()
    assert value_of(source, {"l": list(range(900))}) is False
    assert time.perf_counter() - started < 10
