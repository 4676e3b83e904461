"""Sentence embeddings on this machine: MiniLM in NumPy, or a lexical fallback that says so; no text leaves it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from .blas import one_thread
from .packages import MINILM, find, is_present

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vectors = NDArray[float32]

Kind = Literal["sentence", "lexical"]
"""What a vector knows: the meaning of the text, or only its letters."""

_LAYERS, _HEADS, _LONGEST, _EPSILON = 6, 12, 256, 1e-12
_BATCH = 32


class Embedder(Protocol):
    """Turns texts into unit vectors of one length, so that a dot product is a cosine."""

    kind: Kind
    size: int
    """Numbers per vector."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one float32 row per text."""
        ...


def local_embedder(cache: Path | None = None) -> Embedder:
    """Return MiniLM when its files are in the cache, else the lexical fallback; `.kind` says which."""
    return MiniLM(find(MINILM, cache)) if is_present(MINILM, cache) else Lexical()


class MiniLM:
    """all-MiniLM-L6-v2: mean-pooled BERT of six layers, 384 numbers a text, the first 256 tokens count.

    The weights are read at the first text. Source: the model's own configuration and the BERT paper (arXiv 1810.04805).
    """

    kind: Kind = "sentence"
    size = 384

    made_with: ClassVar[dict[str, str]] = {file.name: file.sha256 for file in MINILM.files}
    """What it is, for the key of a certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._weights: dict[str, Vectors] | None = None
        self._tokenizer: Any = None
        self._lock = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of the texts; the arithmetic runs in a thread, one call at a time."""
        async with self._lock:
            return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> Vectors:
        import numpy as np

        weights = self._load()
        result = np.zeros((len(texts), self.size), np.float32)
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        # Texts of similar length share a batch, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            with one_thread():
                result[chosen] = _forward(weights, [encoded[index] for index in chosen])
        return result

    def _load(self) -> dict[str, Vectors]:
        if self._weights is None:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer

            self._tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
            self._tokenizer.enable_truncation(_LONGEST)
            self._tokenizer.no_padding()
            self._weights = load_file(self._folder / "model.safetensors")
        return self._weights


def _forward(weights: dict[str, Vectors], batch: list[list[int]]) -> Vectors:
    """Run token ids of several texts through the network and return unit vectors."""
    import numpy as np

    longest = max(map(len, batch))
    ids = np.array([row + [0] * (longest - len(row)) for row in batch])
    real = np.array([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in batch], np.float32)
    tables = "embeddings.{}_embeddings.weight"
    states = weights[tables.format("word")][ids] + weights[tables.format("position")][:longest]
    states = _normalised(states + weights[tables.format("token_type")][0], weights, "embeddings.LayerNorm")
    hidden_padding = (1.0 - real)[:, None, None, :] * np.float32(-1e9)
    for layer in range(_LAYERS):
        states = _layer(states, hidden_padding, weights, f"encoder.layer.{layer}")
    pooled = (states * real[:, :, None]).sum(1) / real.sum(1, keepdims=True)
    unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    return unit


def _layer(states: Vectors, hidden_padding: Vectors, weights: dict[str, Vectors], name: str) -> Vectors:
    import numpy as np

    rows, length, width = states.shape

    def heads(part: str) -> Vectors:
        projected = _linear(states, weights, f"{name}.attention.self.{part}")
        return projected.reshape(rows, length, _HEADS, width // _HEADS).transpose(0, 2, 1, 3)

    scores = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // _HEADS)) + hidden_padding
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ heads("value")
    attended = _linear(mixed.transpose(0, 2, 1, 3).reshape(states.shape), weights, f"{name}.attention.output.dense")
    states = _normalised(states + attended, weights, f"{name}.attention.output.LayerNorm")
    inner = _gelu(_linear(states, weights, f"{name}.intermediate.dense"))
    return _normalised(states + _linear(inner, weights, f"{name}.output.dense"), weights, f"{name}.output.LayerNorm")


def _linear(states: Vectors, weights: dict[str, Vectors], name: str) -> Vectors:
    return states @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _normalised(states: Vectors, weights: dict[str, Vectors], name: str) -> Vectors:
    import numpy as np

    centred = states - states.mean(-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(_EPSILON))
    scaled: Vectors = centred / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return scaled


def _gelu(values: Vectors) -> Vectors:
    """Return the exact GELU; the error function is Abramowitz and Stegun 7.1.26 (error below 1.5e-7, float32's own)."""
    import numpy as np

    size = np.abs(values) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * size)
    series = np.zeros_like(t)
    for coefficient in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(coefficient)) * t
    erf = np.sign(values) * (1 - series * np.exp(-size * size))
    result: Vectors = values * np.float32(0.5) * (1 + erf)
    return result


class Lexical:
    """Hashed character n-grams: the fallback when MiniLM is not installed. It knows spelling, not meaning."""

    kind: Kind = "lexical"
    size = 4096

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of the texts' 2- to 5-grams inside words; an empty text gives zeros."""
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> Vectors:
        import numpy as np

        result = np.zeros((len(texts), self.size), np.float32)
        for row, text in zip(result, texts, strict=True):
            for place, count in _hashed_grams(text, self.size).items():
                row[place] = 1 + math.log(count)
        norms = np.linalg.norm(result, axis=1, keepdims=True)
        unit: Vectors = (result / np.where(norms == 0, 1, norms)).astype(np.float32)
        return unit


def _hashed_grams(text: str, size: int) -> dict[int, int]:
    """Count the n-grams by place; the hash is stable between processes, unlike Python's own."""
    from collections import Counter
    from zlib import crc32

    grams: Counter[int] = Counter()
    for word in text.casefold().split():
        padded = f" {word} "
        for length in range(2, 6):
            for start in range(len(padded) - length + 1):
                grams[crc32(padded[start : start + length].encode()) % size] += 1
    return grams
