"""The index of past decisions: nearest by cosine, with and without NumPy, and refusing vectors that do not fit."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import pytest
from assent.graph.errors import VectorMismatch
from assent.graph.models.embeddings import Lexical
from assent.graph.precedents import Example, PrecedentIndex
from hypothesis import given, settings
from hypothesis import strategies as st

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def example(name: str, text: str = "text") -> Example:
    return Example(name, text, "refund", {"order_id": name})


class Recorder:
    """An embedder that keeps what it was given and answers with the text's length."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return [[1.0, float(len(text))] for text in texts]


async def test_the_nearest_messages_come_first_with_the_real_lexical_embedder() -> None:
    index = PrecedentIndex(Lexical())
    await index.add(
        [
            example("kettle", "my kettle arrived with a broken handle"),
            example("address", "please send it to my new address"),
            example("hours", "when are you open on sunday"),
        ]
    )
    found = await index.nearest("the kettle has a broken lid", k=2)
    assert found[0].example_id == "kettle"
    assert found[0].similarity > found[1].similarity and found[0].args == {"order_id": "kettle"}
    assert await index.nearest("the kettle has a broken lid", k=3, minimum=0.99) == ()


async def test_examples_can_be_replaced_and_taken_out() -> None:
    index = PrecedentIndex(Recorder())
    await index.add([example("a", "x"), example("b", "x" * 9)])
    await index.add([example("a", "x" * 9)])
    assert len(index) == 2 and "a" in index
    assert [precedent.example_id for precedent in await index.nearest("x" * 9)] == ["a", "b"]
    assert index.remove("a") and not index.remove("a") and "a" not in index
    assert [precedent.example_id for precedent in await index.nearest("x" * 9)] == ["b"]
    assert index.remove("b")
    assert await index.nearest("x") == () and len(index) == 0


async def test_nothing_is_embedded_where_nothing_can_be_found() -> None:
    recorder = Recorder()
    index = PrecedentIndex(recorder)
    await index.add([])
    assert await index.nearest("x") == () and recorder.texts == []
    await index.add([example("a")])
    assert await index.nearest("x", k=0) == () and recorder.texts == ["text"]


async def test_texts_of_any_size_are_embedded_as_a_person_sees_them() -> None:
    recorder = Recorder()
    index = PrecedentIndex(recorder)
    await index.add([example("a", "ke\u200bttle \udc80"), example("b", "🫖" * 300_000), example("c", "")])
    assert recorder.texts[0].startswith("kettle") and "\u200b" not in recorder.texts[0]
    assert all(len(text) < 4_000 and text.strip() and text.encode() for text in recorder.texts)


@pytest.mark.parametrize("vector", [[1.0], [1.0, 2.0, 3.0], [], [math.nan, 1.0], [math.inf, 1.0]])
def test_a_vector_that_does_not_fit_is_refused_and_changes_nothing(vector: list[float]) -> None:
    index = PrecedentIndex(Recorder())
    index.put(example("a"), [1.0, 0.0])
    with pytest.raises(VectorMismatch):
        index.put(example("b"), vector)
    with pytest.raises(VectorMismatch):
        index.nearest_to(vector)
    assert len(index) == 1 and index.nearest_to([2.0, 0.0])[0].similarity == 1.0


def test_a_changed_embedding_model_can_replace_all_vectors_once_the_old_ones_are_gone() -> None:
    index = PrecedentIndex(Recorder())
    index.put(example("a"), [1.0, 0.0])
    index.remove("a")
    index.put(example("a"), [1.0, 0.0, 0.0])
    assert len(index.nearest_to([1.0, 0.0, 0.0])) == 1


COORDINATES = st.floats(-5, 5, allow_subnormal=False).map(lambda number: round(number, 2))
VECTORS = st.lists(st.tuples(COORDINATES, COORDINATES, COORDINATES), min_size=1, max_size=12)


@given(VECTORS, st.tuples(COORDINATES, COORDINATES, COORDINATES), st.integers(1, 14), st.floats(0, 1))
def test_nearest_is_the_sorted_cosine_with_numpy_and_without(vectors, query, k: int, minimum: float) -> None:
    def cosine(one: Sequence[float], other: Sequence[float]) -> float:
        length = math.hypot(*one) * math.hypot(*other)
        return max(0.0, sum(left * right for left, right in zip(one, other, strict=True)) / length) if length else 0.0

    def found() -> list[tuple[str, float]]:
        index = PrecedentIndex(Recorder())
        for place, vector in enumerate(vectors):
            index.put(example(str(place)), vector)
        return [(precedent.example_id, precedent.similarity) for precedent in index.nearest_to(query, k, minimum)]

    with_numpy = found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "numpy", None)
        without = found()
    for result in (with_numpy, without):
        similarities = [similarity for _, similarity in result]
        assert similarities == sorted(similarities, reverse=True)
        assert all(similarity == pytest.approx(cosine(vectors[int(name)], query), abs=1e-9) for name, similarity in result)
        assert all(minimum <= similarity <= 1 for similarity in similarities)
        close = sum(cosine(vector, query) >= minimum + 1e-9 for vector in vectors)
        assert min(k, close) <= len(result) <= min(k, len(vectors))


def test_equals_keep_the_order_they_were_added_in() -> None:
    index = PrecedentIndex(Recorder())
    for name in "cab":
        index.put(example(name), [1.0, 1.0])
    assert [precedent.example_id for precedent in index.nearest_to([2.0, 2.0], k=2)] == ["c", "a"]
