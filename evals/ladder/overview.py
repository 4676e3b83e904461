"""What people see of the ladder: every class with where it stands and what it lacks, one class with its evidence and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...graph.access.people import require
from ...graph.autonomy.levels import WORDS, Level
from ...graph.clock import Clock
from ...graph.errors import AssentError
from ...graph.store import autonomy, labelled
from ...graph.store.autonomy_models import LevelChangeRow
from ...graph.store.people_models import UserRow
from ...graph.store.probes import Unanswered
from ...graph.store.session import AsyncSession, Store
from ..watch.renewing import Class, overdue, unwatched
from .evidence import Evidence, Facts, facts_of, fresh, weighed


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a class stands."""

    agent: str
    tool: str
    level: Level
    suspended: str
    """Why nothing of it passes although its level would let it; empty when it may."""
    unwatched: str
    """Why nothing of it passes although it is not suspended: nobody counts its audits, or nobody answers them."""
    threshold: float | None
    share: float
    evidence: Evidence
    """What it has to show for its next level."""

    def as_json(self) -> dict[str, Any]:
        """Return the standing as plain JSON."""
        plain = {"agent": self.agent, "tool": self.tool, "level": WORDS[self.level], "suspended": self.suspended}
        plain |= {"unwatched": self.unwatched}
        numbers = {"threshold": self.threshold, "share": self.share}
        return {
            **plain,
            **numbers,
            "next": WORDS[self.evidence.to],
            "offered": self.evidence.offered,
            "missing": list(self.evidence.missing),
            "digest": self.evidence.digest,
        }


async def standings(store: Store, clock: Clock, actor: str) -> list[Standing]:
    """Return where every class stands that was ever gated, or that somebody moved; raises NotAllowed below viewer."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        tenant = user.tenant
        rows = {(row.agent, row.tool): row for row in await autonomy.every(tx, tenant)}
        known = sorted({*await labelled.classes(tx, tenant), *rows})
        found = [await facts_of(tx, rows.get(which) or fresh(tenant, *which, clock()), clock()) for which in known]
        late = await overdue(tx, tenant, clock())
    return [_standing(facts, late, user) for facts in found if facts.newest is not None or facts.row.version > 0]


async def standing(store: Store, clock: Clock, actor: str, agent: str, tool: str) -> Standing:
    """Return where one class stands; raises NotAllowed below viewer, AssentError for a class that never acted."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        tenant = user.tenant
        row = await autonomy.get(tx, tenant, agent, tool)
        if row is None and (agent, tool) not in (known := await labelled.classes(tx, tenant)):
            raise AssentError(f"{agent!r} never proposed {tool!r} here. {_told(known)}")
        facts = await facts_of(tx, row or fresh(tenant, agent, tool, clock()), clock())
        return _standing(facts, await overdue(tx, tenant, clock()), user)


def _told(known: list[tuple[str, str]]) -> str:
    return f"There are: {', '.join(f'{agent} {tool}' for agent, tool in known[:20])}." if known else "Nothing was proposed yet."


def _standing(facts: Facts, late: Mapping[Class, Unanswered], user: UserRow) -> Standing:
    row = facts.row
    return Standing(
        agent=row.agent,
        tool=row.tool,
        level=Level(row.level),
        suspended=row.suspended,
        unwatched=unwatched(row, late, facts.now, user),
        threshold=row.threshold,
        share=row.share,
        evidence=weighed(facts),
    )


async def history(store: Store, actor: str, agent: str, tool: str, limit: int = 50) -> list[dict[str, Any]]:
    """Return how a class came to its level, newest first, with the evidence of each step; raises NotAllowed below viewer."""
    async with store.read() as tx:
        tenant = (await require(tx, actor, "viewer")).tenant
        return [_step(row) for row in await _steps(tx, tenant, agent, tool, limit)]


async def _steps(tx: AsyncSession, tenant: str, agent: str, tool: str, limit: int) -> list[LevelChangeRow]:
    return list(await autonomy.changes(tx, tenant, agent, tool, limit))


def _step(row: LevelChangeRow) -> dict[str, Any]:
    evidence: Mapping[str, Any] = row.evidence
    return {
        "at": row.at.isoformat(),
        "before": WORDS[Level(row.before)],
        "after": WORDS[Level(row.after)],
        "by": row.by,
        "reason": row.reason,
        "certificate": row.certificate,
        "evidence": dict(evidence),
    }
