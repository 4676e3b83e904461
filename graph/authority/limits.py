"""How much may wait, and how the queue stays fair: limits per message, thread and requester; it counts nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

FREE = 5
"""So many waiting actions of one requester keep their full urgency; each further one has half of the one before."""

LEAST = 2.0**-200


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken in; what is beyond goes back to the agent, or to who sent it, with words."""

    calls: int = 20
    """Calls in one message of a model."""
    per_thread: int = 50
    """Actions of one thread that wait for a person."""
    per_requester: int = 200
    """Actions of one requester that wait for a person, over all threads; passed by as many as are recorded at one moment."""
    messages: int = 100
    """Messages of one thread that wait to be delivered."""
    queue: int = 10_000
    """Actions that wait for a person at all."""

    def __post_init__(self) -> None:
        for name in ("calls", "per_thread", "per_requester", "messages", "queue"):
            if getattr(self, name) < (name != "queue"):
                raise ValueError(f"the limit {name!r} must be at least 1, not {getattr(self, name)!r}")

    def crowded(self, of_thread: int, of_requester: int) -> str | None:
        """Say why one more action may not wait; None when it may."""
        if of_thread >= self.per_thread:
            return f"{self.per_thread} actions of this conversation wait for a person already; wait until some are decided."
        if of_requester >= self.per_requester:
            return f"{self.per_requester} actions of this requester wait for a person already; wait until some are decided."
        return None

    def beyond(self, calls: int) -> str:
        """Say that a message had too many calls."""
        return (
            f"A message may have {self.calls} calls, and this one had {calls}; the rest was not looked at. Propose fewer at a time."
        )


def fair(urgency: float, waiting: int) -> float:
    """Return the place in the queue of an action whose requester has `waiting` others there: a flood only holds itself up."""
    return urgency * max(LEAST, 0.5 ** max(0, waiting - FREE + 1))
