"""What an interrupt carries: plain JSON that LangChain's, AG-UI's and our own clients can read; its answer has no authority.

Keys follow LangChain's `ToolApprovalRequest` and `HITLRequest` (langchain 1.4) and AG-UI's `Interrupt` (ag-ui-protocol 1.0).
"""

from __future__ import annotations

from typing import Any

from .audit.masking import masked
from .store.models import ActionRow, ReviewRow

DECISIONS = ["approve", "edit", "reject", "respond"]


def payload(action: ActionRow, review: ReviewRow) -> dict[str, Any]:
    """Return the interrupt value of a review."""
    args = masked(action.args if review.args is None else review.args, action.secrets)
    description = f"{action.title} waits for approval as RQ-{review.number}"
    answer = {"type": "object", "properties": {"type": {"enum": DECISIONS}}, "required": ["type"]}
    return {
        "type": "tool_approval",
        "review": review.id,
        "number": review.number,
        "digest": review.digest,
        "name": action.tool,
        "args": args,
        "description": description,
        "tool_call_id": action.id,
        "action_requests": [{"name": action.tool, "args": args, "description": description}],
        "review_configs": [{"action_name": action.tool, "allowed_decisions": DECISIONS, "args_schema": action.args_schema}],
        "reason": "tool_call",
        "message": description,
        "toolCallId": action.id,
        "response_schema": answer,
        "responseSchema": answer,
        "expiresAt": review.due_at.isoformat() if review.due_at else None,
    }


def held_payload(action: ActionRow, told: str) -> dict[str, Any]:
    """Return the interrupt value of an action that asks nobody: it waits for its veto window, or for a stop to be lifted."""
    return {
        "type": "held",
        "reason": "held",
        "action": action.id,
        "name": action.tool,
        "digest": action.digest,
        "tool_call_id": action.id,
        "toolCallId": action.id,
        "message": f"{action.title}: {told}",
    }
