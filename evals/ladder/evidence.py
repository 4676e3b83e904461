"""What a class of actions has to show for its next level, as it is shown before a signature and frozen with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ...graph.autonomy.classes import Key, in_words, key_of
from ...graph.autonomy.levels import EARNED, SHARES, WORDS, Level, ceiling_of
from ...graph.autonomy.scoring import head_of
from ...graph.canonical import digest_of
from ...graph.clock import Clock
from ...graph.store import autonomy, labelled, settings
from ...graph.store.autonomy_models import AutonomyRow, CertificateRow
from ...graph.store.labelled import Gated
from ...graph.store.session import AsyncSession, Store
from ..certify.system_risk import system_risk
from ..watch.monitor import Monitor, monitor_of

HEALTH = "reviewer health"
"""The setting that says whether reviewers can be relied on: `healthy`, `why`, `at`, and `catch`, the least share they find."""

AUDITS = 45
"""So many audits the monitor must have taken in below its alarm before a level above certified; none of them wrong, they would show
at most 5% wrong at 90% confidence."""

RESTARTS = ("monitor", "critical", "reviewers")
"""After such a demotion labels and monitor start anew: older actions no longer speak for what comes, or nobody can rely on them."""

FRESH = timedelta(days=30)
"""A certificate that nobody signed for so long speaks for other times."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that the next level needs."""

    name: str
    """`ceiling`, `certificate`, `monitor` or `reviewers`."""
    met: bool
    told: str
    """How it stands, with numbers."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows that speak about a class at one moment."""

    row: AutonomyRow
    newest: Gated | None
    """Its newest gated action: under which key, consequence and ceiling it acts now."""
    offered: CertificateRow | None
    signed: CertificateRow | None
    health: Mapping[str, Any] | None
    now: datetime

    @property
    def to(self) -> Level:
        """The next level: one up, or the same one where a suspended class has to be signed for anew."""
        level = Level(self.row.level)
        return level if level in EARNED and self.row.suspended else Level(min(level + 1, Level.SAMPLED))

    @property
    def key(self) -> str:
        """The digest under which the class acts now."""
        return str(self.newest.earned.get("key", "")) if self.newest is not None else ""

    @property
    def ceiling(self) -> Level:
        """The highest level that consequence and policy leave to the class; supervised while nothing of it was ever gated."""
        if self.newest is None:
            return Level.SUPERVISED
        stated = self.newest.earned.get("ceiling")
        return ceiling_of(self.newest.consequence) if stated is None else Level(int(stated))

    @property
    def monitor(self) -> Monitor | None:
        """What audits have shown under its key since the monitor last started anew; None if none is kept or it cannot be read."""
        try:
            return monitor_of(self.row.monitor) if self.row.monitor is not None else None
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is shown before a signature."""

    body: Mapping[str, Any]
    """Plain JSON: class, level and the next one, certificate, head, report, monitor, reviewers, requirements, system risk."""
    digest: str
    """SHA-256 over the body: a signature names it, so that what was signed is what was shown."""
    requirements: tuple[Requirement, ...]
    to: Level
    offered: str
    """The certificate that waits for the signature; empty when none does."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What the next level still needs, in words; empty when a lead can sign."""
        return tuple(one.told for one in self.requirements if not one.met)


async def evidence_of(store: Store, clock: Clock, tenant: str, agent: str, tool: str) -> Evidence:
    """Return what a class has to show for its next level now."""
    async with store.read() as tx:
        row = await autonomy.get(tx, tenant, agent, tool)
        return weighed(await facts_of(tx, row or fresh(tenant, agent, tool, clock()), clock()))


def fresh(tenant: str, agent: str, tool: str, now: datetime) -> AutonomyRow:
    """Return the row of a class that nobody ever promoted or demoted, as if there were one: supervised, version 0."""
    return AutonomyRow(tenant=tenant, agent=agent, tool=tool, level=int(Level.SUPERVISED), version=0, since=now)


