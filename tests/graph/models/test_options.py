"""Scoring options: exact on a known model, few questions, and the embedded model's own words."""

from __future__ import annotations

import math
import random

import pytest
from assent.graph.errors import ModelUnavailable
from assent.graph.models.options import option_scorer, tree, walk
from assent.graph.models.packages import SMOLLM2, is_present
from assent.graph.models.server import EmbeddedServer, ServerSettings
from assent.graph.proposing.prompt import action_json
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

texts = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=6).map(lambda text: (*text, 9)), min_size=1, max_size=8, unique=True
)


def model(seed: int):
    """A model with fixed probabilities after every beginning."""

    def weights(said: tuple[int, ...]) -> dict[int, float]:
        chance = random.Random(f"{seed} {said}")
        return {token: chance.random() for token in (0, 1, 2, 3, 9)}

    async def following(said: list[int]) -> dict[int, float]:
        return weights(tuple(said))

    return weights, following


@given(texts, st.integers(0, 99))
async def test_the_walk_gives_what_choosing_token_by_token_would(options: list[tuple[int, ...]], seed: int) -> None:
    weights, following = model(seed)
    shares, calls = await walk(tree(options), following, negligible=0.0)
    assert math.isclose(sum(shares), 1)
    expected = []
    for option in options:
        share = 1.0
        for place in range(len(option)):
            rest = {other[place] for other in options if other[:place] == option[:place]}
            listed = weights(option[:place])
            share *= listed[option[place]] / sum(listed[token] for token in rest)
        expected.append(share)
    assert shares == pytest.approx(expected)
    assert calls < max(2, len(options))


@given(texts, st.integers(0, 99))
async def test_unlikely_branches_cost_nothing_and_change_little(options: list[tuple[int, ...]], seed: int) -> None:
    _, following = model(seed)
    exact, most = await walk(tree(options), following, negligible=0.0)
    rough, calls = await walk(tree(options), following, negligible=0.05)
    assert calls <= most and math.isclose(sum(rough), 1)
    assert all(abs(one - other) <= 0.05 for one, other in zip(exact, rough, strict=True))


async def test_a_token_that_is_not_listed_counts_as_the_least_that_is() -> None:
    async def following(said: list[int]) -> dict[int, float]:
        return {1: 0.8, 7: 0.2}

    shares, calls = await walk(tree([(1, 9), (2, 9)]), following)
    assert shares == pytest.approx([0.8, 0.2]) and calls == 1


async def test_one_option_needs_no_question() -> None:
    assert await walk(tree([(1, 2)]), None) == ([1.0], 0)


@pytest.mark.parametrize("options", [[(1, 2), (1, 2)], [(1, 2), (1, 2, 3)]])
def test_options_must_have_ends_of_their_own(options: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="beginning"):
        tree(options)


async def test_a_server_that_is_not_there_is_explained() -> None:
    with pytest.raises(ModelUnavailable):
        await option_scorer("http://127.0.0.1:9/v1", "key")([HumanMessage("hi")], ['{"a": 1}', '{"b": 1}'])


@pytest.mark.model
@pytest.mark.skipif(not is_present(SMOLLM2), reason="the pinned model was not pulled")
async def test_the_embedded_model_follows_its_examples() -> None:
    options = [action_json("route", {"category": name}) for name in ("card", "card_lost", "rate")]
    told = [SystemMessage("Sort the messages.")]
    for text, option in (("My card is gone", options[1]), ("What is the rate?", options[2]), ("Someone took my card", options[1])):
        told += [HumanMessage(text), AIMessage(option)]
    async with EmbeddedServer(settings=ServerSettings(context=1024)) as server:
        score = option_scorer(server.base_url, server.api_key)
        shares = await score([*told, HumanMessage("I lost my card, it is gone")], options)
        again = await score([*told, HumanMessage("I lost my card, it is gone")], options)
    assert sum(shares) == pytest.approx(1) and max(shares) == shares[1]
    assert again == pytest.approx(shares, abs=0.02)
