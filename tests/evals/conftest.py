"""A real store with real rows, written as the desk writes them when somebody decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import assent
import pytest
from assent.graph.store.models import ActionRow, DecisionRow, ExampleRow, ReviewRow, ThreadRow
from assent.graph.store.session import Store

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OFFERS = [
    {
        "name": "refund",
        "description": "Pay money back.",
        "schema": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}, "amount": {"type": "string"}},
            "required": ["order_id", "amount"],
        },
        "choices": [{"order_id": "1001"}, {"order_id": "1002"}],
    },
    {
        "name": "send_reply",
        "description": "Answer the customer.",
        "schema": {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]},
        "choices": None,
    },
]


@pytest.fixture
async def desk(url):
    async with assent.open(url) as opened:
        yield Desk(opened.store)


class Desk:
    """Writes what the desk would write; every call is one decision, a minute after the one before."""

    def __init__(self, store: Store) -> None:
        self.store, self.number = store, 0

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=self.number)

    async def decide(
        self,
        label: str,
        args: dict[str, Any],
        accepted: dict[str, Any] | None = None,
        *,
        tool: str = "refund",
        text: str = "My kettle came broken",
        thread: str | None = None,
        tenant: str = "main",
        veto: timedelta = timedelta(0),
        proposed_at: datetime | None = None,
        conversation: list[dict[str, Any]] | None = None,
        offers: list[dict[str, Any]] | None = None,
        retired: bool = False,
        evidence: str = "",
        provenance: dict[str, Any] | None = None,
    ) -> str:
        self.number += 1
        number, now = self.number, self.now
        if label == "approve":
            accepted = args
        thread_id, action, review, decision = f"t{thread or number}", f"a{number}", f"r{number}", f"d{number}"
        turns = [{"role": "requester", "text": text}] if conversation is None else conversation
        async with self.store.begin() as tx:
            if await tx.get(ThreadRow, thread_id) is None:
                tx.add(ThreadRow(id=thread_id, tenant=tenant, agent="assent", requester="C100", created_at=now))
                await tx.flush()
            tx.add(_action(action, tenant, thread_id, tool, args, turns, proposed_at or now - timedelta(seconds=30), evidence))
            await tx.flush()
            tx.add(
                ReviewRow(
                    id=review,
                    tenant=tenant,
                    action=action,
                    thread=thread_id,
                    tool=tool,
                    status="approved",
                    created_at=now,
                    decided_at=now,
                )
            )
            await tx.flush()
            tx.add(_decision(decision, tenant, review, action, label, now, now + veto))
            await tx.flush()
            tx.add(
                ExampleRow(
                    id=f"e{number}",
                    tenant=tenant,
                    decision=decision,
                    action=action,
                    agent="assent",
                    requester="C100",
                    text=text,
                    conversation=turns,
                    tool=tool,
                    args=args,
                    accepted=accepted,
                    label=label,
                    reason="wrong amount" if label == "reject" else "",
                    message="We cannot see that order." if label == "respond" else "",
                    offers=OFFERS if offers is None else offers,
                    actor="ann",
                    role="operator",
                    provenance={"model": "small"} if provenance is None else provenance,
                    created_at=now,
                    retired_at=now if retired else None,
                )
            )
        return f"e{number}"

    async def withdraw(self, example: str) -> None:
        number = example.removeprefix("e")
        async with self.store.begin() as tx:
            tx.add(_decision(f"w{number}", "main", f"r{number}", f"a{number}", "withdrawn", self.now, self.now))


def _action(name, tenant, thread, tool, args, turns, at, evidence) -> ActionRow:
    return ActionRow(
        id=name,
        tenant=tenant,
        thread=thread,
        agent="assent",
        requester="C100",
        tool=tool,
        tool_digest="0" * 64,
        args=args,
        digest="0" * 64,
        consequence="costly",
        title="refund",
        verdict="review",
        reasons=[],
        readings=[],
        evidence=[{"source": "dry run", "text": evidence, "at": ""}] if evidence else [],
        conversation=turns,
        precedents=[],
        args_schema={},
        provenance={},
        created_at=at,
    )


def _decision(name, tenant, review, action, label, at, effective_at) -> DecisionRow:
    return DecisionRow(
        id=name,
        tenant=tenant,
        review=review,
        action=action,
        version=1,
        type=label,
        actor="ann",
        role="operator",
        shown_digest="0" * 64,
        digest="0" * 64,
        effective_at=effective_at,
        created_at=at,
    )
