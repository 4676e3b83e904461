"""What the desk shows: the queue, a card, the history, the examples; every query carries the reader's tenant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..access.people import require
from ..audit.masking import hidden, masked
from ..authority import caps
from ..clock import Clock
from ..errors import UnknownReview
from ..rules.terms import DECIDERS, rank
from ..store import apart, asked_again, examples, executions, holds, reviews
from ..store.control_models import HoldRow
from ..store.models import ActionRow, ReviewRow
from ..store.session import AsyncSession, Store
from ..store.workable import Reviewer
from .history import HistoryLine, automatic_line, history_line
from .readers import reader
from .showing import cards_of
from .views import ExampleView, ReviewCard, example_view


async def pending(
    store: Store,
    clock: Clock,
    actor: str,
    limit: int,
    exclude: Sequence[str],
    search: str,
    tool: str,
    *,
    mine: bool = False,
    beside: int = 0,
) -> list[ReviewCard]:
    """Return what waits for a decision, most urgent first; with `mine` only what this person can decide now.

    `beside` so many more are returned.
    """
    async with store.read() as tx:
        user, now = await require(tx, actor, "viewer"), clock()
        full = await caps.enough(tx, user, now)
        if mine and full is not None:
            return []
        roles = [role for role in DECIDERS if rank(role) <= rank(user.role)]
        reviewer = Reviewer(user.name, roles, now) if mine else None
        found = await reviews.pending(tx, user.tenant, limit + beside, exclude, search, tool, reviewer, not_for=user.name)
        return await cards_of(tx, found, user, now, full)


async def one_card(store: Store, clock: Clock, review_id: str, actor: str) -> ReviewCard:
    """Return one review; raises UnknownReview."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        review = await reviews.by_id(tx, review_id)
        action = await reviews.action(tx, review.action) if review else None
        if review is None or action is None or review.tenant != user.tenant or kept_from(review, user.name):
            raise UnknownReview
        if await asked_again.among(tx, [action.id], reader(user)):
            raise UnknownReview
        (card,) = await cards_of(tx, [(review, action)], user, clock(), await caps.enough(tx, user, clock()))
        return card


def kept_from(review: ReviewRow, name: str) -> bool:
    """Tell whether somebody hears nothing of a pending review, because they know its answer."""
    return review.status == "pending" and apart.is_apart(review, name)


async def card_by_number(store: Store, clock: Clock, number: int, actor: str) -> ReviewCard:
    """Return the review with a number; raises UnknownReview."""
    async with store.read() as tx:
        await require(tx, actor, "viewer")
        review = await tx.get(ReviewRow, number)
    if review is None:
        raise UnknownReview(f"There is no review RQ-{number} in your queue.")
    return await one_card(store, clock, review.id, actor)


async def count_pending(store: Store, actor: str) -> int:
    """Return how many reviews wait, counted to 1,000 at most."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        return await reviews.count_pending(tx, user.tenant, not_for=user.name)


async def history(store: Store, actor: str, limit: int, before: int | None, search: str, *, automatic: bool) -> list[HistoryLine]:
    """Return decisions, newest first; with `automatic` also what ran or was refused without a person."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        lines = [history_line(*row) for row in await reviews.decided(tx, user.tenant, limit, before, search, reader(user))]
        if automatic and before is None and not search:
            lines += [automatic_line(*row) for row in await reviews.automatic(tx, user.tenant, limit, reader(user))]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


async def list_examples(store: Store, actor: str, limit: int, *, retired: bool) -> list[ExampleView]:
    """Return what decisions taught, oldest first."""
    async with store.read() as tx:
        user = await require(tx, actor, "viewer")
        return [
            example_view(row) for row in await examples.page(tx, user.tenant, limit=limit, retired=retired, reader=reader(user))
        ]


async def hidden_in(tx: AsyncSession, thread: str) -> list[str]:
    """Return the texts by which the secrets in a thread's actions could be told."""
    rows = [row for row in await reviews.actions_of_thread(tx, thread) if row.secrets]
    found = {text for row in rows for text in hidden(row.args, row.secrets)}
    return sorted(found, key=len, reverse=True)


async def statuses(tx: AsyncSession, thread: str) -> dict[str, dict[str, Any]]:
    """Return where each action of a thread stands, by action id, in the words of the chat."""
    standing: dict[str, dict[str, Any]] = {}
    asked = {row.action: row for row in await reviews.of_thread(tx, thread)}
    held = {row.action: row for row in await holds.of_thread(tx, thread)}
    for action in await reviews.actions_of_thread(tx, thread):
        review, execution = asked.get(action.id), await executions.get(tx, action.id)
        standing[action.id] = {
            "review": review.id if review else None,
            "number": review.number if review else None,
            "tool": action.tool,
            "title": action.title,
            "args": masked(action.args, action.secrets),
            "status": _status(action, review, held.get(action.id), execution.status if execution else None),
            "result": (execution.result or "") if execution else "",
        }
    return standing


def _status(action: ActionRow, review: ReviewRow | None, hold: HoldRow | None, execution: str | None) -> str:
    if execution is not None:
        return execution
    if hold is not None:
        return "held" if hold.vetoed_by is None else "vetoed"
    if review is not None:
        return "waiting" if review.status == "pending" else review.status
    return "refused" if action.verdict == "refuse" else "starting"
