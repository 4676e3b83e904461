"""What learns beside a desk, as the desk sees it: told when something was answered, and given a turn now and then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..clock import Clock
    from ..store.session import Store


class Learner(Protocol):
    """Counts what probes measured, and offers certificates; a desk without one never lets anything earn autonomy."""

    async def count(self) -> int:
        """Take in what was answered since; demotes at once where the evidence says so. Returns how many answers it took in."""
        ...

    async def learn(self) -> int:
        """Do what is due of the slow work: certificates, reviewer health, new probes. Returns how many rows it changed."""
        ...


Learning = Callable[["Store", "Clock", str], Learner]
"""Makes the learner of a desk from its store, clock and tenant."""
