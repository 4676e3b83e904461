"""The monitor on rows from anywhere, in the order in which the actions ran; it stops nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..certify.rows import Flat, RowsError, flat_rows, label_of
from .monitor import ALARM, Monitor, observe, start


@dataclass(frozen=True, slots=True)
class Watched:
    """What a monitor saw over a file."""

    monitor: Monitor
    rows: int
    highest: float
    """The greatest evidence on the way."""
    alarm_row: int | None
    """The row at which the alarm rang, from 1."""
    alarm_audits: int | None
    """The audits until then."""

    def as_json(self) -> dict[str, Any]:
        """Return what was seen as plain JSON; `monitor` goes on from here with `monitor_of`."""
        now = self.monitor
        return {
            "alpha": now.alpha,
            "rows": self.rows,
            "actions": now.seen,
            "audits": now.audits,
            "errors": now.errors,
            "evidence": now.evidence,
            "log_evidence": now.log_evidence,
            "highest_evidence": self.highest,
            "alarm_at_evidence": ALARM,
            "alarmed": now.alarmed,
            "alarm_row": self.alarm_row,
            "alarm_audits": self.alarm_audits,
            "monitor": now.as_json(),
        }


def watch_rows(path: Path, label: str, *, alpha: float = 0.05, share: str | None = None, reserve: float = 0.0) -> Watched:
    """Feed a file's rows to a new monitor.

    Args:
        path: JSON lines of actions that passed, oldest first.
        label: the field that says whether the action was right, as in `read_rows`; absent or null where it was not audited.
        alpha: the promised error rate.
        share: the audit share, a number for all or the field that has each row's. With it every row is fed, as x = A e / share;
            without it only the audited ones, as they are.
        reserve: the part of the stakes kept back for later, as in `monitor.start`.

    Raises:
        RowsError: for a file that cannot be used, or a share outside (0, 1]; the message says which row.
    """
    rows = flat_rows(path, (label.partition("=")[0],))
    now, highest = start(alpha, reserve=reserve), 0.0
    alarm: tuple[int, int] | None = None
    for place, row in enumerate(rows, 1):
        right = label_of(row, label, place, labelled=False)
        if share is None and right is None:
            continue
        now = observe(now, right is False, share=1.0 if share is None else _share(row, share, place), drawn=right is not None)
        highest = max(highest, now.log_evidence)
        if now.alarmed and alarm is None:
            alarm = place, now.audits
    highest = math.exp(min(highest, 700.0))
    return Watched(now, len(rows), highest, *(alarm or (None, None)))


def _share(row: Flat | Mapping[str, Any], share: str, place: int) -> float:
    try:
        value: Any = float(share)
    except ValueError:
        value = row.get(share)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    if value is None:
        raise RowsError(f"row {place} has no field {share}; name the audit share as a number, or as the field that holds it")
    raise RowsError(f"the audit share {share} of row {place} is {value!r}; it is above 0 and at most 1")
