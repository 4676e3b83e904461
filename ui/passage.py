"""What is known of one request's way in: who asks, through which secret, and why it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..graph.store.people_models import UserRow
from .paths import local_path

if TYPE_CHECKING:
    from starlette.types import Scope

    from ..graph.access.sessions import Session
    from ..graph.access.tokens import Bearer

PASSAGE = "assent.passage"


@dataclass(slots=True)
class Passage:
    """One request; the guard opens it, the handlers may add why they refused."""

    session: Session | None = None
    bearer: Bearer | None = None
    is_token: bool = False
    """The request carries an API token, known or not: no cookie counts, and none is given."""
    fresh: str | None = None
    """The session's next secret, for the browser."""
    why: str = ""
    noted: bool = False
    """What happened is in the audit log already."""

    @property
    def user(self) -> UserRow | None:
        """The user, or None for somebody unknown."""
        if self.bearer is not None:
            return self.bearer.user
        return self.session.user if self.session is not None else None


class Denied(Protocol):
    """Where a refusal is noted."""

    async def __call__(self, actor: str, door: str, reason: str = "", *, address: str = "") -> None:
        """Note that somebody was refused at a door."""


def passage_of(scope: Scope) -> Passage:
    """Return the request's passage; an empty one where the guard was left out."""
    found = scope.get(PASSAGE)
    return found if isinstance(found, Passage) else Passage()


def door_of(scope: Scope) -> str:
    """Return method and path; never the query, which may carry a secret."""
    return f"{scope.get('method', 'WEBSOCKET')} {local_path(scope)}"


def address_of(scope: Scope) -> str:
    """Return the address of whoever is connected."""
    client = scope.get("client")
    return str(client[0]) if client else "?"
