"""Roles, and the one question every transaction asks: may this person do that; the answer is read from the row, at that moment."""

from __future__ import annotations

from typing import Literal, get_args

from ..errors import NotAllowed
from ..store import users
from ..store.people_models import UserRow
from ..store.session import AsyncSession

Role = Literal["service", "viewer", "operator", "lead", "admin"]
"""`service` sends messages as requesters and sees no queue; `viewer` looks; `operator` decides and cancels; `lead` also overrules
others' decisions and examples, stops and lifts; `admin` manages users."""

ROLES: tuple[str, ...] = get_args(Role)

SPEAKS = ("service", "operator", "lead", "admin")
"""The roles that may send a message in a requester's name; a viewer only looks."""


async def require(tx: AsyncSession, actor: str, role: Role) -> UserRow:
    """Return the actor's row, read in the caller's transaction; raises NotAllowed below `role`."""
    row = await users.get(tx, actor) if actor else None
    if row is None or not row.active:
        raise NotAllowed("You may not do this: the server does not know you, or your account is switched off.")
    if row.role not in ROLES or ROLES.index(row.role) < ROLES.index(role):
        raise NotAllowed(f"You may not do this: it needs the role {role}, and you are {row.role}.")
    return row
