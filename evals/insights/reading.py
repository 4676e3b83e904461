"""Reads what the store knows of classes of actions into the values of the page Insights; it changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, get_args

from ...graph.access.people import require
from ...graph.autonomy.levels import WORDS
from ...graph.autonomy.scoring import Head, head_of
from ...graph.clock import Clock
from ...graph.looking.readers import reader
from ...graph.store import autonomy, classes, probes
from ...graph.store.autonomy_models import AutonomyRow, CertificateRow, LevelChangeRow
from ...graph.store.classes import Seen
from ...graph.store.people_models import UserRow
from ...graph.store.session import AsyncSession, Store
from ..certify.labels import Labels, labels_of
from ..ladder.evidence import Facts, facts_of, fresh, weighed
from ..ladder.levels import Cause
from ..ladder.offering import TRIES
from ..watch.renewing import overdue, unwatched
from . import drifting, measured, watching
from .progress import progress
from .shapes import ClassInsight, Line, Promise, Step, Volume, Warning

DAYS = 90
"""What the figures reach back to."""

MOST = 5_000
"""Rows of one class that are read at most, the newest."""

_COLUMN = {"allow": "passed", "review": "reviewed", "refuse": "refused"}


async def overview(store: Store, clock: Clock, actor: str) -> tuple[Line, ...]:
    """Return the classes of the actor's tenant, the highest level first; raises NotAllowed below viewer."""
    now = clock()
    since = now - timedelta(days=DAYS)
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        tenant, named = user.tenant, _named(await _seen(tx, user, since))
        late = await overdue(tx, tenant, now)
        rows = {(row.agent, row.tool): row for row in await autonomy.every(tx, tenant)}
        offers = _newest(await classes.offered(tx, tenant))
        signed = {key: await autonomy.certificate(tx, tenant, row.certificate) for key, row in rows.items() if row.certificate}
        known = {key: promise_of(row) for key, row in offers.items()}
        last = {key: await autonomy.changes(tx, tenant, *key, 1) for key in rows}
    lines = [
        replace(
            _line(key, named, rows.get(key), signed.get(key), known.get(key), last.get(key, ())),
            unwatched=unwatched(rows[key], late, now, user) if key in rows else "",
        )
        for key in {*named, *rows, *offers}
    ]
    return tuple(sorted(lines, key=lambda one: (-one.level, -one.volume.proposed, one.agent, one.tool)))


async def insight(store: Store, clock: Clock, actor: str, agent: str, tool: str) -> ClassInsight | None:
    """Return everything that is known of one class; None for one that never proposed anything. Raises NotAllowed below viewer."""
    now = clock()
    since, of = now - timedelta(days=DAYS), (agent, tool)
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        tenant, named = user.tenant, _named(await _seen(tx, user, since))
        row = await autonomy.get(tx, tenant, agent, tool)
        if of not in named and row is None:
            return None
        found = _Found(
            name=named.get(of, _Name(agent, tool, tool)),
            facts=await facts_of(tx, row or fresh(tenant, agent, tool, now), now),
            certificates=await autonomy.certificates(tx, tenant, agent, tool, TRIES),
            changes=await autonomy.changes(tx, tenant, agent, tool),
            decided=await classes.decided(tx, tenant, agent, tool, since, MOST),
            measured=await classes.measured(tx, tenant, agent, tool, since, MOST),
            audits=watching.audits_of(asked := await probes.of_class(tx, tenant, agent, tool, "audit", MOST)),
            left_out=watching.left_out(asked),
            unwatched=unwatched(row, await overdue(tx, tenant, now), now, user) if row is not None else "",
        )
    labels = await labels_of(store, tenant, agent, tool, now, limit=MOST)
    return await asyncio.to_thread(_insight, found, labels)


async def is_known(store: Store, actor: str, agent: str, tool: str) -> bool:
    """Tell whether a class of the actor's tenant ever proposed anything; raises NotAllowed below viewer."""
    async with store.read() as tx:
        return await classes.is_known(tx, (await require(tx, actor, "viewer")).tenant, agent, tool)


