"""`assent eval`: runs a suite, shows its scores, and ends with 1 when its gate fails."""

from __future__ import annotations

import typer

app = typer.Typer(help="Run suites; exit code 1 when a gate fails.", no_args_is_help=True)


@app.callback()
def main() -> None:
    """Run suites."""
