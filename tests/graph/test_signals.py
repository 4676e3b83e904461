"""What each signal reads and what it costs, over a real HTTP server; whatever a signal does, it opens no gate by failing."""

from __future__ import annotations

import asyncio
import json
import math
import re
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from typing import Any

import assent
import pytest
from assent.graph.autonomy.classes import key_of
from assent.graph.autonomy.scoring import Head, Term, features_of
from assent.graph.confidence import Reading, agreement, confidence, precedent
from assent.graph.errors import ModelUnavailable, ProposalError
from assent.graph.keyed import asked_and_measured
from assent.graph.proposing import Offer, Precedent, Step, native, structured
from assent.graph.proposing.prompt import prompt
from assent.graph.signals import (
    log_probability,
    policy_flags,
    reading_of,
    self_assessment,
    similar_approved,
    similar_corrected,
    verbalized,
)
from assent.graph.signals.reading import Measured, NamedSignal, taken
from assent.graph.store import reviews
from assent.graph.store.autonomy_models import AutonomyRow
from earning import as_signed
from fakes import SAFE, Script, approve, asks, calls, edit, on_thread, reject, says
from langchain_core.messages import AIMessage, HumanMessage
from scripted_model_server import action, completion, tool_calls
from starlette.responses import JSONResponse

SCHEMA = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "reason": {"enum": ["late", "bent"]}, "note": {"type": "string", "default": ""}},
    "required": ["order_id", "reason"],
}
REFUND = Offer("refund", "Pay back.", SCHEMA)
STEP = Step("Rules.", (HumanMessage("It came late."),), (REFUND,))
ARGS = {"order_id": "1", "reason": "late"}
SAME, OTHER = action("refund", **ARGS), action("refund", order_id="2", reason="late")


async def no_model(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    raise AssertionError("this signal asks no proposer")


def proposes(order: str = "1") -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "refund", "args": {**ARGS, "order_id": order}, "id": "c"}])


