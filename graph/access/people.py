"""Who may do what: users, roles, sign-in links, sessions and tokens; names come from here, never from a client.

Passwords are hashed with argon2id (RFC 9106) when the package is there; links, sessions and tokens are random, and stored as
SHA-256 only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Clock
from ..store import users
from ..store.people_models import UserRow
from ..store.session import Store
from .accounts import Accounts
from .attempts import Attempts, Limits
from .passwords import Passwords
from .roles import ROLES, Role, require
from .sessions import LINK, SESSION, Sessions
from .signing_in import SigningIn
from .tokens import ApiTokens

__all__ = ["ROLES", "People", "Role", "User", "require"]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may look or decide."""

    name: str
    tenant: str
    role: str
    active: bool


class People:
    """The users of a desk."""

    def __init__(self, store: Store, clock: Clock, tenant: str = "main", limits: Limits | None = None) -> None:
        self._store = store
        passwords = Passwords()
        self.sessions = Sessions(store, clock)
        self.tokens = ApiTokens(store, clock)
        self.attempts = Attempts(store, clock, limits or Limits())
        self.signing_in = SigningIn(store, clock, tenant, self.attempts, passwords)
        self._accounts = Accounts(store, clock, passwords)

    async def add(
        self, name: str, password: str | None = None, role: Role = "operator", tenant: str = "main", by: str = ""
    ) -> User:
        """Add a user; with `by` that must be an admin, and the user is of the admin's tenant.

        Raises AssentError for a name that is taken or empty, an unknown role or a short password, and NotAllowed.
        """
        return _user(await self._accounts.add(name, password, role, tenant, by))

    async def first_admin(self, name: str, password: str | None = None, tenant: str = "main") -> User:
        """Add an admin where there is none; raises NotAllowed where there is one."""
        return _user(await self._accounts.first_admin(name, password, tenant))

    async def get(self, name: str) -> User | None:
        """Return a user."""
        async with self._store.read() as tx:
            row = await users.get(tx, name)
        return _user(row) if row else None

    async def list(self) -> list[User]:
        """Return all users by name."""
        async with self._store.read() as tx:
            return [_user(row) for row in await users.every(tx)]

    async def set_role(self, name: str, role: Role, actor: str) -> User:
        """Give a user another role and end their sessions; an admin may, and nobody for themselves; the last admin stays one."""
        return _user(await self._accounts.set_role(name, role, actor))

    async def switch(self, name: str, actor: str, *, active: bool) -> User:
        """Switch an account off, which ends its sessions, or on; only an admin may, and the last admin stays on."""
        return _user(await self._accounts.switch(name, actor, active=active))

    async def verify(self, name: str, password: str) -> User | None:
        """Return the user if name and password fit; takes as long when the name is unknown."""
        row = await self.signing_in.verified(name, password)
        return _user(row) if row else None

    async def sign_in(self, name: str, password: str, address: str) -> str | None:
        """Return the secret of a new session if name and password fit; raises Locked after too many failures."""
        return await self.signing_in.with_password(name, password, address)

    async def sign_in_by_link(self, token: str, address: str) -> str | None:
        """Return the secret of a new session for a sign-in link, which ends; raises Locked after too many failures."""
        return await self.signing_in.with_link(token, address)

    async def mint_sign_in(self, name: str) -> str:
        """Return the secret of a sign-in link that works once within ten minutes."""
        return await self.sessions.mint("sign_in", name, LINK)

    async def mint_reset(self, name: str, actor: str) -> str:
        """Void a user's password, end their sessions, and return the secret of a link that sets a new password.

        Only an admin may; the link works once within a day.
        """
        return await self._accounts.mint_reset(name, actor)

    async def mint_first(self, name: str) -> str:
        """Return the secret of a link that sets the first password of a user; raises NotAllowed for one who has a password."""
        return await self._accounts.mint_first(name)

    async def redeem_reset(self, token: str, password: str, address: str) -> User | None:
        """Set a password by a link, which ends, as do all sessions; None if the link is unknown, used or too old.

        Raises AssentError for a password that will not do, which leaves the link, and Locked.
        """
        row = await self.signing_in.counted(address, "reset", lambda: self._accounts.redeem_reset(token, password))
        return _user(row) if row else None

    async def change_password(self, name: str, old: str, new: str, address: str) -> bool:
        """Set a user's own password and end all their sessions; False if `old` does not fit; raises Locked, AssentError."""
        if await self.signing_in.checked(name, old, address) is None:
            return False
        await self._accounts.change_password(name, new)
        return True

    async def unlock(self, name: str, actor: str) -> bool:
        """Let a name try to sign in at once; only an admin may; False where nothing was counted."""
        return await self.attempts.unlock(name, actor)

    async def open_session(self, name: str) -> str:
        """Return the secret of a new session, good for twelve hours."""
        return await self.sessions.mint("session", name, SESSION)

    async def session(self, token: str) -> User | None:
        """Return the user of a session that is open."""
        found = await self.sessions.find(token)
        return _user(found.user) if found else None

    async def close_session(self, token: str) -> None:
        """End a session."""
        await self.sessions.close(token)

    async def end_sessions(self, name: str, actor: str) -> int:
        """End all sessions of a user, who may do it for themselves, or an admin; returns how many."""
        return await self._accounts.end_sessions(name, actor)


def _user(row: UserRow) -> User:
    return User(row.name, row.tenant, row.role, row.active)
