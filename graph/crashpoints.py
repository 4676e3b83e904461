"""Named points at which a process can be made to die, so that tests see what the next one finds; off unless asked for.

`ASSENT_CRASH_AT=after-claim` kills the process the first time it gets there, `after-claim:3` the third time. Nobody sets it by
accident, and whoever can set a server's environment can end the server anyway; an opened desk says aloud that it is set.
"""

from __future__ import annotations

import logging
import os
import signal

from .errors import AssentError

POINTS = (
    "after-propose",
    "after-record",
    "before-interrupt",
    "inside-decide",
    "after-quorum-partial",
    "after-decide-commit",
    "after-wake-taken",
    "before-claim",
    "after-claim",
    "before-effect",
    "after-effect",
    "after-finish",
    "after-undo-claim",
    "after-undo-effect",
    "before-checkpoint",
    "before-wake-done",
    "after-wake-done",
    "before-seal",
    "after-seal",
)
"""In the order in which a case passes them; `before-seal` and `after-seal` are inside every transaction that notes an event."""

VARIABLE = "ASSENT_CRASH_AT"

log = logging.getLogger("assent")

_armed: str | None = None
_left = 0


def reach(point: str) -> None:
    """Die here, as the kernel would end us, if this point is armed; otherwise do nothing."""
    if _armed is not None and point == _armed:
        _count_down()


def arm(wanted: str | None = None) -> None:
    """Arm the point that the environment names, or the one given; raises AssentError for one that does not exist."""
    global _armed, _left
    wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
    point, _, times = wanted.partition(":")
    if point and (point not in POINTS or not (times or "1").isdecimal() or int(times or 1) < 1):
        raise AssentError(f"There is no crash point {wanted!r} for {VARIABLE}; there are: {', '.join(POINTS)}.")
    _armed, _left = point or None, int(times or 1)
    if point:
        log.warning("this process will kill itself at %s: %s is set", wanted, VARIABLE)


def _count_down() -> None:
    global _left
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
