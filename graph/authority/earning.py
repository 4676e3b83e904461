"""What a class of actions may do, read where a verdict is stored; and what takes it back at once when its key has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from ..autonomy.classes import in_words, key_of
from ..autonomy.earned import VOID, Earned
from ..autonomy.levels import EARNED, Level
from ..autonomy.scoring import head_of
from ..clock import Clock
from ..store import autonomy
from ..store.autonomy_models import AutonomyRow, CertificateRow
from ..store.events import note
from ..store.models import ActionRow
from ..store.session import AsyncSession, Store

REMEMBERED = 1_000
"""So many certificates are remembered at most."""

UNSIGNED = "The head, threshold or key of this class is not what was signed, so nothing passes; a lead has to look at it."


class Signatures:
    """What certificates say passes, remembered because it never changes: each is read once in a process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Any, ...]] = {}

    async def cover(self, tx: AsyncSession, row: AutonomyRow) -> bool:
        """Tell whether what passes of a class is what its certificate says: this threshold with this head, under this key."""
        which = (row.tenant, row.certificate)
        if which not in self._known:
            found = await autonomy.certificate(tx, *which)
            if found is None:
                return False
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[which] = _passing(found)
        return self._known[which] == _passing(row)


def _passing(row: AutonomyRow | CertificateRow) -> tuple[Any, ...]:
    return row.agent, row.tool, row.key, row.threshold, row.head


async def shared(tx: AsyncSession, tenant: str, agent: str, tool: str, signatures: Signatures) -> Earned | None:
    """Return what a class may do, which nobody changes until this transaction ends; None if nobody ever said.

    Nothing of it passes if head, threshold or key are not those of the certificate that its row names.
    """
    row = await autonomy.shared(tx, tenant, agent, tool)
    if row is None:
        return None
    earned = earned_of(row)
    if row.threshold is None or row.suspended or await signatures.cover(tx, row):
        return earned
    return replace(earned, threshold=None, suspended=UNSIGNED)


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


def is_unsigned(earned: Earned | None) -> bool:
    """Tell whether `shared` found a class that is not what was signed; not for one that is suspended for it already."""
    return earned is not None and earned.threshold is None and earned.suspended == UNSIGNED


async def unsigned(store: Store, clock: Clock, action: ActionRow, signatures: Signatures) -> None:
    """Suspend the class of an action whose head, threshold or key are not the certificate's; who comes second changes nothing."""
    async with store.begin() as tx:
        row = await autonomy.locked(tx, action.tenant, action.agent, action.tool)
        if row is None or row.suspended or row.threshold is None or row.level not in EARNED or await signatures.cover(tx, row):
            return
        await suspend(tx, row, UNSIGNED, clock(), {"action": action.id, "key": row.key})


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
