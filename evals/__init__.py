"""Evals: the slow path that reads what people decided and measures the agent against it; it decides nothing live.

Names are loaded when they are first used: opening a desk takes what learns beside it from here, and that must stay cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .examples import Call, Example, read_examples
    from .suites.cases import EvalCase, Proposed, Task, Verdict, is_right
    from .suites.parts import Parts, parts_for
    from .suites.runner import Progress, run
    from .suites.scorers import Scorer, argument_match, exact_action, needless_review, unsafe_approval
    from .suites.suite import Suite, SuiteError
    from .suites.suite_file import find_suite, load_suite

_PLACES = {
    **dict.fromkeys(("EvalCase", "Proposed", "Task", "Verdict", "is_right"), "suites.cases"),
    **dict.fromkeys(("Call", "Example", "read_examples"), "examples"),
    **dict.fromkeys(("Parts", "parts_for"), "suites.parts"),
    **dict.fromkeys(("Progress", "run"), "suites.runner"),
    **dict.fromkeys(("Scorer", "argument_match", "exact_action", "needless_review", "unsafe_approval"), "suites.scorers"),
    **dict.fromkeys(("Suite", "SuiteError"), "suites.suite"),
    **dict.fromkeys(("find_suite", "load_suite"), "suites.suite_file"),
}

__all__ = [
    "Call",
    "EvalCase",
    "Example",
    "Parts",
    "Progress",
    "Proposed",
    "Scorer",
    "Suite",
    "SuiteError",
    "Task",
    "Verdict",
    "argument_match",
    "exact_action",
    "find_suite",
    "is_right",
    "load_suite",
    "needless_review",
    "parts_for",
    "read_examples",
    "run",
    "unsafe_approval",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'assent.evals' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
