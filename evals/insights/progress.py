"""How far a class has come towards its next certificate and level, in counts; what cannot be counted is not told here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...graph.autonomy.levels import EARNED, Level
from ...graph.autonomy.scoring import AGREEMENT, Head
from ...graph.store.autonomy_models import CertificateRow, LevelChangeRow
from ..certify.certifying import DELTA, FIXED, parted, promised, rows_needed, spent
from ..certify.labels import Labels
from ..ladder.evidence import AUDITS, RESTARTS, Facts
from ..ladder.offering import could_pass_before
from .shapes import Progress


def progress(
    facts: Facts, tries: Sequence[CertificateRow], labels: Labels | None, head: Head | None, steps: Sequence[LevelChangeRow]
) -> tuple[Progress, ...]:
    """Return what is counted and not reached on the way to the next level; nothing above the ceiling.

    Args:
        facts: what the rows say about the class.
        tries: its certificates and tries, newest first.
        labels: what is known of it under its key.
        head: what scored the newest try.
        steps: its changes of level, newest first: after an alarm only younger actions certify.
    """
    if facts.to not in EARNED or facts.to > facts.ceiling:
        return ()
    found = []
    if facts.offered is None:
        since = next((step.at for step in steps if step.by in RESTARTS), None)
        rows = [row for row in labels.rows if since is None or row.at >= since] if labels is not None else []
        known = replace(labels, rows=tuple(rows)) if labels is not None else None
        found.append(_until_tried(facts, tries, known, head or AGREEMENT))
    if facts.to > Level.CERTIFIED and not facts.row.suspended:
        audits = facts.monitor.audits - facts.monitor.earlier if facts.monitor is not None else 0
        found.append(Progress("Audits that the monitor has taken in below its alarm", min(audits, AUDITS), AUDITS))
    return tuple(one for one in found if one.have < one.need)


def _until_tried(facts: Facts, tries: Sequence[CertificateRow], labels: Labels | None, head: Head) -> Progress:
    """Return how many decided actions could pass, and how many have to before the next try is worth its share of delta."""
    before = [one for one in tries if one.key == facts.key and one.level == facts.to]
    alpha = promised(facts.to, facts.newest.consequence if facts.newest is not None else "")
    last = could_pass_before(before, labels) if labels is not None else 0
    what = "Decided actions, one of a conversation, that could pass; at so many a certificate is tried"
    have = _could_pass(labels, head) if labels is not None else 0
    needed = rows_needed(facts.to, alpha, spent(DELTA, len(before) + 1), last)
    return Progress(f"{what} again" if before else what, have, needed)


def _could_pass(labels: Labels, head: Head) -> int:
    part = parted(labels)
    scorer = head if part.fit else AGREEMENT
    scores = [scorer.score(row.features) for row in part.certify]
    return sum(score is not None and (bool(part.fit) or score >= FIXED[-1]) for score in scores)
