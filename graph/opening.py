"""Opening a desk: the database is brought up to date, the checkpointer reads plain types only, nothing happens before."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from .clock import Clock, utc_now

if TYPE_CHECKING:
    from .audit.heads import Signing
    from .authority.limits import Limits
    from .autonomy.learner import Learning
    from .control.notices import Notifier
    from .desk import Desk


@asynccontextmanager
async def open_desk(
    url: str,
    *,
    tenant: str = "main",
    clock: Clock = utc_now,
    limits: Limits | None = None,
    notifier: Notifier | None = None,
    signing: Signing | None = None,
    learning: Learning | None = None,
) -> AsyncIterator[Desk]:
    """Open a desk on a database, making or upgrading its tables; raises StoreError, SchemaTooNew.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.
        tenant: whose work this is; every query carries it.
        clock: where the time comes from.
        limits: how much may wait, of one message, thread or requester and at all; more is not accepted.
        notifier: what sends notices; default is the webhook that ASSENT_WEBHOOK_URL and ASSENT_WEBHOOK_SECRET name, else the log.
        signing: where heads of the audit log are signed; default is what ASSENT_AUDIT_KEY and ASSENT_AUDIT_HEADS name.
        learning: what counts audits and offers certificates beside the desk; `assent.open` brings `assent.evals.learner.Learner`
            unless told None. Without one nothing earns autonomy.
    """
    from . import crashpoints
    from .audit.heads import signing_of
    from .checkpoints import checkpointer
    from .control.notifying import notifier_of
    from .desk import Desk
    from .store.migrate import upgrade
    from .store.session import Store

    crashpoints.arm()
    store = Store(url)
    try:
        await upgrade(store.url)
        async with checkpointer(store) as saver:
            told, signed = notifier or notifier_of(os.environ, clock), signing or signing_of(os.environ)
            desk = Desk(store, saver, clock, tenant, limits, told, signed, learning)
            try:
                yield desk
            finally:
                await desk.close()
    finally:
        await store.close()
