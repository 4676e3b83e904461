"""The live stream: nothing of what was automated is learned, thresholds come from past reviews, reports can be repeated."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from assent.evals.curve.labelled import Labelled, UnreadableRows, draw, kind, offers_for, read_rows
from assent.evals.curve.learning import merged_report, parse_report, play_all, run_learning, tally
from assent.evals.curve.stream import Measured, StreamSettings, model_and_precedents, play, retriever_alone, worded
from assent.evals.curve.threshold import calibrate
from assent.evals.examples import Call
from assent.graph.confidence import Reading
from assent.graph.models.packages import MINILM, SMOLLM2, is_present
from assent.graph.signals.option import legal_actions

WORDS = {
    "card": ["card", "plastic", "chip", "contactless"],
    "refund": ["refund", "money", "back", "return"],
    "address": ["address", "moved", "house", "street"],
}


def messages(count: int, seed: int = 0) -> list[Labelled]:
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        category = chance.choice(sorted(WORDS))
        words = [*chance.sample(WORDS[category], 3), f"filler{chance.randrange(9)}"]
        rows.append(Labelled(" ".join(words), Call("route", {"category": category})))
    return rows


KINDS = [Call("route", {"category": category}) for category in sorted(WORDS)]


class BagOfWords:
    """An embedder that counts words, so that what is near is known."""

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        places = {word: place for place, word in enumerate(word for words in WORDS.values() for word in words)}
        rows = np.full((len(texts), len(places) + 9), 0.01)
        for row, text in zip(rows, texts, strict=True):
            for word in text.split():
                row[places.get(word, len(places) + int(word[-1]) if word.startswith("filler") else 0)] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def test_a_stream_learns_from_reviews_and_takes_work_over() -> None:
    outcomes = await play(messages(200), KINDS, BagOfWords(), retriever_alone(), StreamSettings())
    assert not any(outcome.automated for outcome in outcomes[:15])
    late = tally(outcomes[100:])
    assert late.automated > 50 and late.wrong <= 2
    assert tally(outcomes).needing_a_person == pytest.approx(1 - tally(outcomes).automated / 200)


async def test_what_was_automated_teaches_nothing() -> None:
    """Swap the labels of the automated messages: every decision of the stream must stay as it was."""
    stream = messages(150)
    before = await play(stream, KINDS, BagOfWords(), retriever_alone(), StreamSettings())
    lied = [
        Labelled(row.text, Call("route", {"category": "nothing"})) if outcome.automated else row
        for row, outcome in zip(stream, before, strict=True)
    ]
    after = await play(lied, KINDS, BagOfWords(), retriever_alone(), StreamSettings())
    seen = [(one.automated, one.confidence, one.threshold) for one in before]
    assert seen == [(one.automated, one.confidence, one.threshold) for one in after]
    assert any(one.automated for one in before)
    assert all(not one.right for one in after if one.automated)


async def test_a_proposal_is_made_before_its_message_is_known() -> None:
    """The future must not matter: a stream's beginning plays the same whatever follows."""
    stream = messages(120)
    whole = await play(stream, KINDS, BagOfWords(), retriever_alone(), StreamSettings())
    part = await play(stream[:60], KINDS, BagOfWords(), retriever_alone(), StreamSettings())
    assert whole[:60] == part


async def test_labels_that_are_noise_are_never_automated_for_long() -> None:
    chance = random.Random(1)
    noise = [Labelled(row.text, chance.choice(KINDS)) for row in messages(200)]
    outcomes = await play(noise, KINDS, BagOfWords(), retriever_alone(), StreamSettings())
    assert tally(outcomes).automated < 10


async def test_a_signal_that_is_missing_keeps_the_person() -> None:
    async def unsure(step, least):
        measured = await retriever_alone()(step, least)
        return Measured(measured.proposal, [*measured.readings, Reading("broken", None, {}, 0.0, 0, True)])

    outcomes = await play(messages(80), KINDS, BagOfWords(), unsure, StreamSettings())
    assert not any(outcome.automated for outcome in outcomes)
    assert all(outcome.confidence is None for outcome in outcomes)