@dataclass(frozen=True, slots=True)
class _Name:
    agent: str
    tool: str
    title: str = ""
    consequence: str = ""
    volume: Volume = field(default_factory=lambda: Volume(DAYS))


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows behind one class."""

    name: _Name
    facts: Facts
    certificates: Sequence[CertificateRow]
    changes: Sequence[LevelChangeRow]
    decided: Sequence[classes.Decided]
    measured: Sequence[classes.Measured]
    audits: Sequence[watching.Audit]
    left_out: tuple[str, tuple[Warning, ...]]
    unwatched: str


async def _seen(tx: AsyncSession, user: UserRow, since: datetime) -> list[Seen]:
    """Return what was proposed; to whom a probe could be handed it counts as a proposal too, until it is answered."""
    found = list(await classes.seen(tx, user.tenant, since))
    return [*found, *await classes.asked_blind(tx, user.tenant, since, reader(user))] if reader(user) else found


def _named(seen: Iterable[Seen]) -> Mapping[tuple[str, str], _Name]:
    """Return title, consequence and volume of each class; a class that was renamed has its latest title."""
    found: dict[tuple[str, str], _Name] = {}
    for one in sorted(seen, key=lambda one: one.latest):
        before = found.get((one.agent, one.tool), _Name(one.agent, one.tool)).volume
        column = _COLUMN.get(one.verdict, "reviewed")
        volume = replace(before, proposed=before.proposed + one.actions, **{column: getattr(before, column) + one.actions})
        found[one.agent, one.tool] = _Name(one.agent, one.tool, one.title, one.consequence, volume)
    return found


def _newest(offers: Iterable[CertificateRow]) -> dict[tuple[str, str], CertificateRow]:
    found: dict[tuple[str, str], CertificateRow] = {}
    for row in offers:
        found.setdefault((row.agent, row.tool), row)
    return found


def _standing(name: _Name, row: AutonomyRow) -> dict[str, Any]:
    return {
        "agent": name.agent,
        "tool": name.tool,
        "title": name.title,
        "consequence": name.consequence,
        "level": row.level,
        "level_name": level_name(row.level),
        "since": row.since.isoformat() if row.version else "",
        "suspended": row.suspended,
        "volume": name.volume,
    }


def _line(
    key: tuple[str, str],
    named: Mapping[tuple[str, str], _Name],
    row: AutonomyRow | None,
    certificate: CertificateRow | None,
    offered: Promise | None,
    last: Sequence[LevelChangeRow],
) -> Line:
    name = named.get(key, _Name(*key, title=key[1]))
    row = row or AutonomyRow(tenant="", agent=key[0], tool=key[1], version=0)
    return Line(
        **_standing(name, row),
        signed=promise_of(certificate) if certificate is not None else None,
        offered=offered,
        watch=watching.now(row.monitor if row.certificate else None, row.share),
        fallen=last[0].by if last and last[0].after < last[0].before and last[0].by in get_args(Cause) else "",
    )


def _insight(found: _Found, labels: Labels | None) -> ClassInsight:
    facts, name, row = found.facts, found.name, found.facts.row
    evidence, head, shown = weighed(facts), _head(found), _shown(found)
    signed, offered = (promise_of(one) if one is not None else None for one in (facts.signed, facts.offered))
    rows = measured.certifying(labels, fitted=head is not None and not head.raw, report=shown.report if shown is not None else None)
    warnings, note = drifting.warnings(found.measured, labels)
    return ClassInsight(
        **_standing(name, row),
        unwatched=found.unwatched,
        version=row.version,
        signed=signed,
        offered=offered,
        to=int(evidence.to),
        signable=not evidence.missing,
        progress=progress(facts, found.certificates, labels, head, found.changes),
        history=tuple(map(_step, found.changes)),
        raw=measured.raw_diagram(rows),
        calibrated=measured.calibrated_diagram(rows, head, labels),
        curve=measured.curve(rows, head, offered or signed),
        watch=replace(watching.since_signed(row, found.certificates, found.audits, found.changes), left_out=found.left_out[0]),
        weeks=measured.weeks(found.decided),
        drift=(*found.left_out[1], *warnings),
        drift_note=note,
        evidence=dict(evidence.body),
        evidence_digest=evidence.digest,
    )


def _shown(found: _Found) -> CertificateRow | None:
    """Return what is on offer, else what is in force, else the newest try, under the key of the class now."""
    facts = found.facts
    newest = next((one for one in found.certificates if one.key == facts.key), None)
    return facts.offered or facts.signed or newest


def _head(found: _Found) -> Head | None:
    chosen = _shown(found)
    try:
        return head_of(chosen.head) if chosen is not None else None
    except (ValueError, TypeError, KeyError):
        return None


def promise_of(row: CertificateRow) -> Promise | None:
    """Return a certificate as the page shows it; None for an attempt that kept no threshold."""
    if row.threshold is None:
        return None
    return Promise(
        id=row.id,
        status=row.status,
        level=row.level,
        level_name=level_name(row.level),
        alpha=row.alpha,
        delta=row.delta,
        threshold=row.threshold,
        rows=row.rows,
        n=row.n,
        k=row.k,
        coverage=row.coverage,
        bound=row.bound,
        created=row.created_at.isoformat(),
    )


def level_name(level: int) -> str:
    """Return the word of a level."""
    return next((word for one, word in WORDS.items() if one == level), str(level))


def _step(row: LevelChangeRow) -> Step:
    return Step(
        before=row.before,
        before_name=level_name(row.before),
        after=row.after,
        after_name=level_name(row.after),
        by=row.by,
        reason=row.reason,
        certificate=row.certificate,
        at=row.at.isoformat(),
        evidence=row.evidence,
    )
