"""Users; who is an admin changes one transaction after the other, so that a tenant never loses its last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import SettingRow
from .inserting import add_or_leave
from .people_models import UserRow

ADMINS = "admins"


async def get(tx: AsyncSession, name: str, *, lock: bool = False) -> UserRow | None:
    """Return a user; with `lock` nobody else changes the row until the transaction ends."""
    if not lock:
        return await tx.get(UserRow, name)
    query = select(UserRow).where(UserRow.name == name).with_for_update().execution_options(populate_existing=True)
    return (await tx.exec(query)).first()


async def add(tx: AsyncSession, row: UserRow) -> bool:
    """Add a user; False where there is one of that name, also one that is being added just now."""
    values = {name: getattr(row, name) for name in UserRow.model_fields}
    added = await tx.exec(add_or_leave(tx, UserRow).values(**values).returning(col(UserRow.name)))
    return added.first() is not None


async def several(tx: AsyncSession, names: Iterable[str]) -> dict[str, UserRow]:
    """Return the users of these names, by name, as they are now."""
    wanted = list(names)
    if not wanted:
        return {}
    query = select(UserRow).where(col(UserRow.name).in_(wanted)).execution_options(populate_existing=True)
    return {row.name: row for row in (await tx.exec(query)).all()}


async def put(tx: AsyncSession, row: UserRow) -> None:
    """Add a user or replace the row of that name."""
    await tx.merge(row)
    await tx.flush()


async def every(tx: AsyncSession) -> Sequence[UserRow]:
    """Return all users by name."""
    return (await tx.exec(select(UserRow).order_by(col(UserRow.name)))).all()


async def overseers(tx: AsyncSession, tenant: str) -> list[str]:
    """Return a tenant's leads and admins whose accounts are on."""
    mine = (UserRow.tenant == tenant, col(UserRow.role).in_(["lead", "admin"]), col(UserRow.active).is_(True))
    return list((await tx.exec(select(UserRow.name).where(*mine))).all())


async def admins(tx: AsyncSession, tenant: str, now: datetime) -> list[str]:
    """Return a tenant's admins whose accounts are on; who else asks waits until this transaction has ended."""
    first = {"tenant": tenant, "name": ADMINS, "value": {}, "at": now}
    await tx.exec(add_or_leave(tx, SettingRow).values(**first))
    await tx.exec(select(SettingRow).where(SettingRow.tenant == tenant, SettingRow.name == ADMINS).with_for_update())
    query = select(UserRow.name).where(UserRow.tenant == tenant, UserRow.role == "admin", col(UserRow.active).is_(True))
    return list((await tx.exec(query)).all())


async def rehash(tx: AsyncSession, name: str, old: str, new: str) -> bool:
    """Replace a password's hash by another one of the same password; False if it has changed meanwhile."""
    mine = sa.and_(col(UserRow.name) == name, col(UserRow.password_hash) == old)
    return int((await tx.exec(sa.update(UserRow).where(mine).values(password_hash=new))).rowcount) == 1
