"""Measured hints that an action is right; a signal measures and records, and never decides."""

from .agreement import agreement, same_action
from .neighbours import precedent
from .option import option_probability
from .reading import JSON, Reading, Signal
from .self_assessment import self_assessment

__all__ = [
    "JSON",
    "Reading",
    "Signal",
    "agreement",
    "option_probability",
    "precedent",
    "same_action",
    "self_assessment",
]
