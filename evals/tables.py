"""Reports and comparisons as tables of text; whoever shows them decides how they look."""

from __future__ import annotations

from dataclasses import dataclass

from .suites.compare import Comparison
from .suites.report import Report, Share


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of text, with notes to print below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def report_table(report: Report) -> Table:
    """Return a report as a table: every share with its n and its interval."""
    gate = {line.name: f"{line.condition} {'passed' if line.passed else 'FAILED'}" for line in report.gate}
    rows = tuple(_row(share, gate) for share in report.shares)
    level = f"{report.shares[0].level:.0%} {report.shares[0].method} interval" if report.shares else "interval"
    return Table(report.suite, ("score", "share", "n", level, "gate"), rows, _notes(report))


def comparison_table(comparison: Comparison) -> Table:
    """Return a comparison as a table: how many cases got better and worse by each score."""
    rows = tuple(
        (line.scorer, str(line.n), str(len(line.better)), str(len(line.worse)), f"{line.p_value:.3f}") for line in comparison.lines
    )
    notes = [f"Only in the first report: {', '.join(comparison.only_before)}."] if comparison.only_before else []
    notes += [f"Only in the second report: {', '.join(comparison.only_after)}."] if comparison.only_after else []
    columns = ("score", "cases", "better", "worse", "p (two-sided sign test)")
    return Table(f"{comparison.before} -> {comparison.after}", columns, rows, tuple(notes))


def percent(share: float | None, digits: int | None = None) -> str:
    """Return a share in per cent, as `4.7%`: with so many decimals, or else up to four significant digits; a dash for none."""
    if share is None:
        return "-"
    return f"{share:.{digits}%}" if digits is not None else f"{100 * share:.4g}%"


def _row(share: Share, gate: dict[str, str]) -> tuple[str, ...]:
    if share.part is not None:
        return (f"  {share.part}", *_numbers(share), "")
    return (share.scorer, *_numbers(share), gate.get(share.scorer, ""))


def _numbers(share: Share) -> tuple[str, str, str]:
    if share.value is None:
        return ("-", "0", "nothing could be scored")
    return (f"{share.value:.1%}", str(share.n), f"{share.low:.1%} to {share.high:.1%}")


def _notes(report: Report) -> tuple[str, ...]:
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in report.verdicts.items() if count)
    notes = [f"{len(report.results)} cases in {report.seconds:.1f} s; verdicts: {verdicts or 'none'}."]
    if report.errors:
        notes.append(f"{report.errors} cases could not be run or scored; the gate counts them against every score.")
    for line in report.gate:
        if not line.passed:
            shown = "nothing could be scored" if line.value is None else f"{line.value:.1%}"
            notes.append(f"FAILED: {line.name} {line.condition}; it is {shown}.")
    return tuple(notes)
