"""Refuses what a tool cannot sensibly declare, with words that say what to write instead."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

MOST_RETRIES = 10


def check_calls(timeout: float | None, retries: int, *, idempotent: bool) -> None:
    """Refuse a deadline or a number of retries that makes no sense; raises ValueError."""
    if timeout is not None and not (timeout > 0 and math.isfinite(timeout)):
        raise ValueError(f"timeout must be a positive number of seconds or None, not {timeout!r}")
    if not 0 <= retries <= MOST_RETRIES:
        raise ValueError(f"retries must be from 0 to {MOST_RETRIES}, not {retries!r}")
    if retries and not idempotent:
        raise ValueError("only an idempotent tool can be called again: declare idempotent=True, or leave retries out")


def secret_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of secret arguments; raises TypeError for a single text, which would be read letter by letter."""
    if isinstance(paths, str):
        raise TypeError(f"secret is a list of names: write secret=[{paths!r}]")
    return tuple(paths)


def check_secret(secret: Sequence[str], target: Callable[..., Any]) -> None:
    """Refuse a secret that is no parameter of the function; raises ValueError."""
    unknown = sorted({path.split(".")[0] for path in secret} - set(inspect.signature(target).parameters))
    if unknown:
        raise ValueError(f"the action {target.__name__!r} has no parameter {unknown[0]!r} that could be secret")
