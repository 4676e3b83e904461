"""Opening a desk that learns: the graph's own opening, with the learner of this package beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from ..graph.opening import open_desk as open_plain

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ..graph.desk import Desk

P = ParamSpec("P")


def _learns(opening: Callable[P, AbstractAsyncContextManager[Desk]]) -> Callable[P, AbstractAsyncContextManager[Desk]]:
    """Return the opening with the same arguments, where nobody said otherwise with the learner; its code is read only then."""

    @wraps(opening)
    def opened(*args: P.args, **options: P.kwargs) -> AbstractAsyncContextManager[Desk]:
        from .learner import Learner

        options.setdefault("learning", Learner)
        return opening(*args, **options)

    return opened


open_desk = _learns(open_plain)
