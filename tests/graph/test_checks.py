"""The ready-made checks: what they let pass, what they stop, and what their reasons name."""

from __future__ import annotations

import inspect
from decimal import Decimal
from typing import Any

import pytest
from assent.graph.rules.checks import hidden_characters, legal_choice, max_amount, only_requester, rate
from assent.graph.rules.hidden import hidden_in
from assent.graph.rules.policy import Check, Facts, Policy, Ruled, Ruling
from hypothesis import given, settings
from hypothesis import strategies as st


async def answer(check: Check, args: dict[str, Any] | None = None, **context: Any) -> Ruling | None:
    found = check(Facts("refund", args or {}, "costly", "C1", "main", "shop", "t1", context))
    return await found if inspect.isawaitable(found) else found


@pytest.mark.parametrize("amount", ["100", "100.00", "0", "-0", 100, 99.5, 0])
async def test_an_amount_within_the_limit_passes(amount: Any) -> None:
    assert await answer(max_amount("amount", "100"), {"amount": amount}) is None


@pytest.mark.parametrize(
    "amount",
    [
        "100.00000000000000000001",
        "100.01",
        101,
        100.5,
        "-1",
        -1,
        True,
        None,
        "",
        "£5",
        "1e1",
        "5 ",
        "٣",
        "1_0",
        "NaN",
        "Infinity",
        [5],
    ],
)
async def test_any_other_amount_is_reviewed(amount: Any) -> None:
    found = await answer(max_amount("amount", Decimal(100)), {"amount": amount})
    assert found is not None
    assert found.kind == "review"
    assert "amount" in found.reason


async def test_a_missing_amount_is_reviewed() -> None:
    found = await answer(max_amount("amount", 100))
    assert found is not None
    assert found.kind == "review"


@pytest.mark.parametrize("limit", ["", "much", "NaN", "inf"])
def test_a_limit_is_a_number(limit: str) -> None:
    with pytest.raises(ValueError, match="limit"):
        max_amount("amount", limit)


async def owner_of(order: str) -> str | None:
    return {"1001": "C1", "2001": "C2"}.get(order)


@pytest.mark.parametrize(("order", "kind"), [("1001", None), ("2001", "refuse"), ("9", "refuse")])
@pytest.mark.parametrize("lookup", [owner_of, {"1001": "C1", "2001": "C2"}.get])
async def test_only_what_is_the_requesters_passes(order: str, kind: str | None, lookup: Any) -> None:
    found = await answer(only_requester("order_id", lookup), {"order_id": order})
    assert (found and found.kind) == kind


async def test_an_owner_nobody_knows_is_nobody_even_for_an_unnamed_requester() -> None:
    check = only_requester("order_id", owner_of)
    assert await check(Facts("refund", {}, "costly", None, "main", "shop", "t1"))  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("context", "kind"), [({"choices_legal": True}, None), ({"choices_legal": False}, "refuse"), ({}, "review")]
)
async def test_only_legal_choices_pass(context: dict[str, Any], kind: str | None) -> None:
    found = await answer(legal_choice(), **context)
    assert (found and found.kind) == kind


@pytest.mark.parametrize("legal", [1, "true", None, 0])
async def test_what_is_not_a_truth_value_is_not_known(legal: Any) -> None:
    found = await answer(legal_choice(), choices_legal=legal)
    assert found is not None
    assert found.kind == "review"


@pytest.mark.parametrize(
    ("earlier", "passes"), [(0, True), (2, True), (3, False), (None, False), (True, False), (-1, False), ("0", False)]
)
async def test_only_so_many_actions_of_a_case_pass(earlier: Any, passes: bool) -> None:
    found = await answer(rate(3), earlier=earlier)
    assert (found is None) == passes
    assert found is None or found.kind == "review"


HIDDEN = {
    "zero-width space": "a\u200bb",
    "a joiner between letters": "a\u200db",
    "a joiner at the end": "hello\u200d",
    "an override": "abc\u202egpj.exe",
    "a mark between Latin letters": "a\u200fb",
    "an isolate": "\u2066x\u2069",
    "tag characters": "ok\U000e0049\U000e0067",
    "tags behind a flag that is none": "\U0001f3f4\U000e0061\U000e0062\U000e007f",
    "text behind a real flag": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\U000e0061",
    "selectors as bytes": "😀\U000e0110\U000e0120",
    "two selectors": "❤\ufe0f\ufe0f",
    "a filler that looks blank": "a\u3164b",
    "a blank in Braille": "a\u2800b",
    "a soft hyphen": "re\u00adfund",
    "a lone surrogate": "a\ud800",
    "an escape": "\x1b[2K",
    "a bare carriage return": "Pay 5\rPay 9",
    "a byte order mark": "\ufeffhello",
}
ORDINARY = {
    "nothing": "",
    "lines": "Dear shop,\r\n\tI am\nMaud",
    "accents": "Zoë, naïve café, £34.00 “thanks”",
    "emoji": "👩‍🍳 ❤️ 1️⃣ 👨🏽‍🌾 👍🏽 🇬🇧 ☺︎",
    "flags of parts of the kingdom": "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏴󠁧󠁢󠁷󠁬󠁳󠁿",
    "Persian": "می‌خواهم",
    "Hindi": "क्‍ष",
    "Hebrew with marks": "שלום\u200f, order 1001",
    "Japanese": "返品したいです。",
}


@pytest.mark.parametrize("place", ["argument", "message"])
@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
async def test_hidden_characters_are_reviewed(text: str, place: str) -> None:
    args, context = ({"note": text}, {}) if place == "argument" else ({"note": "fine"}, {"text": text})
    found = await answer(hidden_characters(), args, **context)
    assert found is not None
    assert found.kind == "review"
    assert ("argument.note" if place == "argument" else "in message") in found.reason
    assert "U+" in found.reason


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
async def test_ordinary_writing_passes(text: str) -> None:
    assert await answer(hidden_characters(), {"note": text, "lines": [text]}, text=text) is None


async def test_the_reason_names_code_point_and_field_wherever_it_hides() -> None:
    found = await answer(hidden_characters(), {"lines": [{"to\u200b": "x"}, {"to": "a\u202eb"}]}, text="\u2060" * 9)
    assert found is not None
    assert found.reason == (
        "There are hidden characters: U+200B ZERO WIDTH SPACE in a name in argument.lines[0];"
        " U+202E RIGHT-TO-LEFT OVERRIDE in argument.lines[1].to; U+2060 WORD JOINER in message and 8 more."
    )


@settings(deadline=None)
@given(st.text(), st.sampled_from(["\u200b", "\u202e", "\U000e0041", "\u2060", "\x00"]), st.text())
def test_no_surroundings_hide_a_hidden_character(before: str, character: str, after: str) -> None:
    found = list(hidden_in("note", before + character + after))
    assert any(one.index == len(before) and one.character == character for one in found)


async def test_checks_are_named_by_their_factory_in_a_ruling() -> None:
    found: Ruled = await Policy((legal_choice(), rate(1))).rule(Facts("a", {}, "read", "C1", "main", "shop", "t1"))
    assert [ruling.check for ruling in found.rulings] == ["legal_choice", "rate"]
