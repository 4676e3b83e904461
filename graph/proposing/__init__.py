"""How a model proposes an action, whatever it can do; it never decides whether the action may run."""

from .grounding import grounded
from .legality import legal_problem, with_defaults
from .native import native
from .step import Offer, Precedent, Proposer, Step
from .structured import structured
from .union import FINISH, action_schema
from .visible import visible
from .weighing import OptionScorer, remembered, weighed

__all__ = [
    "FINISH",
    "Offer",
    "OptionScorer",
    "Precedent",
    "Proposer",
    "Step",
    "action_schema",
    "grounded",
    "legal_problem",
    "native",
    "remembered",
    "structured",
    "visible",
    "weighed",
    "with_defaults",
]
