"""The audit draw: a number from a logged seed and the action's id, known before the outcome and checkable by anybody after."""

from __future__ import annotations

from ..canonical import digest_of

_BITS = 52


def draw(seed: str, action: str) -> float:
    """Return the action's draw, uniform in [0, 1): the first 52 bits of SHA-256 over seed and action id.

    An action is audited when its draw is below the share in force, so a lower share audits a subset of what a higher one would.
    """
    return int(digest_of("audit draw", seed, action)[: _BITS // 4], 16) / (1 << _BITS)
