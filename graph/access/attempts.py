"""Lockout: failed sign-ins lock a name and an address, longer each time, for all processes together and across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..audit import records
from ..clock import Clock
from ..errors import Locked
from ..store import attempts
from ..store.people_models import AttemptRow
from ..store.session import Store
from .roles import require


@dataclass(frozen=True, slots=True)
class Limits:
    """When a lock falls and how long it holds."""

    tries: int = 5
    """Failures that lock a name."""
    per_address: int = 20
    """An address may fail this many times as often as a name: many people share one."""
    window: timedelta = timedelta(minutes=15)
    """Failures farther apart are not counted together."""
    first: timedelta = timedelta(minutes=1)
    """How long the first lock holds; each further failure doubles it."""
    longest: timedelta = timedelta(hours=1)
    quiet: timedelta = timedelta(days=1)
    """So long after a lock has ended it is forgotten, and the next one is a first one."""


class Attempts:
    """The count of failed sign-ins under one name and from one address."""

    def __init__(self, store: Store, clock: Clock, limits: Limits) -> None:
        self._store, self._clock, self.limits = store, clock, limits

    async def enter(self, name: str | None, address: str) -> datetime | None:
        """Count an attempt as failed before it is made, so that many at once get no more tries than one after the other.

        Returns until when this attempt, if it fails, has locked the name or address; raises Locked while either is.
        """
        async with self._store.read() as tx:
            self._refuse(await attempts.seen(tx, self._keys(name, address)))
        async with self._store.begin() as tx:
            now = self._clock()
            rows = [await attempts.locked(tx, AttemptRow(key=key, since=now)) for key in sorted(self._keys(name, address))]
            self._refuse(rows)
            for row in rows:
                self._count(row, now)
                await attempts.put(tx, row)
            return max((row.locked_until for row in rows if row.locked_until is not None), default=None)

    async def succeeded(self, name: str | None, address: str) -> None:
        """Forget the failures of a name, and the attempt that succeeded of its address: others' failures there stay."""
        async with self._store.begin() as tx:
            if name is not None:
                await attempts.forget(tx, _name(name))
            row = await attempts.locked(tx, AttemptRow(key=_address(address), since=self._clock()))
            row.failures = max(0, row.failures - 1)
            if row.failures < self._allowed(row.key):
                row.locked_until = None
            await attempts.put(tx, row)
            await attempts.prune(tx, self._clock() - 2 * self.limits.quiet)

    async def unlock(self, name: str, actor: str) -> bool:
        """Let a name try again at once; only an admin may; False where nothing was counted."""
        async with self._store.begin() as tx:
            admin = await require(tx, actor, "admin")
            forgotten = await attempts.forget(tx, _name(name))
            if forgotten:
                records.about(tx, admin.tenant, self._clock(), "user.unlocked", actor, name)
            return forgotten

    def _keys(self, name: str | None, address: str) -> list[str]:
        return [_address(address), *([_name(name)] if name is not None else [])]

    def _refuse(self, rows: Sequence[AttemptRow]) -> None:
        until = max((row.locked_until for row in rows if row.locked_until is not None), default=None)
        if until is not None and until > self._clock():
            raise Locked(until, until - self._clock())

    def _count(self, row: AttemptRow, now: datetime) -> None:
        last = row.locked_until
        stale = now - last > self.limits.quiet if last is not None else now - row.since > self.limits.window
        if stale:
            row.failures, row.since, row.locked_until = 0, now, None
        row.failures += 1
        beyond = row.failures - self._allowed(row.key)
        if beyond >= 0:
            row.locked_until = now + min(self.limits.longest, self.limits.first * 2 ** min(beyond, 20))

    def _allowed(self, key: str) -> int:
        return self.limits.tries * (1 if key.startswith("name ") else self.limits.per_address)


def _name(name: str) -> str:
    return f"name {name}"


def _address(address: str) -> str:
    return f"address {address}"
