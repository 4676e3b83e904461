"""Evals: the slow path that reads what people decided and measures the agent against it; it decides nothing live."""

from .cases import EvalCase, Proposed, Task, Verdict, is_right
from .examples import Call, Example, read_examples
from .parts import Parts, parts_for
from .runner import Progress, run
from .scorers import Scorer, argument_match, exact_action, needless_review, unsafe_approval
from .suite import Suite, SuiteError
from .suite_file import find_suite, load_suite

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
