"""Opening a desk that learns: the graph's own opening, with the learner of this package beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..graph.clock import Clock, utc_now
from ..graph.opening import open_desk as open_plain

if TYPE_CHECKING:
    from ..graph.audit.heads import Signing
    from ..graph.authority.limits import Limits
    from ..graph.autonomy.learner import Learning
    from ..graph.control.notices import Notifier
    from ..graph.desk import Desk


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
        learning: what counts audits and offers certificates beside the desk; default `assent.evals.learner.Learner`.
    """
    if learning is None:
        from .learner import Learner

        learning = Learner
    options = {"tenant": tenant, "clock": clock, "limits": limits, "notifier": notifier, "signing": signing}
    async with open_plain(url, learning=learning, **options) as desk:  # type: ignore[arg-type]
        yield desk
