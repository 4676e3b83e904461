"""Exports decisions as training data, one module per format; what does not fit a format is left out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import resources
from typing import Any, Literal, get_args

from ...graph.clock import Clock, utc_now
from ...graph.errors import AssentError
from ...graph.store.session import Store
from ..examples import Example, read_examples
from . import everything, openai_dpo, openai_sft, trl_dpo, trl_kto, trl_sft
from .lines import line, mended

__all__ = ["FORMATS", "Format", "UnknownFormat", "export", "lines_of", "rows_of", "schema"]

Format = Literal["jsonl", "openai-sft", "openai-dpo", "trl-sft", "trl-dpo", "trl-kto"]
"""`jsonl` is everything; the others are what OpenAI's fine-tuning and TRL's trainers read."""

FORMATS: tuple[Format, ...] = get_args(Format)

Rows = Callable[[Example], tuple[dict[str, Any], ...]]

_ROWS: dict[str, Rows] = {
    "jsonl": everything.rows,
    "openai-sft": openai_sft.rows,
    "openai-dpo": openai_dpo.rows,
    "trl-sft": trl_sft.rows,
    "trl-dpo": trl_dpo.rows,
    "trl-kto": trl_kto.rows,
}


class UnknownFormat(AssentError):
    """There is no such export format."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no export format {name!r}; there are {', '.join(FORMATS)}.")


def rows_of(example: Example, format: Format) -> tuple[dict[str, Any], ...]:
    """Return the rows that an example makes in a format: none if it does not fit; raises UnknownFormat."""
    if format not in _ROWS:
        raise UnknownFormat(format)
    rows = _ROWS[format](example)
    return rows if format == "jsonl" else tuple(mended(row) for row in rows)


def lines_of(example: Example, format: Format) -> Iterator[str]:
    """Yield an example's lines in a format, each with its line feed."""
    return map(line, rows_of(example, format))


async def export(
    store: Store,
    tenant: str,
    format: Format,
    *,
    clock: Clock = utc_now,
) -> AsyncIterator[str]:
    """Yield the lines of a tenant's export as they are read; raises UnknownFormat before the first."""
    if format not in _ROWS:
        raise UnknownFormat(format)
    async for example in read_examples(store, tenant, clock=clock):
        for text in lines_of(example, format):
            yield text


def schema(format: Format) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) that every row of a format obeys; raises UnknownFormat."""
    if format not in _ROWS:
        raise UnknownFormat(format)
    text = resources.files(__package__).joinpath("schemas", f"{format}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
