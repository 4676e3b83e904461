"""Runs a suite: so many cases at once, every single error recorded and none fatal; it changes nothing it measures."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...graph.clock import Clock, utc_now
from .cases import EvalCase, Proposed, Task
from .report import CaseResult, Report, Score, report_of
from .scorers import Mark, Scorer
from .suite import Suite, name_of


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int
    total: int
    errors: int


async def run(
    suite: Suite,
    *,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109 - of one case, not of this call
    limit: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    clock: Clock = utc_now,
) -> Report:
    """Run a suite and report.

    Args:
        suite: what to run.
        concurrency: how many cases run at once.
        timeout: seconds one case may take before it counts as failed; None: as long as it takes.
        limit: only so many cases, from the first on.
        progress: called after every case.
        clock: when the run started.

    Raises SuiteError when there are no cases; errors in the task or a scorer are recorded with their case.
    """
    cases = (await suite.cases())[:limit]
    started_at, started = clock().isoformat(), time.perf_counter()
    results = await _all(suite, cases, max(1, concurrency), timeout, progress or (lambda _: None))
    names = [name_of(scorer) for scorer in suite.scorers]
    return report_of(suite.name, names, suite.gate, results, started_at, time.perf_counter() - started)


async def _all(
    suite: Suite,
    cases: Sequence[EvalCase],
    concurrency: int,
    seconds: float | None,
    tell: Callable[[Progress], None],
) -> list[CaseResult]:
    results: dict[int, CaseResult] = {}
    queue: Iterator[tuple[int, EvalCase]] = iter(enumerate(cases))

    async def work() -> None:
        for index, case in queue:
            results[index] = await _one(suite.task, suite.scorers, case, seconds)
            errors = sum(result.error is not None for result in results.values())
            tell(Progress(len(results), len(cases), errors))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(cases))):
            group.create_task(work())
    return [results[index] for index in range(len(cases))]


async def _one(task: Task, scorers: Sequence[Scorer], case: EvalCase, seconds: float | None) -> CaseResult:
    proposed: Proposed | None = None
    scores: tuple[Score, ...] = ()
    error: str | None = None
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            answer = await task(case)
        if not isinstance(answer, Proposed):
            raise TypeError(f"the task returned {type(answer).__name__}, not Proposed")
        proposed = answer
        scores = tuple(_score(scorer, case, proposed) for scorer in scorers)
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"[:500]
    taken = time.perf_counter() - started
    return CaseResult(case.id, case.text, case.expected, proposed, scores, error, taken)


def _score(scorer: Scorer, case: EvalCase, proposed: Proposed) -> Score:
    name = name_of(scorer)
    mark: Mark = scorer(case, proposed)
    if isinstance(mark, Mapping):
        parts = {str(part): bool(value) for part, value in mark.items()}
        return Score(name, sum(parts.values()) / len(parts) if parts else None, parts)
    if mark is None:
        return Score(name, None)
    if not isinstance(mark, int | float) or not (math.isfinite(mark) and 0 <= mark <= 1):
        raise ValueError(f"the scorer {name} gave {mark!r:.80}, which is neither yes or no nor a share from 0 to 1")
    return Score(name, float(mark))