async def test_the_model_can_veto_and_is_not_asked_where_it_could_change_nothing() -> None:
    asked: list[str] = []

    async def contrary(told: Sequence, options: Sequence[str]) -> list[float]:
        asked.append(told[-1].text)
        return [1 / len(options)] * len(options)

    outcomes = await play(messages(150), KINDS, BagOfWords(), model_and_precedents(contrary), StreamSettings())
    assert not any(outcome.automated and outcome.confidence > 0.34 for outcome in outcomes)
    assert len(asked) == sum(outcome.complete for outcome in outcomes)
    assert not any(outcome.automated and not outcome.complete for outcome in outcomes)


async def test_a_model_that_is_certain_outvotes_the_precedents() -> None:
    async def fond_of_cards(told: Sequence, options: Sequence[str]) -> list[float]:
        return [float("card" in option) for option in options]

    outcomes = await play(messages(20), KINDS, BagOfWords(), model_and_precedents(fond_of_cards), StreamSettings())
    cards = [row.right.args["category"] == "card" for row in messages(20)]
    assert [outcome.right for outcome in outcomes] == cards


# --- threshold --------------------------------------------------------------------------------------------------------


def reviews(count: int, seed: int = 0) -> list[tuple[float, bool]]:
    chance = random.Random(seed)
    drawn = [chance.uniform(0.2, 0.9) for _ in range(count)]
    return [(confidence, chance.random() < confidence) for confidence in drawn]


def test_the_threshold_is_where_the_chance_reaches_the_target() -> None:
    fitted = calibrate(reviews(400))
    threshold = fitted.threshold(0.8)
    assert threshold is not None and fitted.chance(threshold, errors=1.0) == pytest.approx(0.8, abs=0.01)
    assert threshold == pytest.approx(0.8, abs=0.08)
    assert fitted.threshold(0.7) < threshold
    assert calibrate(reviews(60)).threshold(0.8) > threshold, "fewer reviews, more caution"


def test_a_few_good_reviews_are_not_certainty() -> None:
    assert calibrate([(0.9, True)] * 5).chance(0.9) < 0.95
    assert calibrate([(0.9, True)] * 5).threshold(0.95) is None or calibrate([(0.9, True)] * 5).chance(0.9) < 0.95


def test_no_confidence_is_enough_when_confidence_says_nothing() -> None:
    upside_down = [(0.1, True)] * 30 + [(0.9, False)] * 30
    assert calibrate(upside_down).threshold(0.95) is None
    assert calibrate([(0.9, False)] * 30).threshold(0.95) is None


@pytest.mark.parametrize("pairs", [[(0.0, True)] * 20 + [(1.0, True)], [(0.5, True)] * 40, [(1.0, False), (0.0, True)]])
def test_odd_reviews_give_finite_answers(pairs: list[tuple[float, bool]]) -> None:
    fitted = calibrate(pairs)
    assert all(0 <= fitted.chance(confidence) <= 1 for confidence in (0.0, 0.5, 1.0))
    threshold = fitted.threshold(0.95)
    assert threshold is None or 0 <= threshold <= 1


def test_nothing_reviewed_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        calibrate([])


# --- data -------------------------------------------------------------------------------------------------------------


def test_rows_of_both_kinds_are_read(tmp_path: Path) -> None:
    action = {"tool": "refund", "args": {"order_id": "1", "reason": "late", "amount": "3.00"}}
    lines = [{"text": "a", "category": "card_arrival"}, {"text": "b", "action": action, "note": "more"}]
    (tmp_path / "playbook.jsonl").write_text("{}")
    path = tmp_path / "messages-1.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    first, second = read_rows(path)
    assert first.right == Call("route", {"category": "card_arrival"})
    assert second.right == Call("refund", {"reason": "late"})
    assert kind(second.right) == "refund late"
    assert worded(first.right, lone=True) == "card arrival" and worded(second.right, lone=False) == "refund late"
    assert read_rows(tmp_path) == [first, second]


@pytest.mark.parametrize("line", ['{"text": "x"}', '{"text": 1, "category": "c"}', "[]", "{"])
def test_a_bad_row_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "category": "c"}\n' + line + "\n")
    with pytest.raises(UnreadableRows, match=r"rows\.jsonl, line 2"):
        read_rows(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRows, match="cannot be read"):
        read_rows(tmp_path / "none.jsonl")


