"""A class of actions that earns its way: a scripted agent, a signal that says what it is told, and people who decide."""

from __future__ import annotations

import itertools
from typing import Any

import assent
from assent.graph.confidence import Reading
from assent.graph.rules.checks import always
from assent.graph.rules.policy import Policy, on
from assent.graph.store import reviews
from fakes import Script, Till, approve, asks, calls, edit, on_thread, reject, respond

GATED = Policy((on("note", always("gate", "Notes pass when they are sure.")), on("pay", always("gate", "So do payments."))))


class Sure:
    """A signal named `agreement` whose value the test sets."""

    name = "agreement"

    def __init__(self) -> None:
        self.value: float | None = 1.0

    async def __call__(self, *_: Any, **__: Any) -> Reading:
        return Reading(self.name, self.value, None, 0.0, 0, gates=True)


class Clerk:
    """Proposes one action per case, with a confidence of the test's choosing, and has somebody decide on it."""

    def __init__(
        self, desk: assent.Desk, *, policy: Policy = GATED, name: str = "assent", tool: str = "note", model_name: str = "scripted"
    ) -> None:
        self.desk, self.name, self.tool = desk, name, tool
        self.till, self.script, self.sure = Till(), Script(), Sure()
        self.cases = itertools.count(1)
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
