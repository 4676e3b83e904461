"""What the monitor of a class remembers when its level changes: all that speaks against it, until labels start anew as well."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ...graph.store.autonomy_models import AutonomyRow, CertificateRow
from ..watch.monitor import Monitor, carried, monitor_of, start
from .evidence import RESTARTS

RESERVE = 0.1
"""The part of the monitor's wealth that is kept for later bets, so that a change is noticed after a long calm too.

Larger ones gain little late and notice an early change later (docs/evidence.md, "The monitor").
"""


def going_on(row: AutonomyRow, signed: CertificateRow) -> Monitor:
    """Return the monitor of a certificate that is signed now.

    Evidence against the promises so far, a wealth above 1, goes on under the same key, whatever level and alpha come next: the same
    labels certify, so what audits said of the same actions counts too. A wealth of 1 or less gives way to a new monitor, or
    a long calm would hide a change after a signature. Each signature adds at most what a new monitor stakes, so all promises of a
    class together ring falsely no more often than one new monitor for each signature would: 1 in 20 each. Without any, under
    another key, or after an alarm, it is a new one.
    """
    new = start(signed.alpha, reserve=RESERVE)
    if row.key == signed.key and row.monitor is not None:
        with suppress(ValueError, TypeError, KeyError):
            old = carried(monitor_of(row.monitor), signed.alpha)
            return old if old.log_evidence > 0 else new
    return new


def left_by(by: str, row: AutonomyRow) -> dict[str, Any] | None:
    """Return what is kept of a monitor when a class is taken down: nothing where labels start anew, else all of it."""
    return None if by in RESTARTS else row.monitor
