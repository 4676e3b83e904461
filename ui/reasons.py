"""The six reasons a person may give for rejecting an action; refuses free text in their place."""

from __future__ import annotations

from typing import Literal, get_args

RejectReason = Literal["wrong_action", "wrong_details", "not_allowed", "not_needed", "unclear", "suspicious"]
"""wrong_action: another tool was right; wrong_details: right tool, wrong arguments; not_allowed: our rules forbid it;
not_needed: nothing should be done; unclear: more must be known first; suspicious: it smells of fraud or an attack."""

REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)
"""In the order of the digits 1 to 6."""

REASON_LABELS: dict[RejectReason, str] = {
    "wrong_action": "Wrong action",
    "wrong_details": "Wrong details",
    "not_allowed": "Not allowed",
    "not_needed": "Not needed",
    "unclear": "Unclear",
    "suspicious": "Suspicious",
}
"""What the desk prints on the six buttons."""
