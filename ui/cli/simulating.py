"""`assent simulate`: what settings would do in a year, seen before they are chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as Shown
from rich.text import Text

from .database import Database, url_of
from .inbox import Home, Json, Who
from .place import OPERATOR
from .say import Failed, out, print_json, progress, show, tell, wait_for

if TYPE_CHECKING:
    from ...evals.simulation.recorded import Recorded
    from ...evals.simulation.report import Report
    from ...evals.simulation.settings import Scenario

Number = float | None


def simulate(
    scenario: Annotated[str, typer.Option(help="A packaged scenario, or the path of a .yaml file; see --list.")] = "steady",
    compare: Annotated[list[str] | None, typer.Option(help="Another scenario beside it, played with the same seeds.")] = None,
    rows: Annotated[list[Path] | None, typer.Option(help="Recorded rows (JSON lines) to draw actions from, a class each.")] = None,
    label: Annotated[str, typer.Option(help="--rows: the field that says whether it was right.")] = "correct",
    group: Annotated[str | None, typer.Option(help="--rows: the field of the conversation or question.")] = None,
    features: Annotated[str | None, typer.Option(help="--rows: fields to use, with commas between.")] = None,
    desk: Annotated[
        bool, typer.Option("--desk", help="Draw actions from this desk's own decided actions, class by class.")
    ] = False,
    home: Home = Path("desk"),
    database: Database = None,
    who: Who = OPERATOR,
    days: Annotated[int | None, typer.Option(min=1)] = None,
    per_day: Annotated[Number, typer.Option(help="Actions a day, of all classes together.")] = None,
    alpha: Annotated[Number, typer.Option(help="The promised greatest share of wrong ones among what passes.")] = None,
    looser_alpha: Annotated[Number, typer.Option(help="The same at level monitored.")] = None,
    delta: Annotated[Number, typer.Option(help="The accepted chance that a promise is broken.")] = None,
    share: Annotated[Number, typer.Option(help="Audited share at level certified.")] = None,
    monitored_share: Annotated[Number, typer.Option(help="Audited share at level monitored.")] = None,
    sampled_share: Annotated[Number, typer.Option(help="Audited share at level sampled.")] = None,
    n_min: Annotated[int | None, typer.Option(help="Audits without an alarm before a class may rise further.")] = None,
    highest: Annotated[str | None, typer.Option(help="The ceiling that the policy states.")] = None,
    sign_after: Annotated[int | None, typer.Option(help="Days from when nothing is missing until the lead signs.")] = None,
    seed: Annotated[int, typer.Option(help="Of the first year; the same seed, the same year.", min=0)] = 1,
    repeat: Annotated[int, typer.Option(help="How many years, each with its own seed.", min=1)] = 1,
    plot: Annotated[Path | None, typer.Option(help="Draw it into this file (.png or .svg).")] = None,
    as_json: Json = False,
    list_them: Annotated[bool, typer.Option("--list", help="Name the packaged scenarios and end.")] = False,
    print_it: Annotated[bool, typer.Option("--print", help="Print the scenario's file, to start your own from, and end.")] = False,
) -> None:
    """See what settings would do in a year: recorded or made-up actions, decided by the gate's own code.

    A lead is assumed to sign whatever nothing is missing for, --sign-after days later.
    """
    from ...evals.simulation.plots import check, figure
    from ...evals.simulation.scenario_file import names, scenario_of, text_of

    if list_them:
        for name in names():
            show(f"{name:<13} {scenario_of(name).about}")
        return
    if print_it:
        with _wrong_use():
            scenario_of(scenario)
        show((text_of(scenario) if scenario in names() else Path(scenario).read_text("utf-8")).rstrip())
        return
    chosen = {"alpha": alpha, "looser_alpha": looser_alpha, "delta": delta, "share": share, "n_min": n_min, "highest": highest}
    chosen |= {"monitored_share": monitored_share, "sampled_share": sampled_share, "sign_after": sign_after}
    if desk and rows:
        raise Failed("Name --rows or --desk, not both.", 2)
    recorded = _of_desk(url_of(home, database), who) if desk else _recorded(rows or (), label, group, features)
    with _wrong_use():
        played = [_with(scenario_of(name), days, per_day, chosen) for name in (scenario, *(compare or ()))]
        if plot is not None:
            check(plot)
    reports = _play(played, recorded, seed, repeat)
    if plot is not None:
        figure(reports, plot)
    print_json([report.as_json() for report in reports] if compare else reports[0].as_json()) if as_json else _print(reports)


@contextmanager
def _wrong_use() -> Iterator[None]:
    from ...evals.simulation.scenario_file import ScenarioError

    try:
        yield
    except ScenarioError as error:
        raise Failed(str(error), 2) from None


def _with(scenario: Scenario, days: int | None, per_day: Number, chosen: dict[str, Any]) -> Scenario:
    from ...evals.simulation.playing import at_rate
    from ...evals.simulation.scenario_file import checked

    scenario = replace(scenario, chosen=replace(scenario.chosen, **{name: v for name, v in chosen.items() if v is not None}))
    scenario = replace(scenario, days=scenario.days if days is None else days)
    return checked(scenario if per_day is None else at_rate(scenario, per_day))


def _recorded(paths: Sequence[Path], label: str, group: str | None, features: str | None) -> list[tuple[str, Recorded]]:
    from ...evals.certify.rows import RowsError, read_rows
    from ...evals.simulation.recorded import Recorded

    wanted = [name.strip() for name in features.split(",") if name.strip()] if features else None
    try:
        found = [(path.stem, read_rows(path, label, group, wanted)) for path in paths]
    except RowsError as error:
        raise Failed(str(error), 2) from None
    return [(name, Recorded(rows.features, rows.labels, rows.groups)) for name, rows in found]


def _of_desk(url: str, who: str) -> list[tuple[str, Recorded]]:
    from ...evals.opening import open_desk
    from ...evals.simulation.recorded import of_desk

    async def work() -> list[tuple[str, Recorded]]:
        async with open_desk(url) as opened:
            return await of_desk(opened.store, opened.clock, who)

    return wait_for(work())


def _play(scenarios: Sequence[Scenario], recorded: Sequence[tuple[str, Recorded]], seed: int, repeat: int) -> list[Report]:
    from ...evals.simulation.playing import for_rows, play
    from ...evals.simulation.report import Report

    import_module("sklearn")  # before numpy, so that what is missing is told by the extra that brings both
    began, reports = time.monotonic(), list[Report]()
    with progress() as bars:
        for scenario in scenarios:
            task = bars.add_task(scenario.name, total=repeat * scenario.days)
            played = for_rows(scenario, recorded) if recorded else scenario
            rows = [rows for _, rows in recorded]
            reports.append(play(played, seed=seed, repeat=repeat, rows=rows, tell=_teller(bars, task)))
    actions, took = sum(year.total.proposed for report in reports for year in report.years), time.monotonic() - began
    tell(f"{actions:,} actions in {took:.1f} s, {actions / took:,.0f} a second")
    return reports


def _teller(bars: Any, task: Any) -> Callable[[int, int], None]:
    def told(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total)

    return told


def _print(reports: Sequence[Report]) -> None:
    from ...evals.simulation.report import findings, simulation_table

    if not any(report.years for report in reports):
        raise Failed("nothing was played", 2)
    table = simulation_table(reports)
    shown = Shown(*table.columns, title=table.title, box=None)
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    out.print(shown)
    for report in reports:
        show()
        if report.scenario.about:
            show(f"{report.scenario.name}: {report.scenario.about}")
        for finding in findings(report):
            show(f"- {finding}")
