"""How a model proposes an action, whatever it can do; it never decides whether the action may run."""

from .legality import legal_problem, with_defaults
from .native import native
from .step import Offer, Precedent, Proposer, Step
from .structured import structured
from .union import FINISH, action_schema
from .visible import visible

__all__ = [
    "FINISH",
    "Offer",
    "Precedent",
    "Proposer",
    "Step",
    "action_schema",
    "legal_problem",
    "native",
    "structured",
    "visible",
    "with_defaults",
]
