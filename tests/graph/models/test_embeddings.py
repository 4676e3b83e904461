"""Embeddings: unit vectors whose nearness is meaning (MiniLM) or spelling (the fallback, which says so)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from assent.graph.models.embeddings import Lexical, MiniLM, local_embedder
from assent.graph.models.packages import MINILM, find, is_present

needs_weights = pytest.mark.skipif(not is_present(MINILM), reason="the pinned weights were not pulled")


@pytest.mark.model
@needs_weights
async def test_minilm_gives_the_cosines_its_makers_publish() -> None:
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
    vectors = await MiniLM(find(MINILM)).embed(texts)
    assert vectors.shape == (3, 384) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] == pytest.approx(0.7553, abs=1e-3)
    assert vectors[0] @ vectors[2] == pytest.approx(-0.1050, abs=1e-3)


@pytest.mark.model
@needs_weights
async def test_a_text_has_one_vector_whatever_stands_beside_it() -> None:
    embedder = MiniLM(find(MINILM))
    texts = ["", "Where is my parcel?", "word " * 2000, "日本語 🙂", "Where is my parcel?"] * 9
    together = await embedder.embed(texts)
    assert np.isfinite(together).all()
    for index in range(5):
        (alone,) = await embedder.embed([texts[index]])
        assert together[index] @ alone == pytest.approx(1, abs=1e-5)
        assert np.allclose(together[index], together[index + 5], atol=1e-5)


@pytest.mark.model
@needs_weights
async def test_minilm_knows_meaning_where_letters_do_not() -> None:
    texts = ["My parcel never came", "The package did not arrive", "My parrot never came"]
    meaning, letters = await MiniLM(find(MINILM)).embed(texts), await Lexical().embed(texts)
    assert meaning[0] @ meaning[1] > meaning[0] @ meaning[2]
    assert letters[0] @ letters[1] < letters[0] @ letters[2]


async def test_the_fallback_says_so_and_gives_unit_vectors(tmp_path: Path) -> None:
    embedder = local_embedder(tmp_path)
    assert embedder.kind == "lexical"
    vectors = await embedder.embed(["Where is order 2001?", "where is ORDER 2001?", "refund please", ""])
    assert vectors.shape == (4, embedder.size) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0], atol=1e-6)
    assert vectors[0] @ vectors[1] == pytest.approx(1) and vectors[0] @ vectors[2] < 0.5


async def test_nothing_to_embed_is_no_rows(tmp_path: Path) -> None:
    assert (await Lexical().embed([])).shape == (0, Lexical.size)
    if is_present(MINILM):
        assert (await MiniLM(find(MINILM)).embed([])).shape == (0, 384)


def test_the_fallback_is_the_same_in_every_process() -> None:
    program = (
        "import asyncio\nfrom assent.graph.models.embeddings import Lexical\n"
        "print(asyncio.run(Lexical().embed(['Where is my parcel?'])).argmax())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.model
@needs_weights
def test_local_embedder_prefers_meaning() -> None:
    assert local_embedder().kind == "sentence"


def test_embedding_leaves_the_thread_count_as_it_was() -> None:
    from assent.graph.models.blas import _threads, one_thread

    found = _threads()
    if found is None:
        pytest.skip("this NumPy does not use OpenBLAS")
    read, write = found
    before = read()
    try:
        write(2)
        with pytest.raises(RuntimeError, match="inside"), one_thread():
            assert read() == 1
            raise RuntimeError("inside")
        assert read() == 2
    finally:
        write(before)
