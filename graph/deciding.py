"""A person decides: one compare-and-set in the transaction that also stores decision, example and wake-up; the only door."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from langchain_core.tools import BaseTool
from pydantic import ValidationError

from ..tools.declaration import ActionRefused, Case, dry_run, schema_digest, schema_of
from . import crashpoints, records
from .actions import Action
from .canonical import NotCanonical
from .clock import Clock, fresh_id
from .decisions import Approve, Edit, Reject, Respond
from .errors import AlreadyDecided, InvalidEdit, NotAllowed, StaleDigest, TooLate, UnknownReview, UnknownTool
from .people import require
from .proposals import NotFitting, facts_of, fitting
from .store import examples, executions, reviews, threads, wakes
from .store.models import ActionRow, DecisionRow, ExampleRow, ReviewRow
from .store.people_models import UserRow
from .store.session import AsyncSession, Store
from .wiring import Gate

Answer = Approve | Edit | Reject | Respond
GateOf = Callable[[ActionRow], Gate | None]

LONGEST_UNDO = 86_400.0

TURNS = {"approve": "approved", "edit": "approved", "reject": "rejected", "respond": "answered"}


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to."""

    review_id: str
    status: str
    decision_id: str
    action_digest: str
    """The digest of what may run now."""
    effective_at: datetime
    """From here on it counts; before, it can be taken back."""


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
    edited = await _edited(store, gate_of, review_id, answer, actor, key) if isinstance(answer, Edit) else None
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        if key is not None and (known := await reviews.by_key(tx, user.tenant, actor, key)) is not None:
            return await _known(tx, known, review_id, answer)
        review, action = await _open(tx, user, review_id)
        if answer.digest != action.digest:
            raise StaleDigest(review_id)
        now = clock()
        if not await reviews.turn(tx, review, "pending", TURNS[answer.type], now):
            raise await _too_late(tx, review_id)
        effective = now + timedelta(seconds=_window(undo_window))
        decision = _decision(review, action, answer, user, edited, key, now, effective)
        tx.add(decision)
        await tx.flush()
        records.decision(tx, decision, action)
        await examples.add(tx, _example(action, decision, gate_of(action)))
        await wakes.add(tx, action.thread, decision.id, effective)
        crashpoints.reach("inside-decide")
        return Decided(review.id, TURNS[answer.type], decision.id, decision.digest, effective)


def _window(seconds: float) -> float:
    """Return the undo window in seconds, within 0 and a day; what is no number is none."""
    return min(max(0.0, seconds), LONGEST_UNDO) if math.isfinite(seconds) else 0.0


async def withdraw(store: Store, clock: Clock, review_id: str, actor: str) -> None:
    """Take a decision back while the action has not been started; the review is pending again, one version on."""
    async with store.begin() as tx:
        user = await require(tx, actor, "operator")
        review = await reviews.by_id(tx, review_id, lock=True)
        if review is None or review.tenant != user.tenant:
            raise UnknownReview
        last = await reviews.last_decision(tx, review.id)
        if last is None or last.type == "withdrawn" or review.status not in ("approved", "rejected", "answered"):
            raise TooLate("There is no decision to take back: the review is pending or closed.")
        if last.actor != actor and user.role not in ("lead", "admin"):
            raise NotAllowed("Only the person who decided, or a lead, can take a decision back.")
        if await executions.get(tx, review.action) is not None:
            raise TooLate
        thread, now = await threads.get(tx, review.thread), clock()
        if thread is not None and thread.status == "cancelled":
            raise TooLate("The case was cancelled; nothing of it runs, and there is nothing to decide again.")
        if last.type not in ("approve", "edit") and last.effective_at <= now:
            raise TooLate("The decision can no longer be taken back: the agent has been told.")
        await reviews.turn(tx, review, review.status, "pending", None)
        withdrawal = _withdrawal(last, user, now)
        tx.add(withdrawal)
        await tx.flush()
        records.decision(tx, withdrawal, None)
        example = await examples.of_decision(tx, last.id)
        if example is not None:
            await examples.retire(tx, example, actor, "decision withdrawn", now)
        await wakes.drop(tx, review.thread, last.id, now)


async def _open(tx: AsyncSession, user: UserRow, review_id: str) -> tuple[ReviewRow, ActionRow]:
    review = await reviews.by_id(tx, review_id, lock=True)
    action = await reviews.action(tx, review.action) if review is not None else None
    if review is None or action is None or review.tenant != user.tenant:
        raise UnknownReview
    if review.status != "pending":
        raise await _too_late(tx, review_id)
    thread = await threads.get(tx, review.thread)
    if thread is not None and thread.status == "cancelled":
        raise AlreadyDecided(review_id, "cancelled", None, None, None)
    if action.requester == user.name:
        raise NotAllowed("This action was asked for on your own behalf; somebody else has to decide it.")
    return review, action


async def _too_late(tx: AsyncSession, review_id: str) -> AlreadyDecided:
    review = await reviews.by_id(tx, review_id)
    last = await reviews.last_decision(tx, review_id)
    status = review.status if review is not None else "gone"
    if last is None or last.type == "withdrawn":
        return AlreadyDecided(review_id, status, None, None, None)
    return AlreadyDecided(review_id, status, last.actor, last.created_at, last.type)


