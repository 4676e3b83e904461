"""The ladder of autonomy: a person signs a class up, one step at a time and on evidence; down goes by itself, or by a person.

Up needs every requirement met (`evidence.requirements`) and the digest of exactly the evidence that was shown. Down takes effect on
the next action: whatever of the class is recorded after these doors return is ruled by the new level.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ...graph.access.people import require
from ...graph.authority.earning import class_id
from ...graph.autonomy.levels import EARNED, SHARES, WORDS, Level
from ...graph.canonical import digest_of
from ...graph.clock import Clock
from ...graph.control import notices
from ...graph.errors import AssentError, NotAllowed
from ...graph.store import autonomy
from ...graph.store.autonomy_models import AutonomyRow, CertificateRow, LevelChangeRow
from ...graph.store.events import note
from ...graph.store.session import AsyncSession, Store
from ..watch.renewing import PATIENCE, overdue
from .evidence import Evidence, Facts, evidence_of, facts_of, fresh, missing, monitored, weighed
from .memory import going_on, left_by

__all__ = ["Cause", "Level", "StaleEvidence", "demote", "demoted", "evidence_of", "missing", "promote", "seed_digest"]

VETO_SECONDS = 60.0
"""For so long what passes at level monitored is held, so that somebody can say no."""

UNDO_SECONDS = 3_600.0
"""For so long it can be undone afterwards."""

Cause = Literal["monitor", "key", "reviewers", "critical"]
"""What takes a class down by itself: an alarm, a changed key, reviewers who cannot be relied on, one critical error."""

CHANGED = "Somebody has changed this class meanwhile; look at it again."


class StaleEvidence(AssentError):
    """The evidence is not what you were shown; look at it again before you sign."""

    def __init__(self, evidence: Evidence, changed: list[str]) -> None:
        self.evidence, self.changed = evidence, changed
        """The evidence as it is now, and which parts of it are not what was shown, as far as that is known."""
        what = f" Changed: {', '.join(changed)}." if changed else ""
        state = f"It is at level {WORDS[Level(evidence.body['level'])]}, version {evidence.body['version']}"
        offer = f"certificate {evidence.offered} is on offer" if evidence.offered else "no certificate is on offer"
        super().__init__(f"The evidence is not what you were shown, so nothing was signed.{what} {state}; {offer}. Look again.")


async def promote(
    store: Store,
    clock: Clock,
    agent: str,
    tool: str,
    to: Level,
    actor: str,
    *,
    digest: str,
    reason: str,
    certificate: str = "",
    shown: Mapping[str, Any] | None = None,
    veto: float = VETO_SECONDS,
    undo: float = UNDO_SECONDS,
) -> AutonomyRow:
    """Sign a class up to its next level; returns what it may do from the next action on.

    Args:
        store: the desk's rows.
        clock: the time.
        agent: whose actions.
        tool: of which tool.
        to: the next level; a suspended class is signed for at its own level again.
        actor: who signs; role lead or admin.
        digest: of the evidence that they were shown (`evidence_of(...).digest`).
        reason: why, in their words.
        certificate: the one that is signed; none for a step out of shadow.
        shown: the evidence that they were shown, so that an error can say what changed.
        veto: seconds for which what passes at level monitored is held.
        undo: seconds in which it can be undone.

    Raises NotAllowed for a lower role, a step that is not the next one, or one for which something is missing; StaleEvidence.
    """
    async with store.begin() as tx:
        user = await require(tx, actor, "lead")
        now = clock()
        row = await autonomy.locked(tx, user.tenant, agent, tool) or fresh(user.tenant, agent, tool, now)
        facts = await facts_of(tx, row, now)
        found = weighed(facts)
        _may(facts, found, to, certificate, digest, shown)
        signed = facts.offered if to in EARNED else None
        values = earned_values(row, signed, to, now, veto, undo) if signed is not None else unearned_values(row, to, actor, now)
        if signed is not None and (agent, tool, signed.key) in await overdue(tx, user.tenant, now):
            values["watched_until"] = now  # a signature answers no audits
        if not await autonomy.change(tx, row, **values):
            raise NotAllowed(CHANGED)
        ended = await _replaced(tx, row, signed, now)
        await _step(tx, row, to, actor, reason, signed.id if signed is not None else "", found.body, now)
        body = {
            **_about(row, to),
            "certificate": signed.id if signed is not None else "",
            "digest": found.digest,
            "evidence": found.body,
            "share": values["share"],
            "threshold": values["threshold"],
            "seed_digest": seed_digest(values["seed"]) if values["seed"] else "",
            "ended": ended,
        }
        note(tx, row.tenant, now, "autonomy.promoted", actor, class_id(agent, tool), body, {"reason": reason})
        return await _now(tx, row)


def seed_digest(seed: str) -> str:
    """Return what the audit log says of a seed while audits are drawn from it; the seed itself follows when it is given up."""
    return digest_of("audit seed", seed)


def _may(facts: Facts, found: Evidence, to: Level, certificate: str, digest: str, shown: Mapping[str, Any] | None) -> None:
    """Raise what keeps this step from being signed."""
    if to != found.to:
        here, upward = WORDS[Level(facts.row.level)], WORDS[found.to]
        raise NotAllowed(f"This class is {here}; its next step is {upward}, not {WORDS[to]}. Nothing was signed.")
    if digest != found.digest or (to in EARNED and certificate != found.offered):
        raise StaleEvidence(found, [name for name, value in found.body.items() if shown is not None and shown.get(name) != value])
    if found.missing:
        raise NotAllowed(f"Nothing was signed: {' '.join(found.missing)}")


def earned_values(row: AutonomyRow, signed: CertificateRow, to: Level, now: datetime, veto: float, undo: float) -> dict[str, Any]:
    """Return the fields of a class under a certificate that is signed now."""
    windows = to == Level.MONITORED
    return {
        "level": int(to),
        "key": signed.key,
        "certificate": signed.id,
        "head": signed.head,
        "threshold": signed.threshold,
        "share": SHARES[to],
        "seed": secrets.token_hex(32),
        "veto": veto if windows else None,
        "undo": undo if windows else None,
        "suspended": "",
        "monitor": going_on(row, signed).as_json(),
        "since": now,
        "watched_until": now + PATIENCE,
    }


def unearned_values(row: AutonomyRow, to: Level, by: str, now: datetime, suspended: str = "") -> dict[str, Any]:
    """Return the fields of a class of which nothing passes; its head goes on ordering the queue, and a person wipes no memory."""
    gone: dict[str, Any] = {
        "threshold": None,
        "share": 0.0,
        "seed": "",
        "veto": None,
        "undo": None,
        "monitor": left_by(by, row),
        "watched_until": None,
    }
    return {"level": int(to), "certificate": "", "suspended": suspended, "since": now, "key": row.key, **gone}


async def _replaced(tx: AsyncSession, row: AutonomyRow, signed: CertificateRow | None, now: datetime) -> dict[str, str]:
    """Turn the certificates of a step up; returns which one ended and the seed that is given up with it."""
    if signed is not None and not await autonomy.turn_certificate(tx, signed, "offered", "signed"):
        raise NotAllowed(CHANGED)
    if not row.certificate:
        return {}
    old = await autonomy.certificate(tx, row.tenant, row.certificate)
    if old is not None:
        await autonomy.turn_certificate(tx, old, "signed", "replaced", ended_at=now, ended_reason="A new one was signed.")
    return {"certificate": row.certificate, "seed": row.seed}


async def demote(store: Store, clock: Clock, agent: str, tool: str, to: Level, actor: str, *, reason: str) -> AutonomyRow:
    """Take a class down, by a person, any number of levels; returns what it may do from the next action on.

    A class that nobody ever promoted can be taken to `supervised` too: thresholds that the policy states count no more for it then.
    Raises NotAllowed below lead, without a reason, or for a level that is not lower.
    """
    async with store.begin() as tx:
        user = await require(tx, actor, "lead")
        if not reason.strip():
            raise NotAllowed("Say why, in a few words; nothing was changed.")
        now = clock()
        known = await autonomy.locked(tx, user.tenant, agent, tool)
        row = known or fresh(user.tenant, agent, tool, now)
        if to >= row.level and not (known is None and to == Level.SUPERVISED):
            raise NotAllowed(f"This class is {WORDS[Level(row.level)]}, which is not above {WORDS[to]}; nothing was changed.")
        suspended = f"Taken down by {actor}; a certificate has to be signed for this level." if to in EARNED else ""
        if not await _lowered(tx, row, to, actor, reason, now, {}, suspended):
            raise NotAllowed(CHANGED)
        return await _now(tx, row)


async def demoted(tx: AsyncSession, row: AutonomyRow, by: Cause, reason: str, now: datetime, **evidence: Any) -> bool:
    """Take a class one level down by itself, in the caller's transaction, with the class locked; False if somebody was faster.

    Its certificate is void and nothing of it passes before another one is signed; leads are told.
    """
    to, suspended = below(row.level, by, reason)
    return await _lowered(tx, row, to, by, reason, now, evidence, suspended)


def below(level: int, by: Cause, reason: str) -> tuple[Level, str]:
    """Return the level after a demotion, one down where it had earned one, and why nothing passes there yet, if something could."""
    to = Level(level - 1 if level in EARNED else level)
    return to, f"Demoted by {by}: {reason}" if to in EARNED else ""


async def _lowered(
    tx: AsyncSession, row: AutonomyRow, to: Level, by: str, reason: str, now: datetime, evidence: Mapping[str, Any], suspended: str
) -> bool:
    facts = await facts_of(tx, row, now)
    if not await autonomy.change(tx, row, **unearned_values(row, to, by, now, suspended)):
        return False
    for one in (facts.signed, facts.offered):
        if one is not None:
            told = f"The class was taken down to {WORDS[to]} by {by}."
            await autonomy.turn_certificate(tx, one, one.status, "void", ended_at=now, ended_reason=told)
    frozen = {**weighed(facts).body, "monitor": monitored(facts.monitor), **evidence}
    await _step(tx, row, to, by, reason, row.certificate, frozen, now)
    drawn = {"seed": row.seed, "seed_digest": seed_digest(row.seed)} if row.seed else {}
    body = {**_about(row, to), "by": by, "certificate": row.certificate, "evidence": frozen, **drawn}
    note(tx, row.tenant, now, "autonomy.demoted", by, class_id(row.agent, row.tool), body, {"reason": reason})
    text = f"What {row.agent} does with {row.tool} was taken from {WORDS[Level(row.level)]} to {WORDS[to]} by {by}."
    if to == row.level:  # late audits speak about what a person has taken down already
        text = f"What {row.agent} does with {row.tool} stays {WORDS[to]}; by {by}, only younger actions certify from now on."
    await notices.about_demotion(tx, row.tenant, row.agent, row.tool, now, text, before=row.level, after=int(to), by=by)
    return True


def _about(row: AutonomyRow, to: Level) -> dict[str, Any]:
    return {"agent": row.agent, "tool": row.tool, "before": row.level, "after": int(to), "version": row.version + 1}


async def _step(
    tx: AsyncSession,
    row: AutonomyRow,
    to: Level,
    by: str,
    reason: str,
    certificate: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    change = LevelChangeRow(
        tenant=row.tenant,
        agent=row.agent,
        tool=row.tool,
        before=row.level,
        after=int(to),
        by=by,
        reason=reason,
        certificate=certificate,
        evidence=dict(evidence),
        at=now,
    )
    await autonomy.add_change(tx, change)


async def _now(tx: AsyncSession, row: AutonomyRow) -> AutonomyRow:
    found = await autonomy.get(tx, row.tenant, row.agent, row.tool)
    if found is None:
        raise AssentError(CHANGED)
    return found
