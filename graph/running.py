"""The one place that calls a tool with effects; it is reached with a claim in hand and nothing else."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ..tools.declaration import ActionRefused, Case, OutcomeUnknown, at_hand, declaration_of, typed
from .ledger import Claimed


async def run_tool(tool: BaseTool, claim: Claimed, tenant: str) -> tuple[str, str]:
    """Call the tool with the claimed arguments; returns the execution's status and its result as text.

    `failed` means that nothing was changed; an error that does not say so, of a tool with effects, is `unknown`.
    """
    row = claim.action
    case = Case(
        tenant=tenant,
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
            return "succeeded", as_text(await tool.ainvoke(claim.args))
    except ActionRefused as error:
        return "failed", str(error)
    except OutcomeUnknown as error:
        return "unknown", str(error)
    except Exception as error:  # whatever a tool raises, it may have acted before
        told = f"{type(error).__name__}: {error}"[:500]
        return ("failed" if row.consequence == "read" else "unknown"), told


def as_text(result: Any) -> str:
    """Return a tool's result as text: strings as they are, everything else as JSON."""
    return result if isinstance(result, str) else json.dumps(result, default=str, ensure_ascii=False)
