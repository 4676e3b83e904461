"""Holds what past decisions taught and finds the nearest to a new message; it writes nothing anywhere."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import VectorMismatch
from .proposing.prompt import MESSAGE_WEIGHT, cleaned
from .proposing.step import Precedent

Vector = Sequence[float]


class Embedder(Protocol):
    """Turns texts into vectors whose cosine is their likeness in meaning; higher is more alike."""

    async def embed(self, texts: Sequence[str]) -> Any:
        """Return one vector per text, all of one length: rows of a matrix, or sequences of numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Example:
    """What one decision taught, as the index needs it."""

    example_id: str
    text: str
    tool: str
    args: dict[str, Any]
    label: str = "approve"


class PrecedentIndex:
    """The nearest examples to a text, by cosine; one index per tenant, because nothing here tells tenants apart."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._examples: dict[str, tuple[Example, array[float]]] = {}
        self._search: Callable[[Vector], Sequence[float]] | None = None

    def __len__(self) -> int:
        """Return how many examples are held."""
        return len(self._examples)

    def __contains__(self, example_id: object) -> bool:
        """Whether the example is held."""
        return example_id in self._examples

    async def add(self, examples: Sequence[Example]) -> None:
        """Embed and hold the examples; one already held under the same id is replaced. Raises VectorMismatch."""
        vectors = await self._embedder.embed([_readable(example.text) for example in examples]) if examples else []
        for example, vector in zip(examples, vectors, strict=True):
            self.put(example, vector)

    def put(self, example: Example, vector: Vector) -> None:
        """Hold an example whose vector is known; raises VectorMismatch when it does not fit the others."""
        direction = _unit(vector)
        known = next((held for _, held in self._examples.values()), direction)
        if len(known) != len(direction):
            raise VectorMismatch
        self._examples[example.example_id] = (example, direction)
        self._search = None

    def remove(self, example_id: str) -> bool:
        """Forget an example; returns whether it was held."""
        self._search = None
        return self._examples.pop(example_id, None) is not None

    async def nearest(self, text: str, k: int = 6, minimum: float = 0.0) -> tuple[Precedent, ...]:
        """Return the k nearest examples to a text, nearest first, none less similar than the minimum (0..1)."""
        if not self._examples or k < 1:
            return ()
        return self.nearest_to(await self.vector_of(text), k, minimum)

    async def vector_of(self, text: str) -> Vector:
        """Return the vector of a text, as `nearest` looks for it."""
        vector: Vector
        (vector,) = await self._embedder.embed([_readable(text)])
        return vector

    def nearest_to(self, vector: Vector, k: int = 6, minimum: float = 0.0) -> tuple[Precedent, ...]:
        """Return the k nearest examples to a vector, nearest first; equals keep the order they were added in."""
        if not self._examples or k < 1:
            return ()
        held = [example for example, _ in self._examples.values()]
        self._search = self._search or _searcher([direction for _, direction in self._examples.values()])
        cosines = [min(1.0, max(0.0, float(cosine))) for cosine in self._search(_unit(vector))]
        order = sorted(range(len(held)), key=lambda index: -cosines[index])[:k]
        return tuple(_precedent(held[index], cosines[index]) for index in order if cosines[index] >= minimum)


def _precedent(example: Example, similarity: float) -> Precedent:
    return Precedent(example.example_id, example.text, example.tool, example.args, similarity, label=example.label)


def _readable(text: str) -> str:
    """Return the part of a text that is embedded: as a person sees it, and no longer than a model is shown."""
    return cleaned(text, MESSAGE_WEIGHT)


def _unit(vector: Vector) -> array[float]:
    """Return the vector at length 1 (zeros stay, and are like nothing); raises VectorMismatch for what is no vector."""
    numbers = array("d", vector)
    length = math.hypot(*numbers)
    if not numbers or not math.isfinite(length):
        raise VectorMismatch
    return array("d", (number / length for number in numbers)) if length else numbers


def _searcher(directions: Sequence[Vector]) -> Callable[[Vector], Sequence[float]]:
    """Return a function from a direction to its cosine with each of these; with NumPy when it is installed."""
    width = len(directions[0])

    def fits(vector: Vector) -> Vector:
        if len(vector) != width:
            raise VectorMismatch
        return vector

    try:
        import numpy
    except ImportError:
        return lambda vector: [_dot(fits(vector), direction) for direction in directions]
    matrix = numpy.asarray(directions, dtype=numpy.float64)
    return lambda vector: (matrix @ numpy.asarray(fits(vector), dtype=numpy.float64)).tolist()


def _dot(one: Vector, other: Vector) -> float:
    return math.fsum(left * right for left, right in zip(one, other, strict=True))
