"""Notes in the audit log when a tool's calls are ruled by another policy than the last known one; it rules nothing."""

from __future__ import annotations

from ..audit import records
from ..store import settings
from ..store.models import ActionRow
from ..store.session import AsyncSession


async def note_change(tx: AsyncSession, row: ActionRow) -> None:
    """Note `policy.changed` if the policy behind this action differs from the one its agent and tool were ruled by before."""
    policy = str(row.provenance.get("policy", ""))
    changed, before = await settings.swap(tx, row.tenant, f"policy:{row.agent}:{row.tool}", {"policy": policy}, row.created_at)
    if changed:
        body = {"agent": row.agent, "tool": row.tool, "from": before.get("policy") if before else None, "to": policy}
        records.about(tx, row.tenant, row.created_at, "policy.changed", "policy", row.agent, body)
