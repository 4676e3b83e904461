"""A person decides: decision, status, example and wake-up in one transaction, with thread and review locked; the only door."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .. import crashpoints
from ..access.people import require
from ..audit import records
from ..audit.masking import masked, maybe_masked
from ..clock import Clock, fresh_id
from ..errors import AlreadyDecided, AssentError, NotAllowed, StaleDigest, UnknownReview
from ..looking.readers import is_held_back
from ..store import apart, examples, probes, reviews, threads, wakes
from ..store.autonomy_models import ProbeRow
from ..store.models import ActionRow, DecisionRow, ReviewRow
from ..store.people_models import UserRow
from ..store.session import AsyncSession, Store
from ..wiring import Gate
from . import caps, probing, reading_time, reviewing, settling
from .decisions import Approve, Edit, Reject, Respond
from .editing import Edited, ask_edited, edited_action, valid_for
from .obstacles import approved_already, obstacle
from .reviewing import CONSEQUENTIAL, Reviewing
from .standing import APPROVALS, Standing, last_words, standing
from .teaching import example_of

Answer = Approve | Edit | Reject | Respond
GateOf = Callable[[ActionRow], Gate | None]

LONGEST_UNDO = 86_400.0

TURNS = {"approve": "approved", "edit": "approved", "reject": "rejected", "respond": "answered"}


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to."""

    review_id: str
    status: str
    """Where the review stands now: `pending` until enough people have approved the same digest."""
    decision_id: str
    action_digest: str
    """The digest of what may run, or is asked about, now."""
    effective_at: datetime
    """From here on it counts; before, it can be taken back."""
    approvals: int = 0
    """How many people stand behind that digest."""
    quorum: int = 1
    """How many have to."""
    probe: str = ""
    """What kind of probe it was, told only now; empty for an action that may run."""
    revealed: str = ""
    """What to tell the reviewer about it."""
    hasty: str = ""
    """What to tell somebody who decided something consequential faster than it can be read; nothing is held up by it."""


async def decide(
    store: Store,
    clock: Clock,
    gate_of: GateOf,
    review_id: str,
    answer: Answer,
    actor: str,
    *,
    undo_window: float = 0.0,
    key: str | None = None,
) -> Decided:
    """Decide a pending review; see `Desk.decide` for what it raises."""
    edited = await _edited(store, clock, gate_of, review_id, answer, actor, key) if isinstance(answer, Edit) else None
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        review, action = await locked(tx, user, review_id)
        now = clock()
        if key is not None and (known := await reviews.by_key(tx, user.tenant, actor, key)) is not None:
            return await _known(tx, known, review, action, answer, now)
        await _may_decide(tx, review, action, user, answer, now)
        chosen = await reviewing.read(tx, user.tenant)
        if (enough := await caps.enough(tx, user, now, chosen)) is not None:
            raise enough
        effective = now + timedelta(seconds=_window(undo_window) if review.kind == "action" else 0.0)
        decision = _decision(review, action, answer, user, edited, key, now, effective)
        decision.valid_until = await _valid_until(tx, decision, review, action, edited)
        quick = _timed(decision, review, action, chosen)
        if not await reviews.add_decision(tx, decision):
            raise NotAllowed("This idempotency key belongs to another decision; use a fresh one.")
        records.decision(tx, decision, action)
        if edited is not None and review.kind == "action":
            await ask_edited(tx, review, action, edited, user, now)
        done = replace(await _counted(tx, review, action, decision, now), hasty=quick)
        probe = await probing.answered(tx, review, action, decision, now) if review.kind != "action" else None
        if probe is not None:
            await settling.contest(tx, probe, review, now)
            done = await _told(tx, done, probe)
        if done.status != "pending" and (probe is None or probe.kind in probing.TEACHES):
            await examples.add(tx, example_of(action, decision, gate_of(action), edited=review.args))
        if done.status != "pending" and review.kind == "action":
            await wakes.add(tx, action.thread, decision.id, done.effective_at)
        crashpoints.reach("inside-decide")
        return done


