"""An answer that differs from the known one is contested: a lead who is neither of the two is asked, blind, which of them is right.

What somebody rejected before is not wrong because of it. Where one of a hundred rejections of what is right is a mistake and one of
twenty actions is wrong, every sixth past rejection was right as proposed, and whoever approves it would be charged with a miss.
"""

from __future__ import annotations

from datetime import datetime

from ..rules.terms import Terms
from ..store import apart, reviews, users
from ..store.autonomy_models import ProbeRow
from ..store.models import ReviewRow
from ..store.session import AsyncSession
from . import probing

KIND = "settling"

QUESTION = {
    "check": "settling",
    "ruling": "review",
    "text": "Two people judged this action differently: was it right as it was proposed? Nothing runs by your answer.",
}


async def contest(tx: AsyncSession, probe: ProbeRow, review: ReviewRow, now: datetime) -> bool:
    """Ask a lead about a known-answer item that was answered differently; False where it was not, or nobody could say.

    Args:
        tx: the transaction of the answer.
        probe: the item, answered.
        review: its review, which whoever decided the action before is kept from.
        now: the moment.
    """
    source = await reviews.action(tx, probe.source)
    if not probing.differs(probe) or source is None:
        return False
    two = {*review.not_for.split("\n"), probe.answered_by}
    if not set(await users.overseers(tx, probe.tenant)) - two - {source.requester}:
        return False
    terms = Terms(role="lead")
    return await probing.ask(tx, source, KIND, now, not_for=apart.listed(two), terms=terms, question=QUESTION) is not None
