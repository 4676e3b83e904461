"""TARGET, as in `shop.desk:build`: your function, called with the opened desk to add its agents."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import typer

from ...graph.desk import Desk
from ...graph.errors import AssentError
from .say import Failed

Target = Annotated[str, typer.Argument(help="module:function; called with the desk to add its agents; may be async.")]


def load(target: str) -> Callable[[Desk], Any]:
    """Return the function that a TARGET names; raises Failed where there is none."""
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise Failed(f"TARGET is module:function, as in shop.desk:build, not {target!r}.", 2)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise Failed(f"{module} cannot be loaded: {error}. Install what it needs.", 1) from None
        raise Failed(f"There is no module {module!r}; run this where it lies, or put its folder in PYTHONPATH.", 2) from None
    except AttributeError as error:
        raise Failed(f"{module} has no {name!r}: {error}.", 2) from None
    except Exception as error:
        raise Failed(f"{module} cannot be loaded: {_told(error)}", 1) from None
    if not callable(found):
        raise Failed(f"{target} is not a function; it is called with the desk to add its agents.", 2)
    target_function: Callable[[Desk], Any] = found
    return target_function


@asynccontextmanager
async def prepared(target: str, build: Callable[[Desk], Any], desk: Desk) -> AsyncIterator[None]:
    """Let the target add its agents; a context manager it returns is held open as long as the desk is."""
    async with AsyncExitStack() as held:
        try:
            made = build(desk)
            if hasattr(made, "__aenter__"):
                await held.enter_async_context(made)
            elif hasattr(made, "__enter__"):
                held.enter_context(made)
            elif inspect.isawaitable(made):
                await made
        except (AssentError, Failed):
            raise
        except Exception as error:
            raise Failed(f"{target} failed: {_told(error)}", 1) from None
        yield


def _told(error: Exception) -> str:
    """Return an error of the target's in one line, with the place in its code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