async def _told(tx: AsyncSession, done: Decided, probe: ProbeRow) -> Decided:
    """Return what a decision came to with what its review was, which is told from now on."""
    asked = await probes.of_source(tx, probe.source, settling.KIND) is not None
    return replace(done, probe=probe.kind, revealed=probing.revealed(probe, asked=asked))


def _timed(decision: DecisionRow, review: ReviewRow, action: ActionRow, chosen: Reviewing) -> str:
    """Put the least reading time on a consequential decision, and return what to tell whoever was faster."""
    if action.consequence not in CONSEQUENTIAL:
        return ""
    words = reading_time.words_of(action, action.args if review.args is None else review.args)
    decision.floor_ms = reading_time.floor_ms(words, chosen.floor)
    hasty = reading_time.is_hasty(decision.seen_ms, decision.floor_ms)
    return reading_time.told(decision.seen_ms or 0, words) if hasty else ""


async def _edited(
    store: Store, clock: Clock, gate_of: GateOf, review_id: str, answer: Edit, actor: str, key: str | None
) -> Edited | None:
    """Return the edited action; None if `key` says that it was decided before.

    Raises what `decide` raises for somebody who may not decide this, before anything of the action is tried; InvalidEdit.
    """
    async with store.read() as tx:
        user = await require(tx, actor, "operator")
        if key is not None and await reviews.by_key(tx, user.tenant, actor, key) is not None:
            return None
        review = await reviews.by_id(tx, review_id)
        row = await reviews.action(tx, review.action) if review is not None else None
        if review is None or row is None or review.tenant != user.tenant or await is_held_back(tx, review, user):
            raise UnknownReview
        await _may_decide(tx, review, row, user, answer, clock())
    return await edited_action(gate_of(row), answer, row, row.args if review.args is None else review.args)


def _window(seconds: float) -> float:
    """Return the undo window in seconds, within 0 and a day; what is no number is none."""
    return min(max(0.0, seconds), LONGEST_UNDO) if math.isfinite(seconds) else 0.0


async def locked(tx: AsyncSession, user: UserRow, review_id: str) -> tuple[ReviewRow, ActionRow]:
    """Return a review of the user's tenant and its action, with thread and review locked; raises UnknownReview."""
    seen = await reviews.by_id(tx, review_id)
    if seen is None or seen.tenant != user.tenant:
        raise UnknownReview
    await threads.lock(tx, seen.thread)
    review = await reviews.by_id(tx, review_id, lock=True)
    action = await reviews.action(tx, seen.action)
    if review is None or action is None or await is_held_back(tx, review, user):
        raise UnknownReview
    return review, action


async def _may_decide(tx: AsyncSession, review: ReviewRow, action: ActionRow, user: UserRow, answer: Answer, now: datetime) -> None:
    """Raise what keeps this person from giving this answer now."""
    if apart.is_apart(review, user.name):
        raise UnknownReview
    if review.status != "pending":
        raise await _too_late(tx, review)
    thread = await threads.get(tx, review.thread)
    if thread is not None and thread.status == "cancelled":
        raise AlreadyDecided(review.id, "cancelled", None, None, None)
    refused: AssentError | None = obstacle(review, action, user, now)
    if refused is not None:
        raise refused
    if answer.digest != review.digest:
        raise await _stale(tx, review, action, answer.digest)
    if isinstance(answer, Approve) and (again := approved_already(review, user, await standing(tx, review, action, now))):
        raise again


async def _counted(tx: AsyncSession, review: ReviewRow, action: ActionRow, decision: DecisionRow, now: datetime) -> Decided:
    """Turn the review if this decision settles it: any refusal or answer does, an approval when enough people gave theirs."""
    found, status, effective = Standing(()), TURNS[decision.type], decision.effective_at
    if decision.type in APPROVALS:
        found = await standing(tx, review, action, now)
        reached = found.effective_at(review.quorum) if review.kind == "action" else effective  # one answer is what is measured
        status, effective = ("pending", effective) if reached is None else (status, reached)
    if status == "pending":
        await reviews.change(tx, review, "pending", holder=None, held_until=None)
    elif not await reviews.turn(tx, review, "pending", status, now):
        raise await _too_late(tx, review)
    return Decided(review.id, status, decision.id, decision.digest, effective, len(found.approvals), review.quorum)


