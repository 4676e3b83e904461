"""A class of actions that earns its way: a scripted agent, a signal that says what it is told, and people who decide."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import assent
from assent.graph.autonomy.classes import Key
from assent.graph.clock import fresh_id
from assent.graph.confidence import Reading
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Policy, on
from assent.graph.store import autonomy, reviews
from assent.graph.store.autonomy_models import CertificateRow
from assent.graph.store.models import ActionRow, DecisionRow, ReviewRow, ThreadRow
from assent.graph.store.session import Store
from fakes import Script, Till, approve, asks, calls, edit, on_thread, reject, respond

GATED = Policy((on("note", always("gate", "Notes pass when they are sure.")), on("pay", always("gate", "So do payments."))))


class Sure:
    """A signal named `agreement` whose value the test sets."""

    name = "agreement"

    def __init__(self) -> None:
        self.value: float | None = 1.0
        self.before: Any = None

    async def __call__(self, *_: Any, **__: Any) -> Reading:
        if self.before is not None:
            await self.before()
        return Reading(self.name, self.value, None, 0.0, 0, gates=True)


class Clerk:
    """Proposes one action per case, with a confidence of the test's choosing, and has somebody decide on it."""

    def __init__(
        self, desk: assent.Desk, *, policy: Policy = GATED, name: str = "assent", tool: str = "note", model_name: str = "scripted"
    ) -> None:
        self.desk, self.name, self.tool = desk, name, tool
        self.till, self.script, self.sure = Till(), Script(), Sure()
        self.cases, self.key = itertools.count(1), ""
        self.agent = desk.agent(
            tools=self.till.tools, policy=policy, name=name, propose=self.script, signals=[self.sure], model_name=model_name
        )

    async def proposes(self, sure: float | None = 1.0, thread: str = "") -> str:
        """Have one action proposed; returns its id."""
        number = next(self.cases)
        args = {"text": f"note {number}"} if self.tool == "note" else {"to": "bob", "amount": number}
        self.sure.value = sure
        self.script.lines[:] = [calls((self.tool, args))]
        thread = thread or f"{self.name}-{number}"
        await self.agent.ainvoke(asks(), on_thread(thread))
        async with self.desk.store.read() as tx:
            return (await reviews.actions_of_thread(tx, thread))[-1].id

    async def proposes_at_once(self, number: int) -> None:
        """Have one action proposed beside others, each in a case of its own; all of them surely right."""
        self.sure.value = 1.0
        self.script.lines.append(calls((self.tool, {"text": f"at once {number}"})))
        await self.agent.ainvoke(asks(), on_thread(f"at-once-{number}"))

    async def row(self, action: str) -> Any:
        """Return the row of an action."""
        async with self.desk.store.read() as tx:
            return await reviews.action(tx, action)

    async def answered(self, label: str = "approve", who: str = "ada", reason: str = "wrong_details", **undo: Any) -> None:
        """Decide on everything that waits."""
        for card in await self.desk.pending(who):
            words = {
                "approve": lambda card: approve(card),
                "reject": lambda card: reject(card, reason),
                "edit": lambda card: edit(card, **({"text": "changed"} if self.tool == "note" else {"amount": 1})),
                "respond": lambda card: respond(card, "done by hand"),
            }
            await self.desk.decide(card.id, words[label](card), who, **undo)

    async def decided(self, label: str = "approve", sure: float | None = 1.0, thread: str = "", **how: Any) -> str:
        """Have one action proposed and decided on; returns its id."""
        action = await self.proposes(sure, thread)
        await self.answered(label, **how)
        return action


async def as_signed(tx: Any, agent: str, tool: str, *, level: int = 2, **passing: Any) -> str:
    """Write a certificate that says what a row of the class will say passes; returns its id."""
    passing["head"] = passing["head"] or {}
    row = CertificateRow(id=fresh_id("cert"), tenant="main", agent=agent, tool=tool, level=level, alpha=0.05, delta=0.1, **passing)
    row.status, row.parts, row.report = "signed", {}, {}
    row.created_at = START
    await autonomy.add_certificate(tx, row)
    return row.id


KEY = Key("assent", "note", "scripted", "prompt", "policy", "schema")
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Past:
    """Writes gated actions and what became of them as rows, quickly: as the gate and the door of decisions write them."""

    def __init__(self, store: Store, key: Key = KEY, tenant: str = "main") -> None:
        self.store, self.key, self.tenant, self.number = store, key, tenant, 0

    @property
    def now(self) -> datetime:
        """When the newest of them was proposed."""
        return START + timedelta(minutes=self.number)

    async def write(
        self,
        count: int = 1,
        label: str | None = "approve",
        *,
        sure: float | None = 1.0,
        thread: str = "",
        consequence: str = "reversible",
        **earned: Any,
    ) -> list[str]:
        """Write so many reviewed actions, each in a case of its own; returns their ids."""
        async with self.store.begin() as tx:
            return [await self._one(tx, label, sure, thread, consequence, earned) for _ in range(count)]

    async def _one(self, tx: Any, label: str | None, sure: float | None, thread: str, consequence: str, earned: Any) -> str:
        self.number += 1
        number, at = self.number, START + timedelta(minutes=self.number)
        case = thread or f"past-{self.key.agent}-{self.key.tool}-{number}"
        place = f"{self.key.digest()[:6]}-{number}"
        if await tx.get(ThreadRow, case) is None:
            tx.add(ThreadRow(id=case, tenant=self.tenant, agent=self.key.agent, requester="carol", created_at=at))
            await tx.flush()
        noted = {"key": self.key.digest(), "level": 1, "ceiling": 4, "basis": "none", **earned}
        row = ActionRow(
            id=f"act-{place}",
            tenant=self.tenant,
            thread=case,
            agent=self.key.agent,
            requester="carol",
            tool=self.key.tool,
            tool_digest=self.key.schema,
            args={"text": str(number)},
            digest="0" * 64,
            consequence=consequence,
            title="note",
            verdict="review",
            reasons=[],
            readings=[{"signal": "agreement", "value": sure, "gates": True}],
            evidence=[],
            conversation=[],
            precedents=[],
            args_schema={},
            provenance={"model": self.key.model, "prompt": self.key.prompt, "policy": self.key.policy, "earned": noted},
            created_at=at,
        )
        tx.add(row)
        await tx.flush()
        turned = {None: "pending", "approve": "approved", "edit": "approved", "reject": "rejected", "respond": "answered"}
        review = ReviewRow(
            id=f"rev-{place}", tenant=self.tenant, action=row.id, thread=case, tool=row.tool, status=turned[label], created_at=at
        )
        tx.add(review)
        await tx.flush()
        if label is not None:
            tx.add(decision_of(review, label, at, {"text": "changed"} if label == "edit" else None))
            await tx.flush()
        return row.id


def decision_of(review: ReviewRow, label: str, at: datetime, args: dict[str, Any] | None = None) -> DecisionRow:
    """Return a decision as the door writes it."""
    return DecisionRow(
        id=f"dec-{review.id}",
        tenant=review.tenant,
        review=review.id,
        action=review.action,
        version=1,
        type=label,
        actor="ada",
        role="operator",
        shown_digest="0" * 64,
        digest="0" * 64,
        args=args,
        effective_at=at,
        created_at=at,
    )
