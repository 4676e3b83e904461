"""Reports: what came of a run, as values that can be stored, shown and compared; it draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from ...graph.errors import AssentError
from ..examples import Call
from ..intervals import LEVEL, METHOD, clopper_pearson
from .cases import Proposed
from .gates import Condition, GateLine, condition, judged
from .scorers import LOWER_IS_BETTER
from .suite import ERRORS


class ReportError(AssentError):
    """This is not a report of a suite, or one of another version."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one scorer made of one case."""

    scorer: str
    value: float | None
    """A share from 0 to 1, yes being 1; None when the case cannot tell."""
    parts: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: label, proposal and scores, or the error that kept it from being scored."""

    id: str
    text: str
    expected: Call | None
    proposed: Proposed | None
    scores: tuple[Score, ...]
    error: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the scored cases with its interval; `hits / n`, never a number without its n."""

    scorer: str
    part: str | None
    """The argument, for scores with parts; None for the score as a whole."""
    better: Literal["higher", "lower"]
    hits: float
    n: int
    value: float | None
    low: float
    high: float
    level: float = LEVEL
    method: str = METHOD


@dataclass(frozen=True, slots=True)
class Report:
    """A run's outcome."""

    suite: str
    started_at: str
    """ISO 8601, UTC."""
    seconds: float
    results: tuple[CaseResult, ...]
    shares: tuple[Share, ...]
    verdicts: dict[str, int]
    """How many proposals the machine let through, sent to a person, refused; `none`: no action was proposed."""
    errors: int
    gate: tuple[GateLine, ...]
    version: Literal[1] = 1

    @property
    def passed(self) -> bool:
        """Whether every condition of the gate holds."""
        return all(line.passed for line in self.gate)

    @property
    def exit_code(self) -> int:
        """0 when the gate is passed, else 1."""
        return 0 if self.passed else 1

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        found: dict[str, Any] = _report().dump_python(self, mode="json")
        return {**found, "passed": self.passed}

    def share(self, scorer: str) -> Share:
        """Return the share of one scorer; raises KeyError."""
        return next((one for one in self.shares if (one.scorer, one.part) == (scorer, None)), None) or _missing(scorer)


def _missing(scorer: str) -> Share:
    raise KeyError(scorer)


def _report() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def parse_report(stored: Mapping[str, Any]) -> Report:
    """Return a stored report; raises ReportError."""
    try:
        return _report().validate_python({name: value for name, value in stored.items() if name != "passed"})
    except (ValidationError, AttributeError, TypeError) as error:
        raise ReportError from error


def report_of(
    suite: str,
    names: Sequence[str],
    gate: Mapping[str, str],
    results: Sequence[CaseResult],
    started_at: str,
    seconds: float,
) -> Report:
    """Count the results and judge the gate."""
    errors = sum(result.error is not None for result in results)
    wanted = {name: condition(text) for name, text in gate.items()}
    shares = tuple(share for name in names for share in _shares(name, wanted.get(name), results))
    totals = {share.scorer: (share.hits, share.n, errors) for share in shares if share.part is None}
    totals[ERRORS] = (errors, len(results), 0)
    lines = tuple(judged(name, one, *totals[name]) for name, one in wanted.items())
    return Report(suite, started_at, seconds, tuple(results), shares, _verdicts(results), errors, lines)


def _shares(name: str, wanted: Condition | None, results: Iterable[CaseResult]) -> list[Share]:
    higher = wanted.wants_more if wanted else name not in LOWER_IS_BETTER
    scores = [score for result in results for score in result.scores if score.scorer == name and score.value is not None]
    parts = dict.fromkeys(part for score in scores for part in score.parts)
    whole = _share(name, None, higher, [score.value or 0.0 for score in scores])
    by_part = [_share(name, part, higher, [float(score.parts[part]) for score in scores if part in score.parts]) for part in parts]
    return [whole, *by_part]


def _share(name: str, part: str | None, higher: bool, values: Sequence[float]) -> Share:
    hits, n = sum(values), len(values)
    low, high = clopper_pearson(min(hits, n), n)
    return Share(name, part, "higher" if higher else "lower", hits, n, hits / n if n else None, low, high)


def _verdicts(results: Iterable[CaseResult]) -> dict[str, int]:
    counts = {"allow": 0, "review": 0, "refuse": 0, "none": 0}
    for result in results:
        if result.proposed is not None:
            counts[result.proposed.verdict or "none"] += 1
    return counts
