"""Draws simulated years, week by week, into one figure; it measures nothing and needs the extra `plot`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from ...graph.autonomy.levels import WORDS, Level
from .report import Report
from .scenario_file import ScenarioError
from .tallies import WEEK, Tally, Year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, QUIET, GRID, ALARM = "#1f2933", "#6b7785", "#e4e8ec", "#b3261e"
COLOURS = ("#0b6e4f", "#c46a1b", "#3b5bdb", "#8a3ffc")

Measure = Callable[[Tally], float | None]


def check(path: Path) -> None:
    """Raise ScenarioError for a file that no plot can be written to."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise ScenarioError(f"{path}: a plot is written as .png or .svg")
    if not path.absolute().parent.is_dir():
        raise ScenarioError(f"{path}: there is no folder {path.parent}")


def figure(reports: Sequence[Report], path: Path) -> None:
    """Write a PNG or SVG with four panels, a colour per scenario: the median of its years, in a band from least to greatest.

    From above: the share that passed without a person; how much of it was really wrong, with what was promised; people's hours;
    and the level of each class in the first year, with its alarms. Raises ScenarioError for another kind of file.
    """
    check(path)
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    look: Any = {"font.size": 9.5, "font.family": "DejaVu Sans", "axes.edgecolor": QUIET, "svg.hashsalt": "assent"}
    with pyplot.rc_context(look):
        drawn, panels = pyplot.subplots(
            4, 1, figsize=(7.6, 7.8), dpi=110, sharex=True, height_ratios=(3, 3, 2, 2), layout="constrained"
        )
        for report, colour in zip(reports, COLOURS * len(reports), strict=False):
            _drawn(panels, report, colour)
        _dress(panels, reports)
        when: dict[str, Any] = {"Software": None} if path.suffix.lower() == ".png" else {"Date": None}
        drawn.savefig(path, facecolor="white", metadata=when)
        pyplot.close(drawn)


def _drawn(panels: Sequence[Axes], report: Report, colour: str) -> None:
    passing, risk, hours, levels = panels
    _line(passing, report, colour, lambda week: 100 * week.passed / week.proposed if week.proposed else None)
    _line(risk, report, colour, lambda week: 100 * week.risk / week.passed if week.passed else None)
    _line(risk, report, colour, lambda week: 100 * week.promised / week.passed if week.passed else None, promised=True)
    _line(hours, report, colour, lambda week: week.minutes / 60)
    _steps(levels, report, report.years[0], colour)
    for what in report.scenario.classes:
        for change in what.changes:
            for axes in panels:
                axes.axvline(change.day, color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)))


def _line(axes: Axes, report: Report, colour: str, measure: Measure, promised: bool = False) -> None:
    places, middle, least, most = [], [], [], []
    for place in range(max(1, report.scenario.days // WEEK)):
        values = [value for year in report.years if (value := measure(_week(year, place))) is not None]
        if values:
            places.append(WEEK * place + WEEK / 2)
            middle.append(median(values))
            least.append(min(values))
            most.append(max(values))
    if promised:
        axes.plot(places, middle, color=colour, linewidth=1.1, linestyle="--", drawstyle="steps-mid")
        return
    axes.plot(places, middle, color=colour, linewidth=1.9, label=report.scenario.name)
    if len(report.years) > 1:
        axes.fill_between(places, least, most, color=colour, alpha=0.16, linewidth=0)


def _week(year: Year, place: int) -> Tally:
    """Return one week of all classes together."""
    together = Tally()
    for weeks in year.weeks:
        together.add(weeks[place])
    return together


def _steps(axes: Axes, report: Report, year: Year, colour: str) -> None:
    for place, what in enumerate(report.scenario.classes):
        days = [0]
        levels = [int(Level.SUPERVISED)]
        for event in (one for one in year.events if one.place == place and one.what in ("signed", "demoted")):
            days.append(event.day)
            levels.append(int(event.level))
        days.append(report.scenario.days)
        levels.append(levels[-1])
        style = ("-", "--", ":", "-.")[place % 4]
        name = f"{report.scenario.name}: {what.tool}" if len(report.scenario.classes) > 1 else report.scenario.name
        axes.plot(days, levels, color=colour, linewidth=1.6, linestyle=style, drawstyle="steps-post", label=name)
        alarms = [event for event in year.events if event.place == place and event.what == "alarm"]
        axes.plot([e.day for e in alarms], [e.level for e in alarms], color=ALARM, marker="v", markersize=6, linestyle="none")


def _dress(panels: Sequence[Axes], reports: Sequence[Report]) -> None:
    passing, risk, hours, levels = panels
    count = len(reports[0].years)
    told = "one simulated year" if count == 1 else f"{count} simulated years: median, least to greatest"
    passing.set_title(f"{', '.join(report.scenario.name for report in reports)} ({told})", loc="left", color=INK, fontsize=11)
    passing.set_ylabel("% that passed\nwithout a person")
    passing.set_ylim(0, 103)
    risk.set_ylabel("% of it truly wrong\n(dashed: promised)")
    risk.set_ylim(bottom=0)
    hours.set_ylabel("people's hours\na week")
    hours.set_ylim(bottom=0)
    levels.set_ylabel("level, first year\n(triangle: alarm)")
    levels.set_yticks([int(level) for level in Level], [WORDS[level] for level in Level])
    levels.set_ylim(-0.4, 4.4)
    levels.set_xlabel("day (dotted: something changes)")
    if len(reports) > 1:
        passing.legend(frameon=False, fontsize=8.5)
    if any(len(report.scenario.classes) > 1 for report in reports):
        levels.legend(frameon=False, fontsize=8)
    for axes in panels:
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
        axes.tick_params(colors=QUIET)
        axes.yaxis.label.set_color(INK)
        axes.spines[["top", "right"]].set_visible(False)
