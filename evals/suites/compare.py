"""Compares two reports case by case: which got better, which got worse; cases in only one of them are listed, not counted."""

from __future__ import annotations

from dataclasses import dataclass

from ..intervals import sign_test
from .report import CaseResult, Report, Share


@dataclass(frozen=True, slots=True)
class Change:
    """One case whose score changed."""

    id: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class ComparedScore:
    """What changed by one score."""

    scorer: str
    n: int
    """Cases scored in both reports."""
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    p_value: float
    """Two-sided exact sign test over the changed cases: how easily chance alone would do this."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports, case by case."""

    before: str
    after: str
    lines: tuple[ComparedScore, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]


def compare(before: Report, after: Report) -> Comparison:
    """Compare the scores that both reports have, over the cases that both have."""
    old, new = ({result.id: result for result in report.results} for report in (before, after))
    known = {share.scorer for share in after.shares}
    shares = [share for share in before.shares if share.part is None and share.scorer in known]
    return Comparison(
        before=f"{before.suite} {before.started_at}",
        after=f"{after.suite} {after.started_at}",
        lines=tuple(_compared(share, old, new) for share in shares),
        only_before=tuple(name for name in old if name not in new),
        only_after=tuple(name for name in new if name not in old),
    )


def _compared(share: Share, old: dict[str, CaseResult], new: dict[str, CaseResult]) -> ComparedScore:
    pairs = [
        Change(name, before, after)
        for name, result in old.items()
        if name in new
        and (before := _value(result, share.scorer)) is not None
        and (after := _value(new[name], share.scorer)) is not None
    ]
    rose = tuple(pair for pair in pairs if pair.after > pair.before)
    fell = tuple(pair for pair in pairs if pair.after < pair.before)
    better, worse = (rose, fell) if share.better == "higher" else (fell, rose)
    return ComparedScore(share.scorer, len(pairs), better, worse, sign_test(len(better), len(worse)))


def _value(result: CaseResult, scorer: str) -> float | None:
    return next((score.value for score in result.scores if score.scorer == scorer), None)
