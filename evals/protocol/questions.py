"""Rows of one proposed call and who agreed with it, as features: four sets, from what any desk has to what only a benchmark knows.

A row is one (model, question): `model`, `qid`, `category`, `correct`, `no_call` (the model proposed nothing) and `agree`,
whether each other model proposed the same call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .lines import Row, read_lines
from .scored import Scorable

FILE = "bfcl_agreement.jsonl"

Kind = Callable[[Row], Mapping[str, float | None]]


def agreement(row: Row) -> float | None:
    """Return the share of the other models that proposed the same call; None when no other was asked."""
    votes = [float(vote) for vote in (row.get("agree") or {}).values() if _is_number(vote)]
    return math.fsum(votes) / len(votes) if votes else None


def alone(row: Row) -> dict[str, float | None]:
    """Return agreement and nothing else."""
    return {"agreement": agreement(row), **_nothing(row, "")}


def by_model(row: Row) -> dict[str, float | None]:
    """Return each other model's vote; one that was not asked is missing."""
    votes = {f"agree.{name}": float(vote) if _is_number(vote) else None for name, vote in (row.get("agree") or {}).items()}
    return {**votes, **_nothing(row, "")}


def by_request(row: Row) -> dict[str, float | None]:
    """Return agreement with how many tools and calls the request is about; that no tool fits is not told."""
    category = str(row.get("category"))
    return _with_category(row, "simple" if category == "relevance" else category)


def by_category(row: Row) -> dict[str, float | None]:
    """Return agreement with the benchmark's own category, which says so where no tool fits."""
    return _with_category(row, str(row.get("category")))


FEATURES: dict[str, Kind] = {
    "agreement alone": alone,
    "each model's agreement": by_model,
    "agreement and kind of request": by_request,
    "agreement and category": by_category,
}
HEADLINE = "agreement and category"


def read_questions(folder: Path, features: Kind, *, calls_only: bool = True) -> list[Scorable]:
    """Return a folder's rows with these features; a class is a model, a group a question.

    Where the model proposed no call there is nothing to let through; such rows are left out unless `calls_only` is False.
    """
    rows = read_lines(folder / FILE, ("model", "qid", "correct"))
    return scorable(rows, features, calls_only=calls_only)


def scorable(rows: Sequence[Row], features: Kind, *, calls_only: bool = True) -> list[Scorable]:
    """Return rows as the protocol scores them."""
    return [
        Scorable(str(row["model"]), str(row["qid"]), bool(row["correct"]), features(row))
        for row in rows
        if not (calls_only and row.get("no_call"))
    ]


def _with_category(row: Row, category: str) -> dict[str, float | None]:
    return {"agreement": agreement(row), f"category:{category}": 1.0, **_nothing(row, category)}


def _nothing(row: Row, category: str) -> dict[str, float | None]:
    return {f"no_call:{category}": 1.0} if row.get("no_call") else {}


def _is_number(vote: Any) -> bool:
    return isinstance(vote, int | float) and math.isfinite(vote)
