"""How far a class has come towards its next certificate and level, in counts; what cannot be counted is not told here."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...graph.autonomy.levels import EARNED, Level
from ...graph.autonomy.scoring import AGREEMENT, Head
from ...graph.store.autonomy_models import CertificateRow
from ..certifying import DELTA, FIXED, GROWTH, promised, spent
from ..evidence import AUDITS, Facts
from ..labels import Label
from .shapes import Progress


def progress(facts: Facts, tries: Sequence[CertificateRow], rows: Sequence[Label], head: Head | None) -> tuple[Progress, ...]:
    """Return what is counted and not reached on the way to the next level; nothing above the ceiling.

    Args:
        facts: what the rows say about the class.
        tries: its certificates and tries, newest first.
        rows: the rows that certify now.
        head: what scores them.
    """
    if facts.to not in EARNED or facts.to > facts.ceiling:
        return ()
    found = []
    if facts.offered is None:
        found.append(_until_tried(facts, tries, rows, head or AGREEMENT))
    if facts.to > Level.CERTIFIED and not facts.row.suspended:
        audits = facts.monitor.audits if facts.monitor is not None else 0
        found.append(Progress("Audits that the monitor has taken in below its alarm", min(audits, AUDITS), AUDITS))
    return tuple(one for one in found if one.have < one.need)


def _until_tried(facts: Facts, tries: Sequence[CertificateRow], rows: Sequence[Label], head: Head) -> Progress:
    """Return how many decided actions could pass, and how many have to before the next try is worth its share of delta."""
    before = [one for one in tries if one.key == facts.key and one.level == facts.to]
    alpha = promised(facts.to, facts.newest.consequence if facts.newest is not None else "")
    least = math.ceil(math.log(spent(DELTA, len(before) + 1)) / math.log1p(-alpha))
    last = int(before[0].report.get("could_pass", 0)) if before else 0
    lowest = FIXED[-1] if head.raw else 0.0
    have = sum((score := head.score(row.features)) is not None and score >= lowest for row in rows)
    what = "Decided actions, one of a conversation, that could pass; at so many a certificate is tried"
    return Progress(f"{what} again" if before else what, have, max(least, math.ceil(GROWTH * last)))
