"""From features to confidence: a weighted sum and a sigmoid, with weights that evals fitted; a missing feature is an indicator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Features = Mapping[str, float | None]
"""One number per feature; None where it could not be measured."""


@dataclass(frozen=True, slots=True)
class Term:
    """What one feature adds to the log-odds."""

    name: str
    weight: float
    """Per standard deviation."""
    mean: float = 0.0
    scale: float = 1.0
    missing: float = 0.0
    """What is added in its place when the feature is missing."""

    def of(self, value: float | None) -> float:
        """Return what a value of the feature adds to the log-odds."""
        if value is None or not math.isfinite(value):
            return self.missing
        return self.weight * (value - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class Head:
    """How features become the probability that an action is right: one feature as it is, or a logistic sum of terms."""

    terms: tuple[Term, ...] = ()
    bias: float = 0.0
    raw: str = ""
    """The one feature that is taken as it is, while there are too few labels to fit anything; empty for a logistic sum."""

    def score(self, features: Features) -> float | None:
        """Return the confidence, 0..1; None, so that a person decides, when it cannot be told."""
        if self.raw:
            value = features.get(self.raw)
            return value if value is not None and 0 <= value <= 1 else None
        try:
            total = self.bias + math.fsum(term.of(features.get(term.name)) for term in self.terms)
        except (ValueError, ArithmeticError):  # a head with a weight or scale that is no number
            return None
        if not math.isfinite(total):
            return None
        return 1 / (1 + math.exp(-total)) if total >= 0 else math.exp(max(total, -700.0)) / (1 + math.exp(max(total, -700.0)))

    def told(self) -> str:
        """Return what it adds up in one line: the weight of each feature, the heaviest first, and of its absence."""
        if self.raw:
            return f"{self.raw} as it is"
        heaviest = sorted(self.terms, key=lambda term: (-abs(term.weight), term.name))
        missing = {term.name: f" (missing {term.missing:+.2f})" if round(term.missing, 2) else "" for term in self.terms}
        weights = [f"{term.name} {term.weight:+.2f}{missing[term.name]}" for term in heaviest]
        return f"{', '.join([*weights, f'bias {self.bias:+.2f}'])}; log-odds for a standard deviation more"

    def as_json(self) -> dict[str, Any]:
        """Return the head as plain JSON."""
        return {"version": 1, **asdict(self), "terms": [asdict(term) for term in self.terms]}


AGREEMENT = Head(raw="agreement")
"""Before there are labels enough to fit a head, agreement is the confidence."""


def head_of(stored: Mapping[str, Any] | None) -> Head | None:
    """Return the head that `Head.as_json` wrote; raises ValueError for one of another version."""
    if stored is None:
        return None
    if stored.get("version") != 1:
        raise ValueError(f"a head of version {stored.get('version')!r} cannot be read here; update Assent")
    return Head(tuple(Term(**term) for term in stored["terms"]), float(stored["bias"]), str(stored["raw"]))


FLAGS = "policy flags"
"""The name under which the policy's flags stand among the readings of an action, without a value of their own."""


NO_FLAGS = ("confidence", "reviewers")
"""The reasons that are added to an action after it was scored: what confidence came to, and that a second person looks at it."""


def spoken(reasons: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the reasons that are flags: those of checks, which were known when the action was scored."""
    return [reason for reason in reasons if reason["check"] not in NO_FLAGS]


def features_of(tool: str, readings: Sequence[Mapping[str, Any]], reasons: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the features of an action: each signal's value, the policy's flags, and which tool it is.

    Args:
        tool: the tool's name; becomes the indicator `tool:NAME`.
        readings: as recorded on the action, with `signal` and `value`.
        reasons: the policy's, with `check` and `ruling`; each check that spoke becomes the indicator `flag:NAME`.
    """
    measured = {str(reading["signal"]).replace(" ", "_"): reading["value"] for reading in readings if reading["signal"] != FLAGS}
    flags = {f"flag:{reason['check']}": 1.0 for reason in spoken(reasons)}
    return {**measured, **flags, f"tool:{tool}": 1.0}