class Desk:
    """A proposer that answers when it is told to, and knows how many asked at once and who was cancelled."""

    def __init__(self, *orders: str | Exception) -> None:
        self.orders, self.asked, self.most, self.running = list(orders), 0, 0, 0
        self.cancelled: list[int] = []
        self.full = asyncio.Event()

    async def __call__(self, step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
        place, self.asked, self.running = self.asked, self.asked + 1, self.running + 1
        self.most = max(self.most, self.running)
        try:
            order = self.orders[place]
            if order == "wait":
                if self.running == 3:
                    self.full.set()
                await asyncio.Event().wait()
            if isinstance(order, Exception):
                await asyncio.sleep(0)
                raise order
            for _ in range(9 if "late" in order else 1):
                await asyncio.sleep(0)
            return proposes(order[:1])
        except asyncio.CancelledError:
            self.cancelled.append(place)
            raise
        finally:
            self.running -= 1


# --- agreement, several at once ---------------------------------------------------------------------------------------


def without_addresses(value: object) -> str:
    """Name a case alike in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (2, 2), (3, 3), (9, 5)])
async def test_as_many_are_drawn_at_once_as_is_allowed_and_the_value_is_the_same(concurrency: int, most: int) -> None:
    desk = Desk("1 late", "2", "1 late", "1", "2")
    reading = await agreement(5, concurrency=concurrency)("refund", ARGS, STEP, desk)
    assert (reading.value, reading.calls, desk.most) == (0.6, 5, most)
    assert isinstance(reading.raw, dict) and [draw["same"] for draw in reading.raw["draws"]] == [True, False, True, True, False]


async def test_a_disagreement_cancels_what_is_still_being_drawn() -> None:
    desk = Desk("1", "2", "wait", "1", "1")
    reading = await agreement(5, strict=True, concurrency=3)("refund", ARGS, STEP, desk)
    assert isinstance(reading.raw, dict)
    assert (reading.value, reading.raw["ended"], desk.cancelled, desk.running) == (0.2, "disagreement", [2], 0)
    assert reading.calls == desk.asked == 3


async def test_a_spent_budget_cancels_all_draws_and_what_came_in_time_counts() -> None:
    desk = Desk("1", "wait", "1", "wait")
    reading = await agreement(4, budget_seconds=0.1, concurrency=2)("refund", ARGS, STEP, desk)
    assert isinstance(reading.raw, dict)
    assert (reading.value, reading.raw["ended"], reading.calls) == (0.5, "time spent", 4)
    assert (sorted(desk.cancelled), desk.running) == ([1, 3], 0)


async def test_cancelling_the_reading_cancels_every_draw() -> None:
    desk = Desk("wait", "wait", "wait")
    task = asyncio.create_task(agreement(3, concurrency=3)("refund", ARGS, STEP, desk))
    await desk.full.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (sorted(desk.cancelled), desk.running) == ([0, 1, 2], 0)


async def test_one_draw_without_an_answer_ends_the_drawing_without_a_value() -> None:
    desk = Desk("1", ModelUnavailable(), "wait", "1")
    reading = await agreement(4, concurrency=3)("refund", ARGS, STEP, desk)
    assert isinstance(reading.raw, dict)
    assert (reading.value, reading.gates, reading.raw["ended"], desk.cancelled) == (None, True, "no answer", [2])
    assert reading.calls == 3 and confidence([reading]) is None


async def test_a_proposers_own_timeout_is_no_spent_budget() -> None:
    reading = await agreement(2)("refund", ARGS, STEP, Desk("1", TimeoutError("mine")))
    assert reading.value is None and isinstance(reading.raw, dict) and reading.raw["ended"] == "no answer"


# --- agreement of models ----------------------------------------------------------------------------------------------


async def test_each_of_several_models_proposes_the_same_step_once_in_its_own_way(server) -> None:
    def by_form(body: dict[str, Any]) -> Any:
        return JSONResponse(completion({"role": "assistant", "content": OTHER} if "response_format" in body else same))

    same = {"role": "assistant", "content": None, **tool_calls(("refund", json.dumps(ARGS)))}
    server.will_say(by_form)
    others = [server.model(), structured(server.model()), Desk("1")]
    reading = await agreement(models=others, concurrency=2)("refund", ARGS, STEP, no_model)
    assert (reading.signal, reading.value, reading.gates) == ("agreement of models", pytest.approx(2 / 3), True)
    assert isinstance(reading.raw, dict) and [draw["model"] for draw in reading.raw["draws"]] == ["scripted", "propose", "Desk"]
    assert [draw["same"] for draw in reading.raw["draws"]] == [True, False, True]
    assert {request["temperature"] for request in server.requests} == {0.0}
    assert (reading.calls, reading.tokens) == (3, 4), "two of the three told their tokens"


@pytest.mark.parametrize("down", [ModelUnavailable("gone"), RuntimeError("bug"), "wait"])
async def test_a_model_that_is_down_is_recorded_and_never_counts_as_agreement(down: Any) -> None:
    models = [Desk("1"), Desk(down), Desk("1")]
    reading = await agreement(models=models, budget_seconds=0.1)("refund", ARGS, STEP, no_model)
    assert reading.value is None and reading.gates and confidence([reading]) is None
    assert isinstance(reading.raw, dict) and reading.raw["same"] == (1 if down == "wait" else 2)
    assert down == "wait" or str(down) in reading.raw["draws"][1]["unavailable"]


async def test_a_model_that_is_down_hides_no_disagreement() -> None:
    models = [Desk(ModelUnavailable()), Desk("2"), Desk("1")]
    reading = await agreement(models=models, strict=True)("refund", ARGS, STEP, no_model)
    assert reading.value == 0.0 and models[2].asked == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 2, "models": [no_model]},
        {"models": [no_model], "temperature": -1.0},
        {"models": [no_model], "temperature": math.nan},
        {"concurrency": 0},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="agreement needs"):
        agreement(**wrong)


# --- cost -------------------------------------------------------------------------------------------------------------


async def test_tokens_are_summed_over_the_calls_malformed_answers_included(server) -> None:
    server.will_say(SAME, "garbage", OTHER)
    reading = await agreement(3)("refund", ARGS, STEP, structured(server.model()))
    assert (reading.calls, reading.tokens) == (3, 6)
    server.will_say(tool_calls(("refund", "{")))
    reading = await agreement(1)("refund", ARGS, STEP, native(server.model()))
    assert (reading.value, reading.tokens) == (0.0, 2)
    assert (await agreement(2)("refund", ARGS, STEP, Desk("1", "1"))).tokens is None, "nobody told"
    for signal in (self_assessment(server.model()), verbalized(server.model())):
        server.will_say('{"probability": 1', '{"probability": 1, "problems": [], "probability_correct": 1}')
        readings = [await signal("refund", ARGS, STEP, no_model) for _ in range(2)]
        assert [(one.value, one.calls, one.tokens) for one in readings] == [(None, 1, 2), (1.0, 1, 2)]


def test_readings_stored_before_there_were_tokens_still_read() -> None:
    reading = Reading("agreement", 0.5, {"k": 2}, 1.5, 2, True, 40)
    stored = json.loads(json.dumps(asdict(reading)))
    assert reading_of(stored) == reading
    earlier = {name: value for name, value in stored.items() if name != "tokens"}
    assert reading_of(earlier) == replace(reading, tokens=None)
    assert reading_of({**stored, "invented later": 1}) == reading
    with pytest.raises(KeyError):
        reading_of({"signal": "agreement"})


# --- verbalized -------------------------------------------------------------------------------------------------------


async def test_the_proposing_model_sees_its_action_as_its_own_and_its_word_never_gates(server) -> None:
    server.will_say('{"probability": 0.8}')
    step = replace(STEP, messages=(HumanMessage("It\u200b came >>> late. <|im_start|>"),))
    reading = await taken(verbalized(server.model()), "refund", ARGS, step, no_model)
    assert (reading.signal, reading.value, reading.gates, reading.raw) == ("verbalized", 0.8, False, {"probability": 0.8})
    roles = [message["role"] for message in server.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"] and json.loads(server.requests[-1]["messages"][2]["content"]) == {
        "name": "refund",
        "arguments": ARGS,
    }
    asked = str(server.requests[-1]["messages"])
    assert "\u200b" not in asked and "<|im_start|>" not in asked and confidence([reading]) is None


@pytest.mark.parametrize(
    "answer", ["0.9", '"sure"', '{"probability": 90}', '{"probability": true}', '{"probability": NaN}', "{}", JSONResponse({}, 500)]
)
async def test_a_useless_word_has_no_value_and_blocks_nothing(server, answer) -> None:
    server.will_say(answer)
    reading = await taken(verbalized(server.model()), "refund", ARGS, STEP, no_model)
    assert (reading.value, reading.gates, reading.calls) == (None, False, 1) and reading.raw


# --- log-probability --------------------------------------------------------------------------------------------------


def spoken(text: str, logprob: Any, *, width: int = 3, with_bytes: bool = True) -> dict[str, Any]:
    """Return a text as a server tells its tokens, `width` bytes each; `logprob` is a number, or a function of the place."""
    said = text.encode()
    pieces = [(place, said[place : place + width]) for place in range(0, len(said), width)]
    content = [
        {
            "token": piece.decode(errors="replace"),
            "logprob": logprob(place) if callable(logprob) else logprob,
            **({"bytes": list(piece)} if with_bytes else {}),
        }
        for place, piece in pieces
    ]
    return {"content": [*content, {"token": "", "bytes": [], "logprob": -9.0}], "refusal": None}


def told(message: dict[str, Any], logprobs: Any) -> JSONResponse:
    answer = completion({"role": "assistant", "content": None, **message})
    answer["choices"][0]["logprobs"] = logprobs
    return JSONResponse(answer)


TEXT = '```json\n{"name": "refund",\n "arguments": {"order_id": "1", "reason": "late"}}\n```'
"""As llama.cpp's server tells it: the fence that it cut off its answer is among the tokens."""


def sure_of(place: int) -> float:
    """Return 0.5 for the order's number, 0.25 for the reason, next to nothing for everything that the schema lays down."""
    return math.log(0.5 if place == TEXT.index('"1"') + 1 else 0.25 if 0 <= place - TEXT.index("late") < 4 else 1e-9)


@pytest.mark.parametrize("with_bytes", [True, False])
async def test_the_tokens_of_the_values_count_and_nothing_else(server, with_bytes: bool) -> None:
    server.will_say(told({"content": SAME}, spoken(TEXT, sure_of, width=1, with_bytes=with_bytes)))
    signal = log_probability(server.model(), structured)
    reading = await taken(signal, "refund", ARGS, STEP, no_model)
    assert reading.value == pytest.approx(math.exp((math.log(0.5) + 4 * math.log(0.25)) / 5)) and not reading.gates
    assert reading.raw == {
        "from": "asked again",
        "tokens": 5,
        "least": 0.25,
        "arguments": {"order_id": 0.5, "reason": 0.25},
    }
    assert (reading.calls, reading.tokens) == (1, 2)
    assert (server.requests[-1]["logprobs"], server.requests[-1]["temperature"]) == (True, 0.0)
    assert "late" not in str(reading.raw), "no token is written down"


async def test_a_proposal_that_tells_its_log_probabilities_is_not_asked_for_again(server) -> None:
    server.will_say(told(tool_calls(("refund", json.dumps(ARGS))), spoken(f"<tool_call>{SAME}</tool_call>", math.log(0.5))))
    proposed = await native(server.model(logprobs=True))(STEP)
    asked = len(server.requests)
    reading = await taken(log_probability(server.model()), "refund", ARGS, replace(STEP, proposed=proposed), no_model)
    assert (reading.value, reading.calls, reading.tokens) == (pytest.approx(0.5), 0, None) and len(server.requests) == asked
    assert isinstance(reading.raw, dict) and reading.raw["from"] == "proposal"


@pytest.mark.parametrize(
    ("message", "logprobs", "why"),
    [
        ({"content": SAME}, None, "no log-probabilities"),
        ({"content": SAME}, {"content": None}, "no log-probabilities"),
        ({"content": SAME}, {"content": []}, "no log-probabilities"),
        ({"content": SAME}, spoken("{}", -1.0), "no log-probabilities"),
        ({"content": SAME}, spoken(SAME, 0.7), "no log-probabilities"),
        ({"content": SAME}, spoken(SAME, None), "no log-probabilities"),
        ({"content": SAME}, spoken(SAME, True), "no log-probabilities"),
        ({"content": OTHER}, spoken(OTHER, -0.1), "another action"),
        ({"content": "garbage"}, spoken("garbage", -0.1), "not valid JSON"),
        ({"content": SAME}, {"content": [{"token": "?", "bytes": [255], "logprob": -0.1}]}, "no log-probabilities"),
    ],
)
async def test_without_log_probabilities_of_this_action_there_is_no_value_and_nothing_is_blocked(
    server, message, logprobs, why
) -> None:
    server.will_say(told(message, logprobs))
    reading = await taken(log_probability(server.model(), structured), "refund", ARGS, STEP, no_model)
    assert (reading.value, reading.gates, reading.calls, reading.tokens) == (None, False, 1, 2) and why in str(reading.raw)
    assert confidence([Reading("agreement", 1.0, None, 0.0, 3, True), reading]) == 1.0


async def test_values_of_any_kind_are_found_where_they_stand_even_after_thinking_aloud(server) -> None:
    args = {"order_id": "\u00e4\n\U0001fad6", "reason": "late", "note": "", "lines": [{"a": 1}], "n": -1.5, "on": True}
    step = replace(STEP, offers=(replace(REFUND, schema={"type": "object"}),))
    call = json.dumps({"name": "refund", "arguments": args}, ensure_ascii=False, indent=1)
    text = f"I think {json.dumps(args)}? Yes. {call}"
    begins = len(text.encode()) - len(call.encode())
    server.will_say(
        told(tool_calls(("refund", json.dumps(args))), spoken(text, lambda place: -1.0 if place >= begins else -9.0, width=1))
    )
    reading = await taken(log_probability(server.model()), "refund", args, step, no_model)
    assert isinstance(reading.raw, dict) and reading.raw["arguments"] == dict.fromkeys(
        ("order_id", "reason", "lines", "n", "on"), pytest.approx(math.exp(-1), abs=1e-6)
    )
    lines = call[call.index("[") : call.index("]") + 1]
    assert reading.raw["tokens"] == len("\u00e4\\n\U0001fad6".encode()) + sum(map(len, ["late", lines, "-1.5", "true"]))


# --- similar to what was approved, and to what was corrected ----------------------------------------------------------


def past(similarity: float, label: str = "approve", decided: bool = True, **args: Any) -> Precedent:
    return Precedent("e", "text", "refund", {"order_id": "8", "reason": "late", **args}, similarity, decided, label)


@pytest.mark.parametrize(
    ("accepted", "corrected", "approved_value", "corrected_value"),
    [
        ((), (), None, None),
        ((past(0.9, decided=False),), (), None, None),
        ((past(0.9),), (), 0.9, 1.0),
        ((past(0.9, reason="bent"), past(0.4), past(0.3, "edit")), (), 0.4, 1.0),
        ((), (past(0.7, "reject"),), 0.0, pytest.approx(0.3)),
        ((past(0.2),), (past(0.9, "edit", reason="bent"), past(0.6, "edit")), 0.2, pytest.approx(0.4)),
        ((past(math.nan),), (past(1.5, "reject"),), None, None),
    ],
)
async def test_nearness_to_what_was_accepted_raises_and_to_what_was_corrected_lowers(
    accepted, corrected, approved_value, corrected_value
) -> None:
    step = replace(STEP, precedents=accepted, corrected=corrected)
    readings = [await taken(signal(), "refund", ARGS, step, no_model) for signal in (similar_approved, similar_corrected)]
    assert [one.value for one in readings] == [approved_value, corrected_value]
    assert [one.signal for one in readings] == ["similar approved", "similar corrected"]
    assert not any(one.gates or one.calls for one in readings) and confidence(readings) is None


async def test_no_model_is_shown_what_was_corrected(server) -> None:
    step = replace(STEP, precedents=(past(0.5),), corrected=(past(0.9, "reject", note="WRONG"),), proposed=AIMessage("MINE"))
    server.will_say(SAME)
    await structured(server.model())(step)
    server.will_say(tool_calls(("refund", json.dumps(ARGS))))
    await native(server.model())(step)
    assert all("WRONG" not in str(request) and "MINE" not in str(request) for request in server.requests)
    assert "WRONG" not in str(prompt(step))


class Letters:
    """An embedder that counts letters."""

    async def embed(self, texts):
        return [[float(text.count(letter)) + 0.1 for letter in "abcdefgh"] for text in texts]


async def test_what_people_corrected_is_remembered_as_it_was_proposed_and_accepted_as_they_left_it(opened) -> None:
    @assent.action(consequence="costly", compare={"note": "cosmetic"})
    async def refund(order_id: str, note: str = "") -> str:
        """Pay back."""
        return "paid"

    script = Script(*(calls(("refund", {"order_id": str(number)})) for number in range(5)), says())
    agent = opened.agent(tools=[refund], policy=SAFE, propose=script, memory=Letters(), actions_per_turn=1)
    for number, decide in enumerate([approve, reject, partial(edit, order_id="9"), partial(edit, note="Sorry"), approve]):
        await agent.ainvoke(asks("My bad bag broke"), on_thread(f"t{number}"))
        (card,) = await opened.pending("ada")
        assert card.schema["properties"]["note"]["x-compare"] == "cosmetic"
        await opened.decide(card.id, decide(card), "ada")
        if number == 1:
            await opened.cancel("t1", "lee")
    last = script.steps[4]
    assert [(one.label, one.args["order_id"]) for one in last.corrected] == [("reject", "1"), ("edit", "2")]
    assert [(one.label, one.args) for one in last.precedents] == [
        ("approve", {"order_id": "0", "note": ""}),
        ("edit", {"order_id": "9", "note": ""}),
        ("edit", {"order_id": "3", "note": "Sorry"}),
    ]
    assert all(one.similarity == pytest.approx(1) for one in last.corrected) and last.proposed is None
    for example in await opened.examples("lee"):
        await opened.retire(example.id, "lee")
    await agent.ainvoke(asks("My bad bag broke"), on_thread("t9"))
    assert (script.steps[-1].corrected, script.steps[-1].precedents) == ((), ())


async def test_the_message_that_was_proposed_is_at_hand_to_be_measured(opened, till) -> None:
    seen: list[Step] = []

    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Any) -> Measured:
        seen.append(step)
        return Measured(None, {})

    script = Script(calls(("note", {"text": "hi"}), text="I note it."))
    agent = opened.agent(tools=till.tools, policy=GATED, propose=script, signals=[NamedSignal("look", measure)])
    await agent.ainvoke(asks(), on_thread())
    assert seen[0].proposed is not None and seen[0].proposed.text == "I note it."


