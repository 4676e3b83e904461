"""Draws a learning report as a figure and writes it as a table; it measures nothing and needs the extra `plot`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..intervals import clopper_pearson
from ..tables import percent
from .learning import WINDOW, LearningReport, Tally, Way, merged_report, parse_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, GRID = "#1f2933", "#6b7785", "#e4e8ec"
COLOURS: dict[str, str] = {"model and precedents": "#0b6e4f", "retriever alone": "#c46a1b"}


def figure(report: LearningReport, path: Path, title: str) -> None:
    """Write a PNG: above the shares that need a person and that are proposed right, below the wrong."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"font.size": 10, "font.family": "DejaVu Sans", "axes.edgecolor": QUIET}):
        drawn, (upper, lower) = pyplot.subplots(
            2, 1, figsize=(7.2, 4.8), dpi=130, sharex=True, height_ratios=(3, 1), layout="constrained"
        )
        for way in ways(report):
            _line(upper, report.windows(way), way)
        _bars(lower, report)
        _dress(upper, lower, report, title)
        drawn.savefig(path, facecolor="white", metadata={"Software": None})
        pyplot.close(drawn)


def ways(report: LearningReport) -> list[Way]:
    """Return the ways that were played, in order."""
    return list(dict.fromkeys(run.way for run in report.runs))


def _line(axes: Axes, windows: Sequence[Tally], way: str) -> None:
    places = _middles(windows)
    people = [100 * (window.needing_a_person or 0.0) for window in windows]
    right = [100 * window.proposals_right / window.messages for window in windows]
    axes.plot(places, people, color=COLOURS[way], linewidth=2.2, marker="o", markersize=4.5, label=f"{way}: needs a person")
    axes.plot(places, right, color=COLOURS[way], linewidth=1.1, linestyle=":", label=f"{way}: proposal right")


def _bars(axes: Axes, report: LearningReport) -> None:
    from matplotlib.ticker import MaxNLocator

    names = ways(report)
    for place, way in enumerate(names):
        windows = report.windows(way)
        offset = (place - (len(names) - 1) / 2) * 9
        middles = [middle + offset for middle in _middles(windows)]
        axes.bar(middles, [window.wrong for window in windows], width=8, color=COLOURS[way])
    highest = max((window.wrong for way in names for window in report.windows(way)), default=0)
    axes.set_ylim(0, max(4, highest + 1))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _middles(windows: Sequence[Tally]) -> list[float]:
    return [place * WINDOW + WINDOW / 2 for place in range(len(windows))]


def _dress(upper: Axes, lower: Axes, report: LearningReport, title: str) -> None:
    streams = len({run.seed for run in report.runs})
    upper.set_title(title, loc="left", color=INK, fontsize=11.5, fontweight="bold")
    upper.set_ylabel("% of messages", color=INK)
    upper.set_ylim(0, 103)
    upper.legend(frameon=False, loc="best", fontsize=8.5)
    lower.set_ylabel("wrong", color=INK)
    lower.set_xlabel(f"messages seen, in windows of {WINDOW} ({streams} streams together)", color=INK)
    for axes in (upper, lower):
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
        axes.tick_params(colors=QUIET)
        axes.spines[["top", "right"]].set_visible(False)


def table(report: LearningReport) -> str:
    """Return the totals and the windows as two Markdown tables."""
    names = ways(report)
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    totals = [report.total(way) for way in names]
    for label, cell in _ROWS:
        lines.append(f"| {label} | " + " | ".join(cell(total) for total in totals) + " |")
    lines += ["", "| messages | " + " | ".join(f"{way}: automated, wrong" for way in names) + " |"]
    lines.append("|---|" + "---:|" * len(names))
    windows = [report.windows(way) for way in names]
    for place in range(max(map(len, windows), default=0)):
        cells = [_window(counted[place]) if place < len(counted) else "" for counted in windows]
        lines.append(f"| {place * WINDOW + 1}-{(place + 1) * WINDOW} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _window(counted: Tally) -> str:
    return f"{counted.automated} of {counted.messages}, {counted.wrong}"


def _bound(counted: Tally) -> str:
    """Return the share of wrong automations with its exact 95% interval."""
    if not counted.automated:
        return "-"
    low, high = clopper_pearson(counted.wrong, counted.automated)
    return f"{counted.wrong / counted.automated:.1%} ({100 * low:.1f} to {100 * high:.1f})"


_ROWS: Sequence[tuple[str, Any]] = (
    ("messages", lambda counted: f"{counted.messages:,}"),
    ("automated", lambda counted: f"{counted.automated:,} ({counted.automated / counted.messages:.1%})"),
    ("of these wrong", lambda counted: str(counted.wrong)),
    ("share of the automated that is wrong (95% interval)", _bound),
    ("needing a person", lambda counted: percent(counted.needing_a_person, 1)),
    ("proposals that were right, automated or not", lambda counted: percent(counted.proposals_right / counted.messages, 1)),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m assent.evals.curve.learning_plot REPORT.json ... --figure FILE.png`: draw, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m assent.evals.curve.learning_plot", description=main.__doc__)
    parser.add_argument("reports", nargs="+", type=Path, help="reports of one measurement; their seeds are put together")
    parser.add_argument("--figure", type=Path, help="the PNG to write")
    parser.add_argument("--title", default="What a person still has to decide")
    chosen = parser.parse_args(arguments)
    report = merged_report([parse_report(json.loads(path.read_text("utf-8"))) for path in chosen.reports])
    if chosen.figure:
        figure(report, chosen.figure, chosen.title)
    sys.stdout.write(table(report))


if __name__ == "__main__":
    main()
