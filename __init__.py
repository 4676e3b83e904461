"""Assent: agents act, and every consequential action waits for assent, a person's or a proof that the agent has earned it.

Names are loaded when they are first used, so that importing `assent` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evals.opening import open_desk as open
    from .graph import signals
    from .graph.authority.decisions import Approve, Edit, Reject, Respond
    from .graph.confidence import agreement, precedent, self_assessment
    from .graph.desk import Desk
    from .graph.errors import AssentError
    from .graph.proposing import native, structured
    from .graph.rules.policy import Policy, Ruling, on
    from .graph.rules.policy_file import load_policy
    from .graph.rules.terms import Terms
    from .tools.declaration import ActionRefused, Case, OutcomeUnknown, action

__version__ = "0.1.0"

_PLACES = {
    "ActionRefused": ("tools.declaration", "ActionRefused"),
    "Approve": ("graph.authority.decisions", "Approve"),
    "AssentError": ("graph.errors", "AssentError"),
    "Case": ("tools.declaration", "Case"),
    "Desk": ("graph.desk", "Desk"),
    "Edit": ("graph.authority.decisions", "Edit"),
    "OutcomeUnknown": ("tools.declaration", "OutcomeUnknown"),
    "Policy": ("graph.rules.policy", "Policy"),
    "Reject": ("graph.authority.decisions", "Reject"),
    "Respond": ("graph.authority.decisions", "Respond"),
    "Ruling": ("graph.rules.policy", "Ruling"),
    "Terms": ("graph.rules.terms", "Terms"),
    "action": ("tools.declaration", "action"),
    "agreement": ("graph.confidence", "agreement"),
    "load_policy": ("graph.rules.policy_file", "load_policy"),
    "native": ("graph.proposing", "native"),
    "on": ("graph.rules.policy", "on"),
    "open": ("evals.opening", "open_desk"),
    "precedent": ("graph.confidence", "precedent"),
    "self_assessment": ("graph.confidence", "self_assessment"),
    "signals": ("graph.signals", ""),
    "structured": ("graph.proposing", "structured"),
}

__all__ = [  # noqa: RUF022 - in the order in which one meets them
    "open",
    "action",
    "Case",
    "ActionRefused",
    "OutcomeUnknown",
    "Desk",
    "Approve",
    "Edit",
    "Reject",
    "Respond",
    "Policy",
    "Ruling",
    "Terms",
    "on",
    "load_policy",
    "native",
    "structured",
    "agreement",
    "precedent",
    "self_assessment",
    "signals",
    "AssentError",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'assent' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found = importlib.import_module(f".{module}", __name__)
    return getattr(found, attribute) if attribute else found