async def facts_of(tx: AsyncSession, row: AutonomyRow, now: datetime) -> Facts:
    """Return what the rows say about a class."""
    known = await autonomy.certificates(tx, row.tenant, row.agent, row.tool)
    return Facts(
        row=row,
        newest=await labelled.latest(tx, row.tenant, row.agent, row.tool),
        offered=next((one for one in known if one.status == "offered"), None),
        signed=await autonomy.certificate(tx, row.tenant, row.certificate) if row.certificate else None,
        health=await settings.get(tx, row.tenant, HEALTH),
        now=now,
    )


def weighed(facts: Facts) -> Evidence:
    """Return the evidence that facts come to."""
    needed, offered = requirements(facts), facts.offered
    shown = offered or facts.signed
    body: dict[str, Any] = {
        "agent": facts.row.agent,
        "tool": facts.row.tool,
        "level": facts.row.level,
        "to": int(facts.to),
        "version": facts.row.version,
        "suspended": facts.row.suspended,
        "ceiling": int(facts.ceiling),
        "key": facts.key,
        "share": SHARES[facts.to],
        "certificate": _numbers(shown),
        "head": _head(shown),
        "report": dict(shown.report) if shown is not None else None,
        "monitor": monitored(facts.monitor),
        "reviewers": {name: facts.health.get(name) for name in ("healthy", "why", "catch")} if facts.health is not None else None,
        "requirements": [asdict(one) for one in needed],
        "system_risk": _risk(shown, (facts.health or {}).get("catch")),
    }
    return Evidence(body, digest_of("evidence", body), needed, facts.to, offered.id if offered is not None else "")


