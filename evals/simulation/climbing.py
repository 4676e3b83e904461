"""How a class of a simulation climbs: the learner's own tries for a certificate, and a lead who signs once nothing is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...graph.autonomy.classes import Key
from ...graph.autonomy.levels import WORDS, Level
from ...graph.store.autonomy_models import CertificateRow
from ...graph.store.labelled import SCANNED, Gated
from ..certify.certifying import GROWTH, prepared, tried
from ..certify.labels import Labels, recent
from ..ladder.evidence import Facts, requirements
from ..ladder.levels import UNDO_SECONDS, VETO_SECONDS, earned_values
from ..ladder.offering import could_pass_before, row_of
from ..watch.monitor import monitor_of, start
from .standing import NOON, START, Standing
from .streams import AGENT, key_on, traits
from .tallies import Signed


def facts_of(one: Standing, day: int, health: Mapping[str, Any] | None) -> Facts:
    """Return what the rows would say about a class on a day."""
    now = START + timedelta(days=day) + NOON
    offered = next((row for row in one.certificates if row.status == "offered"), None)
    signed = next((row for row in one.certificates if row.id == one.row.certificate), None)
    if one.monitor is not None:
        one.row.monitor = one.monitor.as_json()
    return Facts(one.row, _newest(one, day) if one.key else None, offered, signed, health, now)


def _newest(one: Standing, day: int) -> Gated:
    nothing: dict[str, Any] = dict.fromkeys(Gated._fields)
    key, earned = _key(one, day), {"key": one.key, "ceiling": int(one.ceiling)}
    known = {"tool_digest": key.schema, "provenance": {**key.as_json(), "earned": earned}}
    return Gated(**{**nothing, **known, "consequence": one.what.consequence, "created_at": START + timedelta(days=day)})


def _key(one: Standing, day: int) -> Key:
    return key_on(one.what, traits(one.what, day).model)


def labels_of(one: Standing, day: int) -> Labels:
    """Return what is known of a class on a day, as the desk reads it: the newest actions under the key, since the last alarm."""
    first = max(0, one.made - SCANNED)
    rows = [(number, label) for number, label in one.labels if number > first]
    if one.restarted is not None:
        rows = [(number, label) for number, label in rows if label.at >= one.restarted]
        first = max(first, min((number for number, _ in rows), default=one.made) - 1)
    rows.sort(key=lambda row: -row[0])
    number, share = one.shares[-1] if one.shares else (1, 1.0)
    begun = next((label.at for which, label in reversed(rows) if which >= number), START + timedelta(days=day) + NOON)
    labelled = tuple(label for _, label in rows)
    return Labels(AGENT, one.what.tool, _key(one, day), one.what.consequence, one.ceiling, labelled, share, begun)


def learn(one: Standing, day: int, health: Mapping[str, Any] | None) -> None:
    """Try to certify a class for what comes next, when it is time, and lay the certificate before the lead."""
    for row in one.certificates:
        row.status = "void" if row.status == "offered" and row.key != one.key else row.status
    level = max(facts_of(one, day, health).to, Level.CERTIFIED)
    if not one.key or level > one.ceiling or (level == one.row.level and not one.row.suspended):
        return
    before = [row for row in one.certificates if row.key == one.key and row.level == level]
    if len(one.labels) < one.enough:
        return
    labels = labels_of(one, day)
    last, alpha = could_pass_before(before, labels), one.chosen.alpha_at(level, one.what.consequence)
    found = tried(labels, level, len(before) + 1, last, delta=one.chosen.delta, alpha=alpha)
    if found is None:
        one.enough = len(one.labels) + _missing(len(recent(labels)), last, prepared(labels).could_pass)
        return
    one.enough = 0
    good = found.certified.threshold is not None
    for row in one.certificates:
        row.status = ("replaced" if good else "void") if row.status == "offered" else row.status
    one.certificates.insert(0, row_of("simulation", labels, found, START + timedelta(days=day) + NOON))
    if good:
        told = f"{WORDS[level]}: {found.certified.k} of {found.certified.n} wrong, bound {found.certified.bound:.3f}"
        one.note(day, "offered", told)


def _missing(labels: int, last: int, could_pass: int) -> int:
    """Return how many more labels bring so many that can be expected to pass that another try is due."""
    return max(1, math.floor(labels * (GROWTH * last / could_pass - 1)) if could_pass else 1)


def sign(one: Standing, day: int, health: Mapping[str, Any] | None) -> None:
    """Let the lead sign what is on offer once nothing has been missing for the days that a signature takes."""
    if not any(row.status == "offered" for row in one.certificates):
        one.ready = None
        return
    facts = facts_of(one, day, health)
    if not all(needed.met for needed in requirements(facts, audits=one.chosen.n_min)):
        one.ready = None
        return
    one.ready = day if one.ready is None else one.ready
    if day - one.ready >= one.chosen.sign_after and facts.offered is not None:
        _signed(one, facts.offered, facts, day)


def _signed(one: Standing, offered: CertificateRow, facts: Facts, day: int) -> None:
    to = facts.to
    values = earned_values(one.row, offered, to, facts.now, VETO_SECONDS, UNDO_SECONDS)
    values |= {"share": one.chosen.share_at(to), "seed": f"{one.seed} {one.place} {one.row.version}"}
    if facts.signed is not None:
        facts.signed.status = "replaced"
    offered.status = "signed"
    one.change(values)
    one.monitor, one.ready, one.enough, one.was = monitor_of(values["monitor"]), None, 0, traits(one.what, day)
    if one.chosen.reserve is not None and not one.monitor.seen:
        one.monitor = start(offered.alpha, reserve=one.chosen.reserve)
    if one.under:
        one.under.ended = day
    one.under = Signed(
        place=one.place,
        day=day,
        level=int(to),
        alpha=offered.alpha,
        threshold=offered.threshold if offered.threshold is not None else math.inf,
        n=offered.n,
        k=offered.k,
        bound=offered.bound,
        coverage=offered.coverage,
        model=one.was.model,
    )
    one.signed.append(one.under)
    one.note(day, "signed", f"{WORDS[to]} above {one.under.threshold:.2f}")
