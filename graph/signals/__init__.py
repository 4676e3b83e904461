"""Measured hints that an action is right; a signal measures and records, and never decides."""

from .agreement import agreement, same_action
from .flags import policy_flags
from .log_probability import log_probability
from .neighbours import precedent
from .option import option_probability
from .reading import JSON, Measured, NamedSignal, Reading, Signal, reading_of
from .self_assessment import self_assessment
from .similar import similar_approved, similar_corrected
from .verbalized import verbalized

__all__ = [
    "JSON",
    "Measured",
    "NamedSignal",
    "Reading",
    "Signal",
    "agreement",
    "log_probability",
    "option_probability",
    "policy_flags",
    "precedent",
    "reading_of",
    "same_action",
    "self_assessment",
    "similar_approved",
    "similar_corrected",
    "verbalized",
]
