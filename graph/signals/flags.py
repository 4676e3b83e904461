"""Policy flags: which checks spoke about an action, recorded like a reading; a rule is never outvoted, so it never gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .reading import Reading

NAME = "policy flags"


def policy_flags(reasons: Sequence[Mapping[str, Any]]) -> Reading:
    """Return the reading of the checks that spoke, with their rulings, from an action's reasons; it has no value.

    Left out is `confidence`, which is no rule. The words of a reason are not repeated.
    """
    flags = [{"check": reason["check"], "ruling": reason["ruling"]} for reason in reasons if reason["check"] != "confidence"]
    return Reading(NAME, None, {"flags": flags}, 0.0, 0, gates=False)
