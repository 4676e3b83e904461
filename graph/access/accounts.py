"""Accounts: the first admin, new users, roles, switching off, passwords; each change ends the sessions it concerns.

An admin is needed for all of it, except for the first admin where there is none; nobody changes their own role, and the last admin
stays one.
"""

from __future__ import annotations

from datetime import timedelta

from ..audit import records
from ..clock import Clock
from ..errors import AssentError, NotAllowed
from ..store import users
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from .passwords import Passwords
from .roles import ROLES, Role, require
from .sessions import RESET, end_all, minted, redeemed

NAME = 64


class Accounts:
    """The accounts of a desk."""

    def __init__(self, store: Store, clock: Clock, passwords: Passwords) -> None:
        self._store, self._clock, self._passwords = store, clock, passwords

    async def add(self, name: str, password: str | None, role: Role, tenant: str, by: str) -> UserRow:
        """Add a user; see `People.add`."""
        checked(name, role)
        hashed = await self._passwords.hashed(password) if password else None
        async with self._store.begin() as tx:
            if by:
                tenant = (await require(tx, by, "admin")).tenant
            return await self._added(tx, name, hashed, role, tenant, by or name)

    async def first_admin(self, name: str, password: str | None, tenant: str) -> UserRow:
        """Add an admin where there is none; see `People.first_admin`."""
        checked(name, "admin")
        hashed = await self._passwords.hashed(password) if password else None
        async with self._store.begin() as tx:
            known = await users.admins(tx, tenant, self._clock())
            if known:
                raise NotAllowed(f"There is an admin already ({known[0]}), who adds users with `assent users add`.")
            return await self._added(tx, name, hashed, "admin", tenant, name)

    async def set_role(self, name: str, role: Role, actor: str) -> UserRow:
        """Give a user another role; see `People.set_role`."""
        checked(name, role)
        async with self._store.begin() as tx:
            row = await self._governed(tx, name, actor)
            if name == actor:
                raise NotAllowed("Nobody changes their own role; ask another admin.")
            if row.role == role:
                return row
            await self._keep_an_admin(tx, row, removing=row.role == "admin")
            now = self._clock()
            records.about(tx, row.tenant, now, "user.role", actor, name, {"from": row.role, "to": role})
            await end_all(tx, row, now, actor, "role")
            row.role = role
            await users.put(tx, row)
        return row

    async def switch(self, name: str, actor: str, *, active: bool) -> UserRow:
        """Switch an account off or on; see `People.switch`."""
        async with self._store.begin() as tx:
            row = await self._governed(tx, name, actor)
            await self._keep_an_admin(tx, row, removing=row.role == "admin" and not active)
            now = self._clock()
            records.about(tx, row.tenant, now, "user.on" if active else "user.off", actor, name)
            if not active:
                await end_all(tx, row, now, actor, "switched off")
            row.active = active
            await users.put(tx, row)
        return row

    async def mint_reset(self, name: str, actor: str) -> str:
        """Void a password and return the secret of a link that sets a new one; see `People.mint_reset`."""
        async with self._store.begin() as tx:
            row, now = await self._governed(tx, name, actor), self._clock()
            await end_all(tx, row, now, actor, "reset")
            row.password_hash = None
            await users.put(tx, row)
            records.about(tx, row.tenant, now, "user.reset", actor, name)
            return await minted(tx, now, "reset", name, RESET)

    async def mint_first(self, name: str, life: timedelta = RESET) -> str:
        """Return the secret of a link that sets the password of a user who has none yet; raises NotAllowed otherwise."""
        async with self._store.begin() as tx:
            row = await users.get(tx, name, lock=True)
            if row is None or row.password_hash is not None:
                raise NotAllowed(f"{name!r} is unknown or has a password; an admin resets it with `assent users reset`.")
            return await minted(tx, self._clock(), "reset", name, life)

    async def redeem_reset(self, token: str, password: str) -> UserRow | None:
        """Set a password by a link; see `People.redeem_reset`."""
        hashed = await self._passwords.hashed(password)
        async with self._store.begin() as tx:
            now = self._clock()
            row = await redeemed(tx, now, token, "reset")
            return await self._with_password(tx, row, hashed) if row is not None else None

    async def change_password(self, name: str, password: str) -> UserRow:
        """Set a user's own password after the old one was shown to fit; ends all sessions."""
        hashed = await self._passwords.hashed(password)
        async with self._store.begin() as tx:
            row = await users.get(tx, name, lock=True)
            if row is None or not row.active:
                raise NotAllowed
            return await self._with_password(tx, row, hashed)

    async def end_sessions(self, name: str, actor: str) -> int:
        """End all sessions of a user; see `People.end_sessions`."""
        async with self._store.begin() as tx:
            one = await require(tx, actor, "viewer" if actor == name else "admin")
            row = await _of_tenant(tx, name, one)
            return await end_all(tx, row, self._clock(), actor, "ended")

    async def _with_password(self, tx: AsyncSession, row: UserRow, hashed: str) -> UserRow:
        now = self._clock()
        await end_all(tx, row, now, row.name, "password")
        row.password_hash = hashed
        await users.put(tx, row)
        records.about(tx, row.tenant, now, "user.password", row.name, row.name)
        return row

    async def _added(self, tx: AsyncSession, name: str, hashed: str | None, role: Role, tenant: str, by: str) -> UserRow:
        row = UserRow(name=name, tenant=tenant, role=role, password_hash=hashed, created_at=self._clock())
        if not await users.add(tx, row):
            raise AssentError(f"There is a user {name!r} already.")
        records.about(tx, tenant, self._clock(), "user.added", by, name, {"role": role})
        return row

    async def _governed(self, tx: AsyncSession, name: str, actor: str) -> UserRow:
        """Return the row of whom an admin changes, held until the transaction ends; who is an admin stays so meanwhile."""
        one = await require(tx, actor, "admin")
        await users.admins(tx, one.tenant, self._clock())
        await require(tx, (await _held(tx, actor)).name, "admin")
        return await _of_tenant(tx, name, one, lock=True)

    async def _keep_an_admin(self, tx: AsyncSession, row: UserRow, *, removing: bool) -> None:
        if removing and await users.admins(tx, row.tenant, self._clock()) == [row.name]:
            raise NotAllowed(f"{row.name!r} is the last admin; make another one first.")


def checked(name: str, role: str) -> None:
    """Raise AssentError for a name nobody can read and a role nobody knows."""
    if not name.strip() or len(name) > NAME or not name.isprintable():
        raise AssentError(f"A user's name has 1 to {NAME} printable characters.")
    if role not in ROLES:
        raise AssentError(f"A role is one of {', '.join(ROLES)}, not {role!r}.")


async def _held(tx: AsyncSession, name: str) -> UserRow:
    row = await users.get(tx, name, lock=True)
    if row is None:
        raise NotAllowed
    return row


async def _of_tenant(tx: AsyncSession, name: str, admin: UserRow, *, lock: bool = False) -> UserRow:
    row = await users.get(tx, name, lock=lock)
    if row is None or row.tenant != admin.tenant:
        raise AssentError(f"There is no user {name!r}.")
    return row
