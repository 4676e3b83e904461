"""`assent eval`: runs a suite, shows its scores, and ends with 1 when its gate fails."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table as Shown
from rich.text import Text

from ...evals import Progress, find_suite, parts_for
from ...evals import run as run_suite
from ...evals.curve.learning import LearningReport, run_learning
from ...evals.suites.report import Report
from ...evals.tables import Table, report_table
from ...graph.models.embeddings import local_embedder
from .brain import Brain, BrainOptions, pull_models
from .demo import Gguf, How, Model, brain_options
from .inbox import Home, Json
from .place import playbook, reopen_place, shop_agent
from .say import Failed, out, print_json, progress, show, wait_for

app = typer.Typer(help="Run suites; exit code 1 when a gate fails.", no_args_is_help=True)


@app.callback()
def main() -> None:
    """Run suites."""


@app.command("run")
def run(
    suite: Annotated[str, typer.Argument(help="demo, decisions, learning, or the path of a suite file.")],
    as_json: Json = False,
    home: Home = Path("desk"),
    limit: Annotated[int | None, typer.Option(help="Only so many cases.", min=1)] = None,
    data: Annotated[Path | None, typer.Option(help="learning: JSON lines with `text` and `category` or `action`.")] = None,
    categories: Annotated[int, typer.Option(help="learning: kinds of action drawn per seed; 0 takes all.", min=0)] = 8,
    seed: Annotated[list[int] | None, typer.Option(help="learning: a stream per seed; give it several times.")] = None,
    messages: Annotated[int, typer.Option(help="learning: messages per stream.", min=1)] = 334,
    baseline: Annotated[bool, typer.Option("--baseline", help="learning: the retriever alone, no model.")] = False,
    model: Model = None,
    gguf: Gguf = None,
    proposals: How = "auto",
) -> None:
    """Run a suite and show its scores."""
    options = brain_options(model, gguf, proposals)
    if suite == "learning":
        if data is None:
            raise Failed("learning needs --data FILE: JSON lines with `text` and `category`, or with `text` and `action`.", 2)
        learned = wait_for(_learning(data, categories or None, tuple(seed or (0,)), messages, gguf, baseline))
        print_json(learned.as_json()) if as_json else _print_learning(learned)
        return
    report = wait_for(_suite(suite, home, limit, options))
    print_json(report.as_json()) if as_json else _print(report_table(report))
    raise typer.Exit(report.exit_code)


async def _suite(name: str, home: Path, limit: int | None, options: BrainOptions) -> Report:
    await pull_models(options)
    async with AsyncExitStack() as opened:
        parts = await _parts(name, home, options, opened)
        chosen = find_suite(name, parts)
        with progress() as bars:
            task = bars.add_task(chosen.name, total=None)

            def tell(done: Progress) -> None:
                bars.update(task, completed=done.done, total=done.total)

            return await run_suite(chosen, concurrency=2, limit=limit, progress=tell)


async def _parts(name: str, home: Path, options: BrainOptions, opened: AsyncExitStack) -> Any:
    embedder = local_embedder()
    if name == "demo":
        brain = await opened.enter_async_context(Brain(options))
        policy = opened.enter_context(as_file(files("assent.tools.shop") / "policy.yaml"))
        return parts_for(build=lambda desk, shop: shop_agent(desk, shop, brain, embedder, policy))
    place = await opened.enter_async_context(reopen_place(home, options.model))
    (gate,) = place.desk.gates(place.agent.name)
    return parts_for(
        store=place.desk.store,
        tenant=place.desk.tenant,
        setting=gate,
        embedder=embedder,
        playbook=playbook() if place.brain.options.embedded else (),
    )


def _print(table: Table) -> None:
    shown = Shown(*table.columns, title=table.title, box=None)
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    out.print(shown)
    for note in table.notes:
        show(note)


async def _learning(
    data: Path, categories: int | None, seeds: Sequence[int], messages: int, gguf: Path | None, baseline: bool
) -> LearningReport:
    await pull_models(BrainOptions(gguf=gguf))
    with progress() as bars:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        return await run_learning(
            data,
            categories=categories,
            seeds=seeds,
            messages=messages,
            with_model=not baseline,
            gguf=gguf,
            progress=tell,
        )


def _print_learning(report: LearningReport) -> None:
    for way in dict.fromkeys(run.way for run in report.runs):
        total = report.total(way)
        show(f"{way}: {total.messages} messages, {total.automated} automated, {total.wrong} of them wrong")
        for index, window in enumerate(report.windows(way)):
            first = index * 50
            show(f"  {first + 1:>4} to {first + 50:>4}: {window.automated} of {window.messages} automated, {window.wrong} wrong")
