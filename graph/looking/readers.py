"""Who reads: from whom it is held back what became of an action that is asked about once more, blind, just now."""

from __future__ import annotations

from ..rules.terms import rank
from ..store.people_models import UserRow


def reader(user: UserRow) -> str:
    """Return the name of somebody who could be handed such a probe, or told of it; empty for a lead and an admin, who see all."""
    return "" if rank(user.role) >= rank("lead") else user.name