async def _known(tx: AsyncSession, decision: DecisionRow, review_id: str, answer: Answer) -> Decided:
    if (decision.review, decision.type, decision.shown_digest) != (review_id, answer.type, answer.digest):
        raise NotAllowed("This idempotency key belongs to another decision; use a fresh one.")
    last = await reviews.last_decision(tx, review_id)
    if last is None or last.id != decision.id:
        raise NotAllowed("The decision under this idempotency key was taken back; decide again with a fresh one.")
    return Decided(decision.review, TURNS[decision.type], decision.id, decision.digest, decision.effective_at)


def _decision(
    review: ReviewRow,
    action: ActionRow,
    answer: Answer,
    user: UserRow,
    edited: Action | None,
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
        digest=edited.digest() if edited else action.digest,
        args=edited.args if edited else None,
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


def _withdrawal(last: DecisionRow, user: UserRow, now: datetime) -> DecisionRow:
    return DecisionRow(
        id=fresh_id("dec"),
        tenant=last.tenant,
        review=last.review,
        action=last.action,
        version=last.version,
        type="withdrawn",
        actor=user.name,
        role=user.role,
        shown_digest=last.shown_digest,
        digest=last.digest,
        withdraws=last.id,
        effective_at=now,
        created_at=now,
    )


def _example(action: ActionRow, decision: DecisionRow, gate: Gate | None) -> ExampleRow:
    """Return what a decision teaches; `accepted` is null when no action was accepted."""
    accepted: dict[str, Any] | None = None
    if decision.type in ("approve", "edit"):
        accepted = decision.args if decision.args is not None else action.args
    said = [turn["text"] for turn in action.conversation if turn["role"] == "requester"]
    return ExampleRow(
        id=fresh_id("ex"),
        tenant=action.tenant,
        decision=decision.id,
        action=action.id,
        agent=action.agent,
        requester=action.requester,
        text=said[-1] if said else "",
        conversation=action.conversation,
        tool=action.tool,
        args=action.args,
        accepted=accepted,
        label=decision.type,
        reason=decision.reason,
        message=decision.message,
        offers=offers_of(gate, action.id),
        actor=decision.actor,
        role=decision.role,
        provenance=action.provenance,
        created_at=decision.created_at,
    )


def offers_of(gate: Gate | None, action: str) -> list[dict[str, Any]]:
    """Return the tools the agent was offered, with the case's legal values while the step behind the action is remembered."""
    step = gate.steps.get(action) if gate is not None else None
    if step is not None:
        return [
            {"name": offer.name, "description": offer.description, "schema": offer.schema, "choices": offer.choices}
            for offer in step.offers
        ]
    tools = gate.tools.values() if gate is not None else ()
    return [{"name": tool.name, "description": tool.description, "schema": schema_of(tool)} for tool in tools]


async def _edited(store: Store, gate_of: GateOf, review_id: str, answer: Edit, actor: str, key: str | None) -> Action | None:
    """Return the edited action, checked against schema, dry run and policy; None if `key` says that it was decided before.

    Raises what `decide` raises for somebody who may not decide this, before anything of the action is tried; InvalidEdit.
    """
    async with store.read() as tx:
        user = await require(tx, actor, "operator")
        if key is not None and await reviews.by_key(tx, user.tenant, actor, key) is not None:
            return None
        _, row = await _open(tx, user, review_id)
    if answer.digest != row.digest:
        raise StaleDigest(review_id)
    gate = gate_of(row)
    tool = gate.tools.get(row.tool) if gate is not None else None
    if gate is None or tool is None:
        raise UnknownTool(f"This process does not offer the tool {row.tool!r}; edit it where the agent {row.agent!r} runs.")
    if schema_digest(tool) != row.tool_digest:
        raise InvalidEdit({"": f"the tool {row.tool} has changed since this was proposed; reject it instead"})
    action = Action(
        row.id, row.tenant, row.thread, row.agent, row.requester, row.tool, row.tool_digest,
        _fitting(tool, answer.args), row.consequence,  # type: ignore[arg-type]  # rows hold consequences only
    )  # fmt: skip
    await _acceptable(gate, tool, action, row)
    return action


def _fitting(tool: BaseTool, args: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return fitting(tool, schema_of(tool), args)
    except ValidationError as error:
        problems = {str(one["loc"][0]) if one["loc"] else "": str(one["msg"]) for one in error.errors(include_url=False)}
        raise InvalidEdit(problems) from None
    except (NotCanonical, NotFitting) as error:
        raise InvalidEdit({"": str(error)}) from None


async def _acceptable(gate: Gate, tool: BaseTool, action: Action, row: ActionRow) -> None:
    """Raise InvalidEdit when the dry run or the policy refuses the edited action."""
    text = next((turn["text"] for turn in reversed(row.conversation) if turn["role"] == "requester"), "")
    case = Case(action.tenant, action.thread, action.requester, text, action.id)
    try:
        found = await dry_run(tool, action.args, case)
    except ActionRefused as error:
        raise InvalidEdit({"": str(error)}) from None
    except Exception as error:  # what cannot be tried out cannot be vouched for
        raise InvalidEdit({"": f"the dry run could not be carried out ({type(error).__name__}: {error})"[:500]}) from error
    evidence = () if found is None else ({"source": "dry run", "text": found},)
    # the legal values limit what the model may propose; a person answers for more, as far as schema, dry run and policy go
    ruled = await gate.policy.rule(facts_of(action, text, evidence, None))
    if ruled.kind == "refuse":
        raise InvalidEdit({"": " ".join(ruled.reasons)})