# --- policy flags -----------------------------------------------------------------------------------------------------


def test_policy_flags_are_the_checks_that_spoke_and_have_no_value() -> None:
    reasons = [
        {"check": "confidence", "ruling": "review", "text": "?"},
        {"check": "limit", "ruling": "gate", "text": "The secret is out."},
        {"check": "hours", "ruling": "allow", "text": "Day."},
    ]
    reading = policy_flags(reasons)
    assert (reading.value, reading.gates, reading.calls) == (None, False, 0) and "secret" not in str(reading.raw)
    assert reading.raw == {"flags": [{"check": "limit", "ruling": "gate"}, {"check": "hours", "ruling": "allow"}]}
    flagged = {f"flag:{flag['check']}" for flag in reading.raw["flags"]}
    assert set(features_of("refund", [asdict(reading)], reasons)) == {*flagged, "tool:refund"}


GATED = assent.Policy((assent.on("note", lambda facts: assent.Ruling("gate", "If sure.")),), threshold=0.9)


async def test_the_flags_are_recorded_with_the_readings_and_make_no_confidence(opened, till) -> None:
    async def sure(tool: str, args: dict[str, Any], step: Step, propose: Any) -> Measured:
        return Measured(0.5, {})

    agent = opened.agent(
        tools=till.tools, policy=GATED, propose=Script(calls(("note", {"text": "hi"}))), signals=[NamedSignal("agreement", sure)]
    )
    await agent.ainvoke(asks(), on_thread())
    (card,) = await opened.pending("ada")
    assert [one["signal"] for one in card.confidence["signals"]] == ["agreement"], "the card shows the rules by themselves"
    async with opened.store.read() as tx:
        (row,) = await reviews.actions_of_thread(tx, "t1")
    (_, flags) = row.readings
    assert (flags["signal"], flags["value"], row.confidence) == ("policy flags", None, 0.5)
    assert [flag["ruling"] for flag in flags["raw"]["flags"]] == ["gate"]