async def _too_late(tx: AsyncSession, review: ReviewRow) -> AlreadyDecided:
    last = await reviews.last_decision(tx, review.id)
    if last is None or last.type == "withdrawn" or review.status not in TURNS.values():
        return AlreadyDecided(review.id, review.status, None, None, None)
    return AlreadyDecided(review.id, review.status, last.actor, last.created_at, last.type)


async def _stale(tx: AsyncSession, review: ReviewRow, action: ActionRow, digest: str) -> StaleDigest:
    """Return the refusal of a digest that is not asked about, with both arguments as far as they are known."""
    shown = action.args if digest == action.digest else None
    author = None
    for row in await reviews.decisions(tx, review.id):
        if row.type == "edit" and row.digest == digest:
            shown = row.args
        if row.type == "edit" and row.digest == review.digest:
            author = row.actor
    asked = masked(action.args if review.args is None else review.args, action.secrets)
    return StaleDigest(review.id, maybe_masked(shown, action.secrets), asked, author)


async def _known(
    tx: AsyncSession, decision: DecisionRow, review: ReviewRow, action: ActionRow, answer: Answer, now: datetime
) -> Decided:
    """Return what a decision came to that was made before under the same key."""
    if (decision.review, decision.type, decision.shown_digest) != (review.id, answer.type, answer.digest):
        raise NotAllowed("This idempotency key belongs to another decision; use a fresh one.")
    if all(row.id != decision.id for row in last_words(await reviews.decisions(tx, review.id)).values()):
        raise NotAllowed("The decision under this idempotency key was taken back; decide again with a fresh one.")
    found = await standing(tx, review, action, now)
    approvals = len(found.approvals) if decision.type in APPROVALS else 0
    done = Decided(review.id, review.status, decision.id, decision.digest, decision.effective_at, approvals, review.quorum)
    probe = await probes.of_review(tx, review.id) if review.kind != "action" else None
    return done if probe is None else await _told(tx, done, probe)


async def _valid_until(
    tx: AsyncSession, decision: DecisionRow, review: ReviewRow, action: ActionRow, edited: Edited | None
) -> datetime | None:
    """Return until when an approval can be used: that of an edit no longer than the edit itself could."""
    if decision.type not in APPROVALS:
        return None
    stated = [valid_for(action, edited)]
    if edited is None and review.args is not None:
        edits = [row for row in await reviews.decisions(tx, review.id) if row.type == "edit" and row.digest == review.digest]
        stated += [(row.valid_until - row.effective_at).total_seconds() for row in edits if row.valid_until is not None]
    seconds = min((one for one in stated if one is not None), default=None)
    return None if seconds is None else decision.effective_at + timedelta(seconds=seconds)


def _decision(
    review: ReviewRow,
    action: ActionRow,
    answer: Answer,
    user: UserRow,
    edited: Edited | None,
    key: str | None,
    now: datetime,
    effective: datetime,
) -> DecisionRow:
    return DecisionRow(
        id=fresh_id("dec"),
        tenant=review.tenant,
        review=review.id,
        action=action.id,
        version=review.version,
        type=answer.type,
        actor=user.name,
        role=user.role,
        shown_digest=answer.digest,
        digest=edited.action.digest() if edited else review.digest,
        args=edited.action.args if edited else review.args,
        reason=answer.reason if isinstance(answer, Reject) else "",
        message=_words(answer),
        seen_ms=answer.seen_ms,
        key=key,
        effective_at=effective,
        created_at=now,
    )


def _words(answer: Answer) -> str:
    match answer:
        case Reject():
            return answer.feedback
        case Respond():
            return answer.message
    return ""
