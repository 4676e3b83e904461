"""Policy flags: which checks spoke about an action, recorded like a reading; a rule is never outvoted, so it never gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..autonomy.scoring import FLAGS, spoken
from .reading import Reading


def policy_flags(reasons: Sequence[Mapping[str, Any]]) -> Reading:
    """Return the reading of the checks that spoke, with their rulings, from an action's reasons; it has no value.

    As features each is an indicator of its own (`autonomy.scoring.features_of`). The words of a reason are not repeated.
    """
    flags = [{"check": reason["check"], "ruling": reason["ruling"]} for reason in spoken(reasons)]
    return Reading(FLAGS, None, {"flags": flags}, 0.0, 0, gates=False)
