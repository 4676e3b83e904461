"""Threads as a signed-in user may open them; refuses other people's threads and requesters the deployment did not name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import BadThreadName, UnknownRequester
from .settings import Requester, UiSettings
from .wire import as_json

if TYPE_CHECKING:
    from ..graph.desk import Desk

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


@dataclass(frozen=True, slots=True)
class Conversations:
    """The chat side of the desk; every thread is named after its user, so nobody can name somebody else's."""

    desk: Desk
    settings: UiSettings

    async def requesters(self) -> Sequence[Requester]:
        """Return the customers this deployment lets the playground speak as."""
        found = self.settings.requesters()
        return await found if inspect.isawaitable(found) else found

    async def send(self, user: str, name: str, text: str, requester: str | None = None) -> dict[str, Any]:
        """Say something in the user's own thread, as the user or as a named customer."""
        speaker = user if requester is None else await self._named(requester)
        sent = await self.desk.send(thread_of(user, name), text, requester=speaker)
        return {"thread": name, **as_json(sent)}

    async def read(self, user: str, name: str) -> dict[str, Any]:
        """Return what was said in the user's own thread and what waits in it."""
        conversation = as_json(await self.desk.conversation(thread_of(user, name)))
        return {**conversation, "thread": name}

    async def _named(self, requester: str) -> str:
        if requester not in {known.id for known in await self.requesters()}:
            raise UnknownRequester
        return requester


def thread_of(user: str, name: str) -> str:
    """Return the desk's thread for a name the user chose."""
    if not _NAME.fullmatch(name):
        raise BadThreadName
    return f"{user}/{name}"
