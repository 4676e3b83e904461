"""Settings of a tenant and last known versions of things; changed by compare-and-set, so that a change is told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from .control_models import SettingRow
from .inserting import add_or_leave


async def get(tx: AsyncSession, tenant: str, name: str) -> dict[str, Any] | None:
    """Return a setting's value."""
    row = await tx.get(SettingRow, (tenant, name), populate_existing=True)
    return row.value if row is not None else None


async def locked(tx: AsyncSession, tenant: str, name: str) -> dict[str, Any] | None:
    """Return a setting's value, to be changed in this transaction alone."""
    query = select(SettingRow).where(SettingRow.tenant == tenant, SettingRow.name == name).with_for_update()
    row = (await tx.exec(query.execution_options(populate_existing=True))).first()
    return row.value if row is not None else None


async def several(tx: AsyncSession, tenant: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the values of those settings that are there, by name."""
    query = select(SettingRow).where(SettingRow.tenant == tenant, col(SettingRow.name).in_(names))
    return {row.name: row.value for row in (await tx.exec(query.execution_options(populate_existing=True))).all()}


async def put(tx: AsyncSession, tenant: str, name: str, value: dict[str, Any], at: datetime) -> None:
    """Set a setting's value."""
    await swap(tx, tenant, name, value, at)


async def swap(tx: AsyncSession, tenant: str, name: str, value: dict[str, Any], at: datetime) -> tuple[bool, dict[str, Any] | None]:
    """Set a setting; returns whether this call changed it, and its value before."""
    before = await get(tx, tenant, name)
    if before == value:
        return False, before
    fields = {"tenant": tenant, "name": name, "value": value, "at": at}
    if before is None:
        added = await tx.exec(add_or_leave(tx, SettingRow).values(**fields).returning(col(SettingRow.name)))
        return added.first() is not None, None
    mine = sa.and_(col(SettingRow.tenant) == tenant, col(SettingRow.name) == name, col(SettingRow.value) == before)
    changed = await tx.exec(sa.update(SettingRow).where(mine).values(value=value, at=at))
    return int(changed.rowcount) == 1, before
