"""The one place that calls a tool with effects; it is reached with a claim in hand and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from langchain_core.runnables.config import ensure_config
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ..tools.declaration import ActionRefused, Case, OutcomeUnknown, at_hand, declaration_of, typed
from . import crashpoints
from .ledger import Claimed


async def run_tool(tool: BaseTool, claim: Claimed) -> tuple[str, str]:
    """Call the tool with the claimed arguments; returns the execution's status and its result as text.

    `failed` means that nothing was changed; an error that does not say so, of a tool with effects, is `unknown`.
    """
    row = claim.action
    case = Case(
        tenant=row.tenant,
        thread=row.thread,
        requester=row.requester,
        text=next((turn["text"] for turn in reversed(row.conversation) if turn["role"] == "requester"), ""),
        action_id=row.id,
        idempotency_key=row.id if declaration_of(tool).idempotent else None,
    )
    try:
        typed(tool, claim.args)
    except ValidationError as error:
        return "failed", f"the arguments do not fit the tool: {error.errors()[0]['msg']}"
    try:
        with at_hand(case):
            # not `ainvoke`: it takes arguments that look like a tool call for an envelope and runs what is inside
            config = ensure_config()
            crashpoints.reach("before-effect")
            result = await tool.arun(dict(claim.args), callbacks=config.get("callbacks"), config=config)
            crashpoints.reach("after-effect")
            return "succeeded", as_text(result)
    except ActionRefused as error:
        return "failed", storable(str(error))
    except OutcomeUnknown as error:
        return "unknown", storable(str(error))
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return _undecided(row.consequence), "The tool cancelled itself."
    except Exception as error:  # whatever a tool raises, it may have acted before
        return _undecided(row.consequence), storable(f"{type(error).__name__}: {error}"[:500])


def _undecided(consequence: str) -> str:
    """Return what an error comes to that does not say whether anything was changed."""
    return "failed" if consequence == "read" else "unknown"


def as_text(result: Any) -> str:
    """Return a tool's result as text: strings as they are, everything else as JSON, or as Python shows it."""
    if isinstance(result, str):
        return storable(result)
    try:
        return storable(json.dumps(result, default=str, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):  # the effect has happened: its result is told as well as it can be
        return storable(repr(result))


def storable(text: str) -> str:
    """Return the text with lone surrogates escaped, which no database stores."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