def test_a_draw_is_its_seeds() -> None:
    rows = messages(90)
    assert draw(rows, 2, 40, 3) == draw(rows, 2, 40, 3)
    assert len({kind(row.right) for row in draw(rows, 2, None, 3)}) == 2
    assert draw(rows, None, None, 1) != draw(rows, None, None, 2)
    with pytest.raises(UnreadableRows, match="Draw from 2 to 3"):
        draw(rows, 4, None, 0)


def test_every_kind_is_legal_and_nothing_else() -> None:
    from assent.graph.proposing import Step

    kinds = [Call("refund", {"reason": "late"}), Call("refund", {"reason": "damaged"}), Call("hand_over", {})]
    step = Step("", (), offers_for([*kinds, *kinds]), may_finish=False)
    found = {json.dumps(action) for action in legal_actions(step)}
    assert found == {json.dumps([call.tool, call.args]).replace("[", "[", 1) for call in kinds}


# --- report -----------------------------------------------------------------------------------------------------------


async def test_a_report_survives_json_and_merges_by_seed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"text": row.text, **row.right.args}) for row in messages(60)))
    seen: list[tuple[str, int, int]] = []
    one = await run_learning(
        path, categories=2, seeds=(1,), messages=30, with_model=False, progress=lambda *step: seen.append(step)
    )
    other = await run_learning(path, categories=2, seeds=(2,), messages=30, with_model=False)
    assert parse_report(json.loads(json.dumps(one.as_json()))) == one
    both = merged_report([one, other])
    assert both.total("retriever alone").messages == len(one.runs[0].outcomes) + len(other.runs[0].outcomes)
    assert sum(window.messages for window in both.windows("retriever alone")) == both.total("retriever alone").messages
    assert seen[-1] == ("seed 1, retriever alone", len(seen), len(seen))
    with pytest.raises(ValueError, match="twice"):
        merged_report([one, one])
    with pytest.raises(ValueError, match="version"):
        parse_report({**one.as_json(), "version": 2})


async def test_both_ways_play_the_same_messages() -> None:
    async def fair(told: Sequence, options: Sequence[str]) -> list[float]:
        return [1 / len(options)] * len(options)

    deciders = {"model and precedents": model_and_precedents(fair), "retriever alone": retriever_alone()}
    runs = await play_all({4: messages(20), 5: messages(20, 1)}, deciders, BagOfWords(), StreamSettings())
    assert [(run.seed, run.way) for run in runs] == [(seed, way) for seed in (4, 5) for way in deciders]
    assert [window.messages for window in runs[0].windows(8)] == [8, 8, 4]


@pytest.mark.model
@pytest.mark.skipif(not (is_present(SMOLLM2) and is_present(MINILM)), reason="the pinned models were not pulled")
async def test_the_embedded_model_plays_a_short_stream(tmp_path: Path) -> None:
    texts = {"card_arrival": "Where is my new card? {}", "exchange_rate": "What rate do you use for {}?"}
    rows = [(texts[name].format(word), name) for word in ("now", "euros", "today", "dollars", "it") for name in texts]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"text": text, "category": name}) for text, name in rows))
    report = await run_learning(path, categories=None, seeds=(0,), settings=StreamSettings(first_reviews=4))
    assert report.embedder == "sentence" and report.model == SMOLLM2.title
    assert report.total("model and precedents").proposals_right >= 7


# --- the signal that is sharpened here --------------------------------------------------------------------------------


async def test_sharpness_lets_the_near_outvote_the_far() -> None:
    from assent.graph.confidence import precedent
    from assent.graph.proposing import Precedent, Step

    near = Precedent("1", "a", "route", {"category": "card"}, 0.8)
    far = [Precedent(str(place), "b", "route", {"category": "refund"}, 0.4) for place in range(3)]
    step = Step("", (), offers_for(KINDS), (near, *far))
    flat, sharp = [await precedent(sharpness)("route", near.args, step, retriever_alone) for sharpness in (0.0, 12.0)]
    assert flat.value == pytest.approx(0.8 * 0.8 / 2.0)
    assert 0.75 < sharp.value <= 0.8
