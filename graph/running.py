"""The one place that calls a tool with effects; it is reached with a claim in hand and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables.config import ensure_config
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ..tools.deadline import StoppedItself, TooSlow, within
from ..tools.declaration import ActionRefused, Case, Declaration, OutcomeUnknown, at_hand, call_declared, declaration_of, typed
from . import crashpoints
from .authority.ledger import Claimed
from .store.models import ActionRow
from .texts import storable

PAUSE_SECONDS = 0.2
"""Before the first retry; doubled before each further one."""

Again = Callable[[], Awaitable[bool]]
"""Asks whether the claim still stands, and counts the attempt it grants."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one call of a tool came to."""

    status: str
    """`succeeded`, `failed` (nothing was changed) or `unknown` (it may have acted)."""
    text: str
    repeatable: bool = False
    """Whether calling an idempotent tool again can clear it up."""


async def run_tool(tool: BaseTool, claim: Claimed, again: Again | None = None) -> tuple[str, str]:
    """Call the tool with the claimed arguments; returns the execution's status and its result as text.

    `failed` means that nothing was changed; an error or a deadline that does not say so, of a tool with effects, is `unknown`.
    Only an idempotent tool that declares retries is called again, under the same key, as long as `again` grants it.
    """
    declared = declaration_of(tool)
    try:
        typed(tool, claim.args)
    except ValidationError as error:
        return "failed", f"the arguments do not fit the tool: {error.errors()[0]['msg']}"
    attempt = await _attempt(tool, claim, declared)
    for number in range(declared.retries if declared.idempotent and again is not None else 0):
        if not attempt.repeatable:
            break
        await asyncio.sleep(PAUSE_SECONDS * 2**number)
        if again is None or not await again():
            break
        attempt = await _attempt(tool, claim, declared)
    return attempt.status, attempt.text


async def run_undo(tool: BaseTool, row: ActionRow) -> tuple[str, str]:
    """Call the undo of a tool with the arguments that ran; returns the undo's status and its result as text, and never retries."""
    declared = declaration_of(tool)
    if declared.undo is None:
        return "failed", "The tool declares no undo."
    try:
        args = typed(tool, row.args)
    except ValidationError as error:
        return "failed", f"the arguments do not fit the tool: {error.errors()[0]['msg']}"
    attempt = await _tried(call_declared(declared.undo, **args), _case(row, declared), declared, "unknown")
    return attempt.status, attempt.text


async def _attempt(tool: BaseTool, claim: Claimed, declared: Declaration) -> Attempt:
    undecided = "failed" if claim.action.consequence == "read" else "unknown"
    return await _tried(_called(tool, claim.args), _case(claim.action, declared), declared, undecided)


async def _tried(call: Coroutine[Any, Any, Any], case: Case, declared: Declaration, undecided: str) -> Attempt:
    try:
        with at_hand(case):
            return Attempt("succeeded", as_text(await within(declared.timeout, call)))
    except ActionRefused as error:
        return Attempt("failed", storable(str(error)))
    except OutcomeUnknown as error:
        return Attempt("unknown", storable(str(error)), repeatable=True)
    except TooSlow as error:
        told = f"The tool gave no answer within {error.seconds:g} s" + ("" if undecided == "failed" else "; it may have acted")
        return Attempt(undecided, f"{told}.", repeatable=not error.running)
    except StoppedItself:
        return Attempt(undecided, "The tool cancelled itself.", repeatable=True)
    except Exception as error:  # whatever a tool raises, it may have acted before
        return Attempt(undecided, storable(f"{type(error).__name__}: {error}"[:500]), repeatable=True)


async def _called(tool: BaseTool, args: dict[str, Any]) -> Any:
    # not `ainvoke`: it takes arguments that look like a tool call for an envelope and runs what is inside
    config = ensure_config()
    crashpoints.reach("before-effect")
    result = await tool.arun(dict(args), callbacks=config.get("callbacks"), config=config)
    crashpoints.reach("after-effect")
    return result


def _case(row: ActionRow, declared: Declaration) -> Case:
    return Case(
        tenant=row.tenant,
        thread=row.thread,
        requester=row.requester,
        text=next((turn["text"] for turn in reversed(row.conversation) if turn["role"] == "requester"), ""),
        action_id=row.id,
        idempotency_key=row.id if declared.idempotent else None,
    )


def as_text(result: Any) -> str:
    """Return a tool's result as text: strings as they are, everything else as JSON, or as Python shows it."""
    if isinstance(result, str):
        return storable(result)
    try:
        return storable(json.dumps(result, default=str, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):  # the effect has happened: its result is told as well as it can be
        return storable(repr(result))