# --- a signal that fails ----------------------------------------------------------------------------------------------


async def forever() -> Any:
    await asyncio.Event().wait()


def answering(answer: Any, **marks: Any) -> Any:
    async def signal(tool: str, args: dict[str, Any], step: Step, propose: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return await answer() if callable(answer) else answer

    for name, value in {"name": "odd", "budget_seconds": 0.05, **marks}.items():
        setattr(signal, name, value)
    return signal


def reads(value: Any, raw: Any = None, **kept: Any) -> Reading:
    return replace(Reading("odd", value, raw, 0.0, 1, True), **kept)


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("broken"),
        ProposalError(),
        TimeoutError(),
        forever,
        None,
        1.0,
        {"signal": "odd", "value": 1.0, "gates": True},
        reads(math.nan),
        reads(math.inf),
        reads(1.01),
        reads(-0.01),
        reads(True),
        reads("1.0"),
        reads(1.0, {1, 2}),
        reads(1.0, math.nan),
        reads(1.0, seconds=math.nan),
        reads(1.0, tokens=object()),
        reads(None, gates=None),
    ],
    ids=without_addresses,
)
async def test_a_signal_that_fails_in_any_way_is_a_reading_without_a_value_that_counts(answer) -> None:
    async with asyncio.timeout(60):
        reading = await taken(answering(answer), "refund", ARGS, STEP, no_model)
    assert (reading.signal, reading.value, reading.gates) == ("odd", None, True)
    json.dumps(asdict(reading), allow_nan=False)
    assert confidence([Reading("agreement", 1.0, None, 0.0, 3, True), reading]) is None
    assert features_of("refund", [asdict(reading)], [])["odd"] is None


