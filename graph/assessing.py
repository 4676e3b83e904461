"""From the readings of an action to what is stored of it, under what its class may do at that moment; pure but for the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from .authority.ledger import Assessed
from .autonomy.classes import key_of
from .autonomy.earned import UNMEASURED, Earned, Judged, judged, on_record
from .autonomy.levels import Level
from .autonomy.scoring import features_of
from .confidence import Reading, confidence
from .proposals import Proposal, row_of
from .rules.terms import DEFAULT, Terms, combined
from .signals.flags import policy_flags
from .state import Call
from .wiring import Gate


def assessed(gate: Gate, call: Call, proposal: Proposal, readings: Sequence[Reading], earned: Earned | None) -> Assessed:
    """Return what is to be stored of an action that policy ruled `gate`.

    A stricter ruling since then is always reviewed. So is an action of which a signal that counts could not be read: a fitted head
    knows what a missing feature was worth while it was fitted, and not what it is worth while a model server is down.
    """
    action = proposal.action
    known = key_of(action.agent, action.tool, action.tool_digest, gate.provenance_of(action.tool))
    key = known.digest()
    ceiling = gate.policy.ceiling_for(action.tool, action.consequence)
    taken = [asdict(reading) for reading in readings]
    found = judged(
        earned,
        key=key,
        features=features_of(action.tool, taken, proposal.reasons),
        action=action.id,
        now=gate.clock(),
        consequence=action.consequence,
        sure=confidence(readings),
        stated=gate.policy.threshold_for(action.tool, action.consequence),
        ceiling=ceiling,
    )
    if found.way == "allow" and proposal.way not in ("allow", "gate"):
        found = replace(found, way="review", audited=False)
    if found.way == "allow" and any(reading.gates and reading.value is None for reading in readings):
        found = replace(found, way="review", audited=False, reason=UNMEASURED)
    if found.way == "allow" and found.basis == "certificate" and known.unnamed:
        found = replace(found, way="review", audited=False, reason=known.unnamed)
    ruled = proposal.with_reason("confidence", found.way, found.reason)
    ruled = replace(ruled, terms=combined([ruled.terms, _windows(earned, found)]))
    flagged = [*taken, asdict(policy_flags(proposal.reasons))] if taken else []
    row = row_of(gate, call, ruled, found.way, flagged, found.confidence, found.threshold)
    row.provenance = {**row.provenance, "earned": on_record(earned, found, key, ceiling)}
    probe = "audit" if found.audited else "shadow" if found.shadow else ""
    return Assessed(row, ruled.terms, probe, found.share if found.audited else 1.0, found.void)


def _windows(earned: Earned | None, found: Judged) -> Terms:
    """Return the windows to veto and undo that come with the level at which an action passes."""
    if earned is None or found.way != "allow" or earned.level < Level.MONITORED:
        return DEFAULT
    return Terms(veto=earned.veto, undo=earned.undo)
