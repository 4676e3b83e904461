"""Choosing the kind of action by scores and precedents, and the legal values by the message's own words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import offers
import pytest
from assent.graph.confidence import option_probability
from assent.graph.errors import ModelUnavailable, ProposalError
from assent.graph.proposing import FINISH, Offer, Precedent, Step, grounded, legal_problem, remembered, structured, weighed
from assent.graph.proposing.grounding import supported
from assent.graph.proposing.weighing import MOST_KINDS, kinds, within
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from scripted_model_server import action, scripted_server

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

REFUND = replace(
    offers.REFUND,
    choices=(
        {"order_id": "1001", "amount": "34.00"},
        {"order_id": "1001", "amount": "14.50"},
        {"order_id": "1001", "amount": "4.50", "reason": "late"},
        {"order_id": "1002", "amount": "34.00"},
    ),
)
INVOICES = (
    "Your invoice for order 1001.\n1 x Enamel kettle at £34.00: £34.00\n1 x Wool tea cosy at £14.50: £14.50\nDelivery £4.50",
    "Here is your invoice for order 1002.\n2 x Garden kneelers at £17.00: £34.00\nThe whole parcel went to Askrigg by road.",
)
REPLY = Offer(
    "reply",
    "Answer.",
    {
        "type": "object",
        "properties": {"topic": {"enum": ["invoice", "contact"]}, "order_id": {"type": "string"}, "body": {"type": "string"}},
        "required": ["topic", "body"],
    },
    (
        {"topic": "invoice", "order_id": "1001", "body": INVOICES[0]},
        {"topic": "invoice", "order_id": "1002", "body": INVOICES[1]},
        {
            "topic": "contact",
            "order_id": "",
            "body": "You reach us by telephone every day from nine to five, and by e-mail at any time.",
        },
    ),
)
STEP = Step("You work at a shop.", (HumanMessage("The kettle came with a crack."),), (REFUND, REPLY), may_finish=False)


def past(similarity: float, tool: str, text: str = "a case", **args: Any) -> Precedent:
    return Precedent("e", text, tool, args, similarity)


class Scores:
    """A scorer that prefers the options with a word in them, and remembers what it was asked."""

    def __init__(self, word: str, share: float = 0.9) -> None:
        self.word, self.share = word, share
        self.asked: list[tuple[Any, list[str]]] = []

    async def __call__(self, messages: Any, options: Sequence[str]) -> list[float]:
        self.asked.append((messages, list(options)))
        liked = [self.word in option for option in options]
        rest = len(options) - sum(liked)
        return [self.share / sum(liked) if like else (1 - self.share) / rest for like in liked]


async def spell(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    """Propose the first legal choice, so that a test sees what was left to choose from."""
    if not step.offers:
        return AIMessage("bye")
    (offer,) = step.offers
    return AIMessage("", tool_calls=[{"name": offer.name, "args": (offer.choices or ({},))[0], "id": "c"}])


async def chosen(propose: Any, step: Step, **settings: Any) -> tuple[str, dict[str, Any]]:
    (call,) = (await propose(step, **settings)).tool_calls
    return call["name"], call["args"]


# --- weighing ---------------------------------------------------------------------------------------------------------


def test_kinds_are_the_tools_with_their_categorical_arguments_that_are_legal() -> None:
    found = [(kind.tool, kind.args) for kind in kinds(replace(STEP, may_finish=True))]
    assert found == [
        ("refund", {"reason": "damaged"}),
        ("refund", {"reason": "late"}),
        ("reply", {"topic": "invoice"}),
        ("reply", {"topic": "contact"}),
        (FINISH, {}),
    ]


def test_within_a_kind_exactly_its_legal_choices_are_left() -> None:
    late = next(kind for kind in kinds(STEP) if kind.args == {"reason": "late"})
    left = within(STEP, late)
    assert [offer.name for offer in left.offers] == ["refund"] and not left.may_finish
    assert len(left.offers[0].choices or ()) == 4 and all(choice["reason"] == "late" for choice in left.offers[0].choices or ())
    damaged = next(kind for kind in kinds(STEP) if kind.args == {"reason": "damaged"})
    assert [choice["amount"] for choice in within(STEP, damaged).offers[0].choices or ()] == ["34.00", "14.50", "34.00"]


async def test_the_scores_decide_without_precedents_and_precedents_can_overrule_a_doubtful_model() -> None:
    assert await chosen(weighed(Scores("contact"), spell), STEP) == ("reply", REPLY.choices[2])  # type: ignore[index]
    near = tuple(past(0.9, "refund", order_id="7", amount="1.00", reason="damaged") for _ in range(5))
    step = replace(STEP, precedents=near)
    tool, args = await chosen(weighed(Scores("contact", 0.5), spell), step)
    assert (tool, args["reason"]) == ("refund", "damaged")
    assert await chosen(weighed(Scores("contact", 0.5), spell, trust=20), step) == ("reply", REPLY.choices[2])  # type: ignore[index]


async def test_precedents_that_are_not_legal_here_have_no_vote_and_are_not_shown() -> None:
    scores = Scores("contact", 0.4)
    gone = (past(0.9, "retired"), past(0.9, "refund", text="not legal", order_id="7", amount="1.00", reason="bored"))
    shown = past(0.5, "reply", text="legal \u200b>>>", topic="invoice", order_id="8", body="x")
    tool, args = await chosen(weighed(scores, spell), replace(STEP, precedents=(*gone, shown)))
    assert (tool, args["topic"]) == ("reply", "invoice")
    text = "\n".join(str(message.content) for message in scores.asked[0][0])
    assert "legal" in text and "not legal" not in text and "\u200b" not in text and text.count(">>>") == text.count("<<<")


async def test_resampling_asks_for_no_new_scores_and_draws_by_weight() -> None:
    scores = Scores("contact", 0.6)
    propose = weighed(scores, spell, trust=1.0)
    drawn = Counter([(await chosen(propose, STEP, temperature=1.0, seed=seed))[1].get("topic") for seed in range(300)])
    assert len(scores.asked) == 1
    assert 0.5 < drawn["contact"] / 300 < 0.7 and len(drawn) == 3
    again = Counter([(await chosen(propose, STEP, temperature=1.0, seed=seed))[1].get("topic") for seed in range(300)])
    assert again == drawn
    cold = {(await chosen(propose, STEP, temperature=0.01, seed=seed))[1].get("topic") for seed in range(50)}
    assert cold == {"contact"}
    await propose(replace(STEP, messages=(HumanMessage("Another."),)))
    assert len(scores.asked) == 2


async def test_the_probability_of_a_kind_takes_no_second_question_and_adds_up_over_orders() -> None:
    scores = Scores("damaged", 0.7)
    known = remembered(scores)
    tool, args = await chosen(grounded(weighed(known, spell)), STEP)
    reading = await option_probability(known, of="kind")(tool, args, STEP, spell)
    assert reading.value == pytest.approx(0.7) and len(scores.asked) == 1
    other = await option_probability(known, of="kind")("reply", REPLY.choices[0], STEP, spell)  # type: ignore[index]
    assert other.value == pytest.approx(0.1)
    assert (await option_probability(known)(tool, args, STEP, spell)).value != reading.value and len(scores.asked) == 2


async def test_a_question_is_forgotten_after_enough_others() -> None:
    scores = Scores("a")
    known = remembered(scores, keep=2)
    for option in ("a", "b", "a", "c", "d", "a"):
        await known([HumanMessage("?")], [option, "x a"])
    assert [options[0] for _, options in scores.asked] == ["a", "b", "c", "d", "a"]


async def test_finishing_can_be_chosen_and_then_only_a_message_is_left() -> None:
    message = await weighed(Scores(FINISH), spell)(replace(STEP, may_finish=True))
    assert (message.content, message.tool_calls) == ("bye", [])


async def test_with_too_many_kinds_or_one_the_inner_proposer_chooses_alone() -> None:
    async def no_scores(messages: Any, options: Any) -> list[float]:
        raise AssertionError("nothing is to be scored")

    many = Offer(
        "tag", "", {"properties": {"tag": {"enum": list(range(MOST_KINDS + 1))}}}, tuple({"tag": n} for n in range(MOST_KINDS + 1))
    )
    assert await chosen(weighed(no_scores, spell), replace(STEP, offers=(many,))) == ("tag", {"tag": 0})
    assert (await chosen(weighed(no_scores, spell), replace(STEP, offers=(Offer("go", "", {}),))))[0] == "go"


@pytest.mark.parametrize("shares", [[], [1.0], [math.nan] * 4, [2.0] * 4, [-0.1, 0.4, 0.4, 0.3]])
async def test_scores_that_are_no_probabilities_are_refused(shares: list[float]) -> None:
    async def score(messages: Any, options: Any) -> list[float]:
        return shares

    with pytest.raises(ProposalError, match="not probabilities"):
        await weighed(score, spell)(STEP)


async def test_a_scorer_that_fails_is_the_model_being_unavailable_and_is_asked_again() -> None:
    async def score(messages: Any, options: Any) -> list[float]:
        nonlocal asked
        asked += 1
        raise ModelUnavailable

    asked = 0
    propose = weighed(score, spell)
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            await propose(STEP)
    assert asked == 2


async def test_the_whole_chain_proposes_the_right_refund_and_asks_the_model_only_what_is_open() -> None:
    async with scripted_server() as server:
        server.will_say(action("note", text="not asked"))
        propose = grounded(weighed(Scores("damaged"), structured(server.model())))
        tool, args = await chosen(propose, STEP)
        assert (tool, args) == ("refund", {"order_id": "1001", "amount": "34.00", "reason": "damaged"})
        assert server.requests == []
        server.will_say(action("refund", order_id="1002", amount="34.00", reason="damaged"))
        vague = replace(STEP, messages=(HumanMessage("It is broken."),))
        assert (await chosen(propose, vague))[1]["order_id"] == "1002"
        assert len(server.requests) == 1


# --- grounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "order", "amount"),
    [
        ("The kettle came with a crack.", "1001", "34.00"),
        ("no cosy in the box", "1001", "14.50"),
        ("my kneeler is rusty", "1002", "34.00"),
        ("Order 1002: it is rusty.", "1002", "34.00"),
        ("I paid £14.50 for nothing!", "1001", "14.50"),
    ],
)
def test_the_message_s_words_pick_the_order_and_the_amount(message: str, order: str, amount: str) -> None:
    refund, reply = supported(replace(STEP, messages=(HumanMessage(message),)))
    open_reason = [choice for choice in refund.choices or () if "reason" not in choice]
    assert open_reason == [{"order_id": order, "amount": amount}]
    invoices = [choice["order_id"] for choice in reply.choices or () if choice["topic"] == "invoice"]
    assert invoices == [order]


def test_the_kind_of_action_is_never_decided_by_words() -> None:
    refund, reply = supported(replace(STEP, messages=(HumanMessage("telephone nine e-mail contact 1002"),)))
    assert {choice["topic"] for choice in reply.choices or ()} == {"invoice", "contact"}
    assert any(choice.get("reason") == "late" for choice in refund.choices or ())


def test_part_of_a_number_is_not_that_number() -> None:
    (offer,) = supported(
        Step("", (HumanMessage("I paid 34.50 for 10011."),), (replace(REFUND, choices=REFUND.choices[:2]),))  # type: ignore[index]
    )
    assert len(offer.choices or ()) == 2


TEXTS = st.text(st.sampled_from("kettle cosy 1001 34.00\n£?\u200b"), max_size=40)


@given(
    TEXTS, st.lists(st.dictionaries(st.sampled_from("abc"), st.one_of(TEXTS, st.integers(0, 2), st.none()), max_size=3), max_size=6)
)
@settings(max_examples=200)
def test_grounding_only_ever_takes_away_and_never_all(text: str, choices: list[dict[str, Any]]) -> None:
    offer = Offer("act", "", {"properties": {"a": {}, "b": {"enum": [0, 1, 2]}, "c": {}}}, tuple(choices))
    (left,) = supported(Step("", (HumanMessage(text),), (offer,)))
    assert all(choice in choices for choice in left.choices or ())
    assert bool(left.choices) == bool(choices)
    assert {repr(choice.get("b")) for choice in left.choices or ()} == {repr(choice.get("b")) for choice in choices}
    assert all(legal_problem([left], "act", choice) == legal_problem([offer], "act", choice) for choice in left.choices or ())
