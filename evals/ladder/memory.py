"""What the monitor of a class remembers when its level changes: everything, under one key, until labels start anew as well."""

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

    What was gathered under the same key goes on, whatever level and alpha come next: the same labels certify, so what audits
    said of the same actions counts too. Without any, under another key, or after an alarm, it is a new one.
    """
    if row.key == signed.key and row.monitor is not None:
        with suppress(ValueError, TypeError, KeyError):
            return carried(monitor_of(row.monitor), signed.alpha)
    return start(signed.alpha, reserve=RESERVE)


def left_by(by: str, row: AutonomyRow) -> dict[str, Any] | None:
    """Return what is kept of a monitor when a class is taken down: nothing where labels start anew, else all of it."""
    return None if by in RESTARTS else row.monitor
