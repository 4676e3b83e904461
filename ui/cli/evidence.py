"""`assent evidence`: measures the gate and writes the page that shows how it did; needs the extras `calibrate` and `plot`."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from ...evals.protocol.figures import figure
from ...evals.protocol.guarantee import SPLITS
from ...evals.protocol.page import QUESTIONS_FIGURE, SHOP_FIGURE, page
from ...evals.protocol.run import SHOP_ALPHAS, STREAMS, run_own, run_protocol
from ...evals.protocol.tries import SPLITS as TRY_SPLITS
from ...evals.protocol.tries import run_tries
from .say import Failed, progress, show

BESIDE = Path("..") / "shared" / "data"
"""Where rows of real agents are looked for unless told otherwise, from the folder that the command runs in."""
DRAWS = 4
"""Made-up draws per split."""


def evidence(
    data: Annotated[
        Path | None, typer.Option(help="Rows of real agents; by default ASSENT_DATA, or ../shared/data; skipped where absent.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The page to write; pictures go to images/ beside it.")] = Path("docs/evidence.md"),
    splits: Annotated[int, typer.Option(help="Draws of certifying labels per class of actions.", min=5)] = SPLITS,
    streams: Annotated[int, typer.Option(help="Simulated streams of audits per line.", min=1)] = STREAMS,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 0,
) -> None:
    """Measure the gate on labelled rows, and write docs/evidence.md."""
    if data is not None and not data.is_dir():
        raise Failed(f"{data} is no folder.", 2)
    rows = _rows(data)
    with progress() as bars:
        task = bars.add_task("measuring", total=None)

        def tell(said: str) -> None:
            bars.update(task, description=said)

        result = run_protocol(rows, splits=splits, streams=streams, seed=seed, tell=tell)
        own = run_own(splits=splits, draws=DRAWS * splits, seed=seed, tell=tell)
        tries = run_tries(rows, splits=min(splits, TRY_SPLITS), seed=seed, tell=tell)
    out.parent.mkdir(parents=True, exist_ok=True)
    if "diagnosis" in result["questions"]:
        title = "Tool calls of six models"
        figure(result["questions"]["diagnosis"], (result["questions"]["alpha"],), out.parent / "images" / QUESTIONS_FIGURE, title)
    if "diagnosis" in own["shop"]:
        figure(own["shop"]["diagnosis"], SHOP_ALPHAS, out.parent / "images" / SHOP_FIGURE, "The demo shop's messages")
    out.write_text(page(result, own, tries, _about(rows)), "utf-8")
    show(f"{out} is written.")


def _rows(data: Path | None) -> Path:
    """Return the folder of rows; a folder `dev` inside is taken where there is one."""
    named = os.environ.get("ASSENT_DATA")
    folder = data or (Path(named) if named else BESIDE)
    return folder / "dev" if (folder / "dev").is_dir() else folder


def _about(rows: Path) -> dict[str, str]:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "scipy", "numpy"))
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": f"Python {platform.python_version()}, {libraries}",
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores",
        "command": "make evidence",
        "data": f"`../shared/data` beside the repository, or the folder named by `ASSENT_DATA` (the part `{rows.name}`)",
    }