async def test_a_signal_that_says_it_never_gates_blocks_nothing_when_it_fails_and_is_recorded_under_its_own_name() -> None:
    failed = await taken(answering(forever, gates=False), "refund", ARGS, STEP, no_model)
    assert (failed.value, failed.gates) == (None, False) and "not measured within" in str(failed.raw)
    posing = await taken(answering(reads(1.0, signal="agreement")), "refund", ARGS, STEP, no_model)
    assert (posing.signal, posing.value) == ("odd", 1.0)


@pytest.mark.parametrize(
    ("answer", "runs"),
    [
        (reads(0.2), True),
        (reads(0.2, gates=False), True),
        (reads(None, gates=False), True),
        (reads(None), False),
        (reads(math.nan), False),
        (forever, False),
        (RuntimeError("down"), False),
    ],
    ids=without_addresses,
)
async def test_a_certificate_lets_nothing_pass_while_a_signal_that_counts_cannot_be_read(opened, till, answer, runs) -> None:
    """The head here is sure of everything, so that only the missing reading can hold the action up."""
    script = Script(*(calls(("note", {"text": "hi"})) for _ in range(2)))
    agent = opened.agent(
        tools=till.tools, policy=GATED, propose=script, signals=[answering(answer)], actions_per_turn=1, model_name="m"
    )
    await agent.ainvoke(asks(), on_thread("first"))
    async with opened.store.begin() as tx:
        (row,) = await reviews.actions_of_thread(tx, "first")
        head = Head((Term("odd", 1.0, missing=9.0),), 9.0).as_json()
        passing = {"key": row.provenance["earned"]["key"], "head": head, "threshold": 0.6}
        signed = await as_signed(tx, "assent", "note", **passing)
        earned = {"level": 2, "certificate": signed, "share": 0.2, "seed": "s", **passing}
        watched = {"since": opened.clock(), "watched_until": opened.clock() + timedelta(hours=1)}
        tx.add(AutonomyRow(tenant="main", agent="assent", tool="note", **watched, **earned))
    till.ran.clear()
    await agent.ainvoke(asks(), on_thread("second"))
    assert bool(till.ran) == runs


