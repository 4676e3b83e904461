"""The action: a tool call an agent proposes, with an id we mint and a digest that binds every approval to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..tools.declaration import Consequence
from .canonical import digest_of


@dataclass(frozen=True, slots=True)
class Action:
    """A proposed tool call; `args` are plain JSON, canonical, defaults filled in."""

    id: str
    tenant: str
    thread: str
    agent: str
    requester: str
    tool: str
    tool_digest: str
    args: dict[str, Any]
    consequence: Consequence

    def digest(self) -> str:
        """Return H, the SHA-256 (hex) that an approval is bound to."""
        return action_digest(self.tool, self.tool_digest, self.args, self.thread, self.id, self.tenant)


def action_digest(tool: str, tool_digest: str, args: dict[str, Any], thread: str, action_id: str, tenant: str) -> str:
    """Return H over tool, tool schema, arguments, thread, action id and tenant; raises NotCanonical."""
    return digest_of("action", tool, tool_digest, args, thread, action_id, tenant)


def mint_action_id(thread: str, message_id: str, index: int) -> str:
    """Return the id of the `index`-th call of a message: ours, because providers repeat theirs."""
    return "act_" + digest_of("action id", thread, message_id, index)[:24]
