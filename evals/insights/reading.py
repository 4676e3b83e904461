"""Reads what the store knows of classes of actions into the values of the page Insights; it changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ...graph.access.people import require
from ...graph.autonomy.levels import WORDS
from ...graph.autonomy.scoring import Head, head_of
from ...graph.clock import Clock
from ...graph.store import autonomy, classes, probes
from ...graph.store.autonomy_models import AutonomyRow, CertificateRow, LevelChangeRow
from ...graph.store.classes import Seen
from ...graph.store.session import AsyncSession, Store
from . import measured, sentences, watching
from .evidence import frozen
from .shapes import ClassInsight, Line, Missing, Promise, Step, Volume

DAYS = 90
"""What the figures reach back to."""

MOST = 5_000
"""Decisions of one class that are read at most, the newest."""

_COLUMN = {"allow": "passed", "review": "reviewed", "refuse": "refused"}


async def overview(store: Store, clock: Clock, actor: str) -> tuple[Line, ...]:
    """Return the classes of the actor's tenant, the highest level first; raises NotAllowed below viewer."""
    since = clock() - timedelta(days=DAYS)
    async with store.read() as tx:
        tenant = (await require(tx, actor, "viewer")).tenant
        named = _named(await classes.seen(tx, tenant, since))
        rows = {(row.agent, row.tool): row for row in await autonomy.every(tx, tenant)}
        offers = _newest(await classes.offered(tx, tenant))
        signed = {key: await autonomy.certificate(tx, tenant, row.certificate) for key, row in rows.items() if row.certificate}
        known = {key: promise_of(row) for key, row in offers.items()}
    lines = [_line(key, named, rows.get(key), signed.get(key), known.get(key)) for key in {*named, *rows, *offers}]
    return tuple(sorted(lines, key=lambda one: (-one.level, -one.volume.proposed, one.agent, one.tool)))


async def insight(store: Store, clock: Clock, actor: str, agent: str, tool: str) -> ClassInsight | None:
    """Return everything that is known of one class; None for one that never proposed anything. Raises NotAllowed below viewer."""
    since = clock() - timedelta(days=DAYS)
    async with store.read() as tx:
        tenant = (await require(tx, actor, "viewer")).tenant
        found = await _read(tx, tenant, agent, tool, since)
    return _insight(found) if found is not None else None


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows behind one class."""

    name: _Name
    row: AutonomyRow
    certificates: Sequence[CertificateRow]
    changes: Sequence[LevelChangeRow]
    decided: Sequence[classes.Decided]
    audits: Sequence[watching.Audit]


@dataclass(frozen=True, slots=True)
class _Name:
    agent: str
    tool: str
    title: str = ""
    consequence: str = ""
    volume: Volume = field(default_factory=lambda: Volume(DAYS))


async def _read(tx: AsyncSession, tenant: str, agent: str, tool: str, since: datetime) -> _Found | None:
    key = (agent, tool)
    named = _named(await classes.seen(tx, tenant, since))
    row = await autonomy.get(tx, tenant, agent, tool)
    if key not in named and row is None:
        return None
    return _Found(
        named.get(key, _Name(agent, tool, tool)),
        row or AutonomyRow(tenant=tenant, agent=agent, tool=tool, version=0),
        await autonomy.certificates(tx, tenant, agent, tool),
        await autonomy.changes(tx, tenant, agent, tool),
        await classes.decided(tx, tenant, agent, tool, since, MOST),
        watching.audits_of(await probes.of_class(tx, tenant, agent, tool, "audit", MOST)),
    )


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


def _line(
    key: tuple[str, str],
    named: Mapping[tuple[str, str], _Name],
    row: AutonomyRow | None,
    certificate: CertificateRow | None,
    offered: Promise | None,
) -> Line:
    name = named.get(key, _Name(*key, title=key[1]))
    row = row or AutonomyRow(tenant="", agent=key[0], tool=key[1], version=0)
    signed = promise_of(certificate) if certificate is not None else None
    return Line(
        agent=name.agent,
        tool=name.tool,
        title=name.title,
        consequence=name.consequence,
        level=row.level,
        level_name=level_name(row.level),
        since=row.since.isoformat() if row.version else "",
        suspended=row.suspended,
        volume=name.volume,
        signed=signed,
        offered=offered,
        watch=watching.now(row.monitor, row.share),
        summary=sentences.summary(row.level, row.suspended, signed, offered),
    )


def _insight(found: _Found) -> ClassInsight:
    name, row = found.name, found.row
    signed = next((promise_of(one) for one in found.certificates if one.id == row.certificate), None)
    offered = next((promise_of(one) for one in found.certificates if one.status == "offered"), None)
    head = _head(found, offered)
    rows = measured.labelled(found.decided)
    shown = offered or signed
    risk = sentences.risk(shown, measured.queue(rows, head, shown), None)
    watch = watching.since_signed(row.monitor, row.share, [one for one in found.audits if one.certificate == row.certificate])
    evidence, digest = frozen(row, offered, signed, watch, risk)
    return ClassInsight(
        agent=name.agent,
        tool=name.tool,
        title=name.title,
        consequence=name.consequence,
        level=row.level,
        level_name=level_name(row.level),
        since=row.since.isoformat() if row.version else "",
        suspended=row.suspended,
        version=row.version,
        volume=name.volume,
        signed=signed,
        offered=offered,
        missing=_missing(found.certificates, offered, rows),
        history=tuple(map(_step, found.changes)),
        raw=measured.raw_diagram(rows),
        calibrated=measured.calibrated_diagram(rows, head),
        curve=measured.curve(rows, head, shown),
        watch=watch,
        weeks=measured.weeks(found.decided),
        drift=(),
        risk=risk,
        evidence=evidence,
        evidence_digest=digest,
    )


def _head(found: _Found, offered: Promise | None) -> Head | None:
    """Return the head of what is on offer, else of what is in force, else of the last attempt."""
    chosen = next((one for one in found.certificates if offered is not None and one.id == offered.id), None)
    stored = chosen.head if chosen is not None else found.row.head
    if stored is None and found.certificates:
        stored = found.certificates[0].head
    try:
        return head_of(stored)
    except (ValueError, TypeError, KeyError):
        return None


def _missing(
    certificates: Sequence[CertificateRow], offered: Promise | None, rows: Sequence[measured.Labelled]
) -> tuple[Missing, ...]:
    if offered is not None:
        return (Missing("The signature of a lead or an admin."),)
    return (Missing("Decided actions until a certificate can be tried.", len(rows), None),)


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