async def test_two_signals_of_one_name_cannot_be_told_apart(opened, till) -> None:
    with pytest.raises(assent.AssentError, match="same name"):
        opened.agent(tools=till.tools, policy=GATED, propose=Script(), signals=[agreement(1), agreement(5)])
    opened.agent(tools=till.tools, policy=GATED, propose=Script(), signals=[agreement(1), agreement(models=[no_model])])


async def test_whatever_fails_in_a_signal_that_never_gates_blocks_nothing(server) -> None:
    unreadable = {"order_id": object()}
    for make in (self_assessment, verbalized, log_probability, partial(log_probability, ask=structured)):
        server.will_say("?")
        reading = await taken(make(server.model()), "refund", unreadable, STEP, no_model)
        assert (reading.value, reading.gates) == (None, False) and reading.raw


async def test_a_measuring_function_becomes_a_signal_by_its_name() -> None:
    async def measure(tool: str, args: dict[str, Any], step: Step, propose: Any) -> Measured:
        return Measured(0.5, {"seen": tool}, calls=1, tokens=7)

    reading = await taken(NamedSignal("mine", measure, gates=False), "refund", ARGS, STEP, no_model)
    assert replace(reading, seconds=0.0) == Reading("mine", 0.5, {"seen": "refund"}, 0.0, 1, False, 7)


def test_a_signal_that_measures_otherwise_is_another_key():
    def signals_digest(signals):
        return asked_and_measured(None, signals, "")["signals"]

    same = [signals_digest([agreement(k=3), precedent()]) for _ in range(2)]
    others = [
        [agreement(k=4), precedent()],
        [agreement(k=3, strict=True), precedent()],
        [agreement(k=3), precedent(2.0)],
        [],
        [agreement(k=3)],
    ]
    assert len({*same, *map(signals_digest, others)}) == 1 + len(others)
    keys = {key_of("a", "t", "schema", {"signals": digest}).digest() for digest in (same[0], signals_digest(others[0]))}
    assert len(keys) == 2
