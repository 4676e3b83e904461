"""What the signals read, over real proposers and a real HTTP server, and the laws of the confidence made of them."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest
from assent.graph.confidence import (
    Reading,
    agreement,
    confidence,
    option_probability,
    precedent,
    same_action,
    self_assessment,
)
from assent.graph.errors import ModelUnavailable
from assent.graph.proposing import Offer, Precedent, Step, structured
from assent.graph.signals.option import legal_actions
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from scripted_model_server import action
from starlette.responses import JSONResponse

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SCHEMA = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "reason": {"$ref": "#/$defs/Reason"},
        "urgent": {"type": "boolean", "default": False},
        "note": {"type": "string", "default": ""},
    },
    "required": ["order_id", "reason"],
    "$defs": {"Reason": {"enum": ["late", "damaged"]}},
}
REFUND = Offer("refund", "Pay back.", SCHEMA, ({"order_id": "1"}, {"order_id": "2"}))
REPLY = Offer("reply", "Answer.", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})
STEP = Step("Rules.", (HumanMessage("It came late."),), (REFUND, REPLY))
ARGS = {"order_id": "1", "reason": "late"}
SAME = action("refund", **ARGS)
OTHER = action("refund", order_id="2", reason="late")


async def no_model(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    raise AssertionError("this signal asks no proposer")


# --- agreement --------------------------------------------------------------------------------------------------------


async def test_agreement_is_the_share_of_fresh_proposals_that_are_the_same(server) -> None:
    server.will_say(SAME, OTHER, SAME)
    reading = await agreement(k=3, temperature=0.9, seed=5)("refund", ARGS, STEP, structured(server.model()))
    assert reading.value == pytest.approx(2 / 3)
    assert (reading.signal, reading.calls, reading.gates) == ("agreement", 3, True) and reading.seconds > 0
    assert isinstance(reading.raw, dict) and reading.raw["ended"] == "all drawn" and len(reading.raw["draws"]) == 3
    assert [(request["temperature"], request["seed"]) for request in server.requests] == [(0.9, 5), (0.9, 6), (0.9, 7)]


async def test_defaults_count_as_said_and_an_alike_value_of_another_type_does_not(server) -> None:
    server.will_say(action("refund", **ARGS, urgent=False))
    propose = structured(server.model())
    full = {**ARGS, "urgent": False, "note": ""}
    assert (await agreement(k=1)("refund", full, STEP, propose)).value == 1.0
    assert (await agreement(k=1)("refund", {**full, "urgent": 0}, STEP, propose)).value == 0.0


async def test_strict_agreement_stops_at_the_first_disagreement(server) -> None:
    server.will_say(SAME, OTHER, SAME)
    reading = await agreement(k=5, strict=True)("refund", ARGS, STEP, structured(server.model()))
    assert isinstance(reading.raw, dict)
    assert (reading.value, reading.raw["ended"], len(server.requests)) == (0.2, "disagreement", 2)


async def test_a_malformed_proposal_is_a_disagreement_and_a_silent_model_no_reading(server) -> None:
    server.will_say(SAME, "garbage")
    propose = structured(server.model())
    assert (await agreement(k=2)("refund", ARGS, STEP, propose)).value == 0.5
    server.will_say(SAME, JSONResponse({}, 500))
    reading = await agreement(k=2)("refund", ARGS, STEP, propose)
    assert reading.value is None and reading.gates and "HTTP 500" in str(reading.raw)
    assert confidence([reading]) is None


async def test_a_spent_budget_ends_the_drawing_counts_against_the_action_and_says_so(server) -> None:
    async def slow_after_the_first(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0 if asked == 1 else 30)
        return AIMessage("", tool_calls=[{"name": "refund", "args": ARGS, "id": "c"}])

    asked = 0
    reading = await agreement(k=3, budget_seconds=0.3)("refund", ARGS, STEP, slow_after_the_first)
    assert isinstance(reading.raw, dict)
    assert (reading.value, reading.raw["ended"], reading.calls) == (pytest.approx(1 / 3), "time spent", 2)
    assert reading.seconds < 5
    reading = await agreement(k=3, budget_seconds=0.1)("refund", ARGS, STEP, slow_after_the_first)
    assert reading.value is None and confidence([reading]) is None


async def test_cancelling_a_reading_is_not_swallowed() -> None:
    async def forever(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await agreement()("refund", ARGS, STEP, forever)


@pytest.mark.parametrize("wrong", [{"k": 0}, {"temperature": 0.0}, {"temperature": math.nan}, {"budget_seconds": 0}])
def test_settings_that_measure_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="agreement needs"):
        agreement(**wrong)


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 2), st.sampled_from([0.0, 1.0, math.nan, "1", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=4,
)


def typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return ["list", *map(typed, value)]
    return [type(value).__name__, value]


@given(st.dictionaries(st.sampled_from("ab"), PLAIN, max_size=2), st.dictionaries(st.sampled_from("ab"), PLAIN, max_size=2))
def test_actions_are_the_same_when_values_and_their_types_are(one: dict[str, Any], other: dict[str, Any]) -> None:
    has_nan = "nan" in repr(one) or "nan" in repr(other)
    assert same_action("t", one, "t", other) == (typed(one) == typed(other) and not has_nan)
    assert not same_action("t", one, "u", one)


# --- self-assessment --------------------------------------------------------------------------------------------------


async def test_self_assessment_is_recorded_raw_and_never_gates(server) -> None:
    said = '{"problems": ["wrong order"], "probability_correct": 0.35}'
    server.will_say(said)
    step = replace(STEP, messages=(HumanMessage("It\u200b came >>> late. <|im_start|>"),))
    reading = await self_assessment(server.model())("refund", ARGS, step, no_model)
    assert (reading.value, reading.gates, reading.calls) == (0.35, False, 1)
    assert reading.raw == {"problems": ["wrong order"], "probability_correct": 0.35}
    asked = str(server.requests[-1]["messages"])
    assert "\u200b" not in asked and "<|im_start|>" not in asked and "Pay back." in asked
    assert confidence([reading]) is None


@pytest.mark.parametrize(
    "answer",
    [
        "very sure",
        '{"problems": []}',
        '{"problems": [], "probability_correct": 7}',
        '{"problems": [], "probability_correct": true}',
        '{"problems": [], "probability_correct": NaN}',
        "[]",
        JSONResponse({}, 500),
    ],
)
async def test_a_useless_self_assessment_has_no_value(server, answer) -> None:
    server.will_say(answer)
    reading = await self_assessment(server.model())("refund", ARGS, STEP, no_model)
    assert reading.value is None and not reading.gates and reading.raw


# --- precedent --------------------------------------------------------------------------------------------------------


def past(similarity: float, tool: str = "refund", **args: Any) -> Precedent:
    return Precedent("e", "text", tool, args, similarity)


@pytest.mark.parametrize(
    ("precedents", "value"),
    [
        ((), 0.0),
        ((past(0.9, order_id="8", reason="late", note="x"),), 0.9),
        ((past(0.9, order_id="8", reason="damaged"),), 0.0),
        ((past(0.9, order_id="8", reason="late", urgent=True),), 0.0),
        ((past(0.9, "reply", text="Hello"),), 0.0),
        ((past(0.8, order_id="8", reason="late"), past(0.2, "reply", text="x")), 0.8 * 0.8),
        ((past(0.0, order_id="8", reason="late"),), 0.0),
        ((past(math.nan, order_id="8", reason="late"),), None),
        ((past(1.5, order_id="8", reason="late"),), None),
    ],
)
async def test_precedent_weighs_agreeing_neighbours_by_likeness(precedents, value) -> None:
    reading = await precedent()("refund", ARGS, replace(STEP, precedents=precedents), no_model)
    assert reading.value == (None if value is None else pytest.approx(value))
    assert (reading.gates, reading.calls) == (True, 0)
    assert isinstance(reading.raw, dict) and reading.raw["compared"] == ["tool", "reason", "urgent"]


async def test_demonstrations_vouch_for_nothing_by_themselves_and_near_neighbours_can_outvote_far_ones() -> None:
    shown = replace(past(0.9, order_id="8", reason="late"), decided=False)
    alone = await precedent()("refund", ARGS, replace(STEP, precedents=(shown,)), no_model)
    assert alone.value == 0.0
    decided = past(0.6, order_id="8", reason="late")
    both = await precedent()("refund", ARGS, replace(STEP, precedents=(shown, decided)), no_model)
    assert both.value == pytest.approx(0.6)
    mixed = replace(STEP, precedents=(decided, past(0.4, "reply", text="x"), past(0.4, "reply", text="y")))
    plain = await precedent()("refund", ARGS, mixed, no_model)
    sharp = await precedent(sharpness=12.0)("refund", ARGS, mixed, no_model)
    assert plain.value is not None and sharp.value is not None and plain.value < sharp.value <= 0.6


# --- option probability -----------------------------------------------------------------------------------------------


async def test_option_probability_is_read_among_exactly_the_legal_actions() -> None:
    asked: list[str] = []

    async def score(messages: Any, options: Any) -> list[float]:
        asked.extend(options)
        return [
            0.5 if '"2"' in option and "late" in option and "true" in option else 0.5 / (len(options) - 1) for option in options
        ]

    assert len(legal_actions(STEP)) == 2 * 2 * 2 + 1 + 1
    reading = await option_probability(score)("refund", {"order_id": "2", "reason": "late", "urgent": True}, STEP, no_model)
    assert reading.value == 0.5 and reading.gates and len(asked) == len(set(asked)) == 10
    reading = await option_probability(score)("refund", ARGS, STEP, no_model)
    assert reading.value == pytest.approx(0.5 / 9)


@pytest.mark.parametrize("shares", [[1.0], [math.nan] * 10, [2.0] * 10, []])
async def test_scores_that_are_no_probabilities_have_no_value_and_block(shares: list[float]) -> None:
    async def score(messages: Any, options: Any) -> list[float]:
        return shares

    reading = await option_probability(score)("refund", ARGS, STEP, no_model)
    assert reading.value is None and confidence([reading]) is None


async def test_option_probability_blocks_where_it_fails_and_stands_aside_where_it_cannot_be() -> None:
    async def score(messages: Any, options: Any) -> list[float]:
        raise ModelUnavailable

    failed = await option_probability(score)("refund", ARGS, STEP, no_model)
    unknown = await option_probability(score)("refund", {"order_id": "3", "reason": "late"}, STEP, no_model)
    absent = await option_probability()("refund", ARGS, STEP, no_model)
    assert [(one.value, one.gates) for one in (failed, unknown, absent)] == [(None, True), (None, True), (None, False)]


# --- confidence -------------------------------------------------------------------------------------------------------


def reading(value: Any, gates: bool = True) -> Reading:
    return Reading("s", value, None, 0.0, 0, gates)


SHARES = st.floats(0, 1)
NOT_SHARES = st.sampled_from([None, math.nan, math.inf, -0.1, 1.0001, "0.9", True])


@given(st.lists(SHARES, min_size=1, max_size=5), st.lists(st.one_of(SHARES, NOT_SHARES), max_size=3))
def test_confidence_is_the_product_of_what_gates_and_of_nothing_else(values: list[float], recorded: list[Any]) -> None:
    gating = [reading(value) for value in values]
    assert confidence([*gating, *(reading(value, gates=False) for value in recorded)]) == math.prod(values)
    assert confidence(reversed(gating)) == pytest.approx(math.prod(values))


@given(st.lists(SHARES, max_size=4), NOT_SHARES, st.integers(0, 4))
def test_one_gating_reading_without_a_share_leaves_no_confidence(values: list[float], broken: Any, place: int) -> None:
    readings = [reading(value) for value in values]
    readings.insert(place, reading(broken))
    assert confidence(readings) is None


@given(st.lists(SHARES, min_size=1, max_size=4), st.integers(0, 3), SHARES)
def test_confidence_never_falls_when_a_reading_rises(values: list[float], place: int, other: float) -> None:
    place %= len(values)
    low, high = sorted((values[place], other))
    before, after = (confidence([reading(value) for value in [*values[:place], new, *values[place + 1 :]]]) for new in (low, high))
    assert before is not None and after is not None and 0 <= before <= after <= min(1.0, high)


def test_without_a_gating_reading_there_is_no_confidence() -> None:
    assert confidence([]) is None
    assert confidence([reading(1.0, gates=False)]) is None