def _numbers(row: CertificateRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    names = ("id", "status", "level", "key", "alpha", "delta", "threshold", "rows", "n", "k", "coverage", "bound", "parts")
    return {**{name: getattr(row, name) for name in names}, "created_at": row.created_at.isoformat()}


def _head(row: CertificateRow | None) -> dict[str, Any] | None:
    """Return what turns features into the confidence that the threshold is for: its weights, and the same in one line."""
    if row is None:
        return None
    try:
        head = head_of(row.head)
    except (ValueError, TypeError, KeyError):
        head = None
    return {"weights": dict(row.head), "told": head.told() if head is not None else "It cannot be read here."}


def monitored(monitor: Monitor | None) -> dict[str, Any] | None:
    """Return what the monitor has gathered, for the evidence."""
    if monitor is None:
        return None
    counts = {"alpha": monitor.alpha, "audits": monitor.audits, "errors": monitor.errors, "earlier": monitor.earlier}
    return {**counts, "evidence": round(monitor.evidence, 6), "alarmed": monitor.alarmed}


def requirements(facts: Facts, *, audits: int = AUDITS) -> tuple[Requirement, ...]:
    """Return what the next level needs, each with how it stands; all have to be met, and then a person signs."""
    found = [_ceiling(facts)]
    if facts.to in EARNED:
        found.append(_certificate(facts))
        if facts.to > Level.CERTIFIED and not facts.row.suspended:
            found.append(_monitor(facts, audits))
        found.append(_reviewers(facts))
    return tuple(found)


def missing(facts: Facts) -> tuple[str, ...]:
    """Return what the next level still needs, in words."""
    return tuple(one.told for one in requirements(facts) if not one.met)


def _ceiling(facts: Facts) -> Requirement:
    ceiling, level = facts.ceiling, Level(facts.row.level)
    if level == Level.SAMPLED and not facts.row.suspended:
        return Requirement("ceiling", False, "This is the highest level there is.")
    if facts.to <= ceiling:
        return Requirement("ceiling", True, f"Consequence and policy allow up to {WORDS[ceiling]}.")
    if facts.newest is None:
        return Requirement(
            "ceiling", False, "Policy has never ruled `gate` on an action of this class, so nothing of it is confident."
        )
    stated = "" if facts.newest.consequence == "reversible" else f" What is {facts.newest.consequence} has that ceiling."
    return Requirement("ceiling", False, f"The highest level that policy leaves to this tool is {WORDS[ceiling]}.{stated}")


def _certificate(facts: Facts) -> Requirement:
    row, now = facts.offered, _key_now(facts)
    if now is not None and now.unnamed:
        return Requirement("certificate", False, now.unnamed)
    if row is None or row.threshold is None:
        return Requirement(
            "certificate", False, "No certificate is on offer: no threshold has kept the promise on labelled rows yet."
        )
    if row.key != facts.key:
        changed = in_words(now.changed_since(row.parts)) if now is not None else ""
        return Requirement("certificate", False, f"The certificate belongs to another key; changed: {changed or 'unknown'}.")
    if row.level != facts.to:
        return Requirement(
            "certificate", False, f"The certificate on offer is for {WORDS[Level(row.level)]}, not {WORDS[facts.to]}."
        )
    if facts.now - row.created_at > FRESH:
        return Requirement("certificate", False, f"The certificate is older than {FRESH.days} days; wait for a new one.")
    told = (
        f"With {(1 - row.delta):.1%} confidence at most {row.bound:.1%} of what passes is wrong (promised: {row.alpha:.0%}): "
        f"{row.k} of {row.n} passing actions were wrong, of {row.rows} that certify; {row.coverage:.0%} pass."
    )
    return Requirement("certificate", True, told)


def _key_now(facts: Facts) -> Key | None:
    newest = facts.newest
    return None if newest is None else key_of(facts.row.agent, facts.row.tool, newest.tool_digest, newest.provenance)


def _monitor(facts: Facts, least: int) -> Requirement:
    monitor = facts.monitor
    if monitor is None:
        return Requirement("monitor", False, f"Nothing is monitored; {least} audits below the alarm are needed.")
    audits = monitor.audits - monitor.earlier
    before = f", {monitor.earlier} more under earlier certificates" if monitor.earlier else ""
    told = f"{audits} audits{before}, {monitor.errors} wrong, evidence {monitor.evidence:.2f} (alarm at 20)"
    if monitor.alarmed:
        return Requirement("monitor", False, f"The monitor has given the alarm: {told}.")
    enough = audits >= least
    return Requirement("monitor", enough, f"{told}; {least} are needed{'' if enough else f', so {least - audits} more'}.")


def _reviewers(facts: Facts) -> Requirement:
    if facts.health is None or facts.health.get("healthy") is None:
        met = facts.to == Level.CERTIFIED
        said = "so the labels are only as good as they are" if met else "which this level needs"
        known = "was never measured" if facts.health is None else "is not known well enough yet"
        return Requirement("reviewers", met, f"How much reviewers catch {known}, {said}.")
    why = str(facts.health.get("why", ""))
    if facts.health.get("healthy") is True:
        return Requirement("reviewers", True, f"Reviewers can be relied on. {why}".strip())
    return Requirement("reviewers", False, f"Reviewers cannot be relied on now. {why}".strip())


def _risk(row: CertificateRow | None, catch: float | None) -> dict[str, Any] | None:
    """Return the system risk of a certificate in numbers and in words; None without one.

    `catch` is the lower bound of what reviewers find, taken as 0 while it was never measured.
    """
    if row is None or row.threshold is None:
        return None
    queue, caught = float(row.report.get("queue_error", 0.0)), float(catch or 0.0)
    risk = system_risk(row.coverage, row.bound, queue, caught)
    measured = (
        f"reviewers find at least {caught:.0%} of it" if catch is not None else "nobody measured how much of it reviewers find"
    )
    sentence = (
        f"Of 100 actions {row.coverage * 100:.0f} pass, of which at most {row.bound:.1%} are wrong "
        f"(with {1 - row.delta:.1%} confidence); "
        f"of the {(1 - row.coverage) * 100:.0f} that are reviewed {queue:.1%} were wrong, and {measured}. "
        f"So at most about {risk * 100:.1f} of 100 go wrong."
    )
    return {"coverage": row.coverage, "bound": row.bound, "queue_error": queue, "catch": catch, "risk": risk, "sentence": sentence}
