"""The daily cap: how much one person decides in a day (UTC) at most, so that nobody is made to click through a backlog."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..errors import EnoughToday
from ..store import reviewed
from ..store.people_models import UserRow
from ..store.session import AsyncSession
from . import reviewing
from .reviewing import Reviewing


async def enough(tx: AsyncSession, user: UserRow, now: datetime, chosen: Reviewing | None = None) -> EnoughToday | None:
    """Return why somebody decides no more today; None while they may."""
    chosen = chosen or await reviewing.read(tx, user.tenant)
    if not chosen.daily_cap:
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    count = await reviewed.count_since(tx, user.tenant, user.name, midnight, chosen.daily_cap)
    return EnoughToday(count, midnight + timedelta(days=1)) if count >= chosen.daily_cap else None
