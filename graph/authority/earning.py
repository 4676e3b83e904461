"""What a class of actions may do, read where a verdict is stored; and what takes it back at once when its key has changed."""

from __future__ import annotations

from datetime import datetime

from ..autonomy.classes import in_words, key_of
from ..autonomy.earned import VOID, Earned
from ..autonomy.levels import Level
from ..autonomy.scoring import head_of
from ..clock import Clock
from ..store import autonomy
from ..store.autonomy_models import AutonomyRow
from ..store.events import note
from ..store.models import ActionRow
from ..store.session import AsyncSession, Store


async def shared(tx: AsyncSession, tenant: str, agent: str, tool: str) -> Earned | None:
    """Return what a class may do, which nobody changes until this transaction ends; None if nobody ever said."""
    row = await autonomy.shared(tx, tenant, agent, tool)
    return earned_of(row) if row is not None else None


def earned_of(row: AutonomyRow) -> Earned:
    """Return a row as a value; one that cannot be read lets nothing pass."""
    try:
        head, level = head_of(row.head), Level(row.level)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        return Earned(Level.SUPERVISED, row.version, suspended=f"What this class has earned cannot be read ({error}).")
    return Earned(
        level=level,
        version=row.version,
        key=row.key,
        certificate=row.certificate,
        head=head,
        threshold=row.threshold,
        share=row.share,
        seed=row.seed,
        veto=row.veto,
        undo=row.undo,
        suspended=row.suspended,
        watched_until=row.watched_until,
    )


async def void(store: Store, clock: Clock, action: ActionRow) -> None:
    """Suspend the class of an action whose key is not the certificate's; whoever comes second changes nothing."""
    async with store.begin() as tx:
        row = await autonomy.locked(tx, action.tenant, action.agent, action.tool)
        key = key_of(action.agent, action.tool, action.tool_digest, action.provenance)
        if row is None or row.suspended or row.key == key.digest():
            return
        known = await autonomy.certificate(tx, row.tenant, row.certificate) if row.certificate else None
        before, now = known.parts if known is not None else {}, key.as_json()
        changed = key.changed_since(before) if before else []
        reason = f"{VOID} Changed: {in_words(changed)}." if changed else VOID
        parts = {name: {"before": before.get(name, ""), "now": now[name]} for name in changed}
        await suspend(tx, row, reason, clock(), {"action": action.id, "changed": changed, "parts": parts, "key": key.digest()})


async def suspend(tx: AsyncSession, row: AutonomyRow, reason: str, now: datetime, body: dict[str, object]) -> bool:
    """Let nothing of a class pass any more, from the next action on; False if somebody changed the class meanwhile."""
    if not await autonomy.change(tx, row, suspended=reason):
        return False
    about = {"agent": row.agent, "tool": row.tool, "level": row.level, "certificate": row.certificate, **body}
    note(tx, row.tenant, now, "autonomy.suspended", "policy", class_id(row.agent, row.tool), about, {"reason": reason})
    return True


def class_id(agent: str, tool: str) -> str:
    """Return the subject under which the audit log speaks of a class of actions."""
    return f"class {agent}/{tool}"
