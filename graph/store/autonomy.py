"""What classes of actions may do, in rows; changed by compare-and-set on the version, so that two changes never mix."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from .autonomy_models import AutonomyRow, CertificateRow, LevelChangeRow
from .inserting import add_or_leave


async def get(tx: AsyncSession, tenant: str, agent: str, tool: str) -> AutonomyRow | None:
    """Return what a class may do; None for one that is supervised because nobody ever said otherwise."""
    return (await tx.exec(_class(tenant, agent, tool))).first()


async def shared(tx: AsyncSession, tenant: str, agent: str, tool: str) -> AutonomyRow | None:
    """Return what a class may do, which no other transaction changes, or says for the first time, until this one ends."""
    query = _class(tenant, agent, tool).with_for_update(read=True)
    found = (await tx.exec(query)).first()
    if found is None and await _fixed(tx, "pg_advisory_xact_lock_shared", tenant, agent, tool):
        found = (await tx.exec(query)).first()
    return found


async def locked(tx: AsyncSession, tenant: str, agent: str, tool: str) -> AutonomyRow | None:
    """Return what a class may do, to be changed in this transaction alone."""
    return (await tx.exec(_class(tenant, agent, tool).with_for_update())).first()


async def _fixed(tx: AsyncSession, function: str, tenant: str, agent: str, tool: str) -> bool:
    """Hold a class without a row as it is until this transaction ends, or wait until nobody does; SQLite has one writer anyway."""
    if tx.get_bind().dialect.name != "postgresql":
        return False
    named = "\0".join(("assent class", tenant, agent, tool)).encode()
    key = int.from_bytes(hashlib.sha256(named).digest()[:8], signed=True)
    await tx.exec(sa.text(f"SELECT {function}(:key)").bindparams(key=key))  # type: ignore[call-overload]  # S608: two constants
    return True


def _class(tenant: str, agent: str, tool: str) -> SelectOfScalar[AutonomyRow]:
    query = select(AutonomyRow).where(AutonomyRow.tenant == tenant, AutonomyRow.agent == agent, AutonomyRow.tool == tool)
    return query.execution_options(populate_existing=True)


async def every(tx: AsyncSession, tenant: str) -> Sequence[AutonomyRow]:
    """Return all classes of a tenant that have a row."""
    query = select(AutonomyRow).where(AutonomyRow.tenant == tenant)
    return (await tx.exec(query.order_by(col(AutonomyRow.agent), col(AutonomyRow.tool)))).all()


async def change(tx: AsyncSession, row: AutonomyRow, **values: Any) -> bool:
    """Compare-and-set fields of a class at its version, adding the row if there is none; False if somebody was faster."""
    fields = {**row.model_dump(), **values, "version": row.version + 1}
    mine = sa.and_(
        col(AutonomyRow.tenant) == row.tenant,
        col(AutonomyRow.agent) == row.agent,
        col(AutonomyRow.tool) == row.tool,
        col(AutonomyRow.version) == row.version,
    )
    changed = await tx.exec(sa.update(AutonomyRow).where(mine).values(**fields).execution_options(synchronize_session=False))
    if int(changed.rowcount) == 1:
        return True
    if row.version != 0:
        return False
    await _fixed(tx, "pg_advisory_xact_lock", row.tenant, row.agent, row.tool)
    added = await tx.exec(add_or_leave(tx, AutonomyRow).values(**fields).returning(col(AutonomyRow.tool)))
    return added.first() is not None


async def watched(tx: AsyncSession, row: AutonomyRow, monitor: dict[str, Any]) -> None:
    """Write down what the monitor has gathered; the caller has locked the class. It changes nothing that an action depends on."""
    mine = (col(AutonomyRow.tenant) == row.tenant, col(AutonomyRow.agent) == row.agent, col(AutonomyRow.tool) == row.tool)
    await tx.exec(sa.update(AutonomyRow).where(*mine).values(monitor=monitor).execution_options(synchronize_session=False))


async def watch(tx: AsyncSession, row: AutonomyRow, until: datetime | None) -> bool:
    """Set until when a class is watched; False if somebody has changed the class since the row was read.

    The version stays: a signature does not depend on it, and what takes a class down sets it to null with a version of its own.
    """
    mine = (col(AutonomyRow.tenant) == row.tenant, col(AutonomyRow.agent) == row.agent, col(AutonomyRow.tool) == row.tool)
    changed = sa.update(AutonomyRow).where(*mine, col(AutonomyRow.version) == row.version).values(watched_until=until)
    return int((await tx.exec(changed.execution_options(synchronize_session=False))).rowcount) == 1


async def add_certificate(tx: AsyncSession, row: CertificateRow) -> None:
    """Add a certificate."""
    tx.add(row)
    await tx.flush()


async def certificate(tx: AsyncSession, tenant: str, certificate: str) -> CertificateRow | None:
    """Return one certificate of a tenant."""
    query = select(CertificateRow).where(CertificateRow.tenant == tenant, CertificateRow.id == certificate)
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def certificates(tx: AsyncSession, tenant: str, agent: str, tool: str, limit: int = 20) -> Sequence[CertificateRow]:
    """Return the certificates of a class, newest first."""
    query = select(CertificateRow).where(
        CertificateRow.tenant == tenant, CertificateRow.agent == agent, CertificateRow.tool == tool
    )
    return (await tx.exec(query.order_by(sa.desc(col(CertificateRow.created_at))).limit(limit))).all()


async def turn_certificate(tx: AsyncSession, row: CertificateRow, old: str, new: str, **values: Any) -> bool:
    """Compare-and-set the status of a certificate; False if somebody was faster."""
    mine = sa.and_(col(CertificateRow.id) == row.id, col(CertificateRow.status) == old)
    changed = sa.update(CertificateRow).where(mine).values(status=new, **values)
    return int((await tx.exec(changed.execution_options(synchronize_session=False))).rowcount) == 1


async def add_change(tx: AsyncSession, row: LevelChangeRow) -> None:
    """Add a change of level."""
    tx.add(row)
    await tx.flush()


async def changes(tx: AsyncSession, tenant: str, agent: str, tool: str, limit: int = 50) -> Sequence[LevelChangeRow]:
    """Return how a class came to its level, newest first."""
    query = select(LevelChangeRow).where(
        LevelChangeRow.tenant == tenant, LevelChangeRow.agent == agent, LevelChangeRow.tool == tool
    )
    return (await tx.exec(query.order_by(sa.desc(col(LevelChangeRow.sequence))).limit(limit))).all()
