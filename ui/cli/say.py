"""How the terminal speaks: results to standard output, everything else to standard error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

Result = TypeVar("Result")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Failed(Exception):
    """The command could not do what it was asked."""

    def __init__(self, message: str, code: int = 1) -> None:
        self.code = code
        super().__init__(message)


def complain(message: str, code: int) -> int:
    """Print one line to standard error and return the exit code."""
    err.print(Text(f"assent: {' '.join(message.split())}"), soft_wrap=True)
    return code


def tell(message: str) -> None:
    """Print a line of progress to standard error; text from outside is never read as markup."""
    err.print(Text(message), soft_wrap=True)


def show(text: str = "") -> None:
    """Print a line of the result."""
    out.print(Text(text), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a result as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def wait_for(work: Coroutine[Any, Any, Result]) -> Result:
    """Run an asynchronous command to its end."""
    return asyncio.run(work)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show bars on standard error for work that takes longer than a moment."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=not err.is_terminal) as bars:
        yield bars
