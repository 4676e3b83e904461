"""The story of a rehearsal: full review, a certificate, a signature, autonomy with audits, a change for the worse, demotion."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig

from ...graph.agent import Agent
from ...graph.audit.auditing import exported
from ...graph.audit.verifying import verify
from ...graph.autonomy.levels import Level
from ...graph.desk import Desk
from ...graph.store import autonomy
from .cast import AGENT, TOOL, Part, RehearsedAgent, Skill, decision_on

REVIEWERS = ("ada", "bob")
"""Who decides, in turns."""

LEARN_EVERY = 25
"""After so many cases the slow work is given a turn; beside a desk the worker does so by the clock."""

Tell = Callable[[str, int, str], None]
"""Called with the scene, the number of the case and one sentence."""

Sign = Callable[[Desk], Awaitable[None]]
"""Has a lead sign the certificate that is offered; returns when it is signed."""


@dataclass(slots=True)
class Chronicle:
    """What happened, in numbers of cases."""

    cases: int = 0
    reviewed: int = 0
    passed: int = 0
    audited: int = 0
    wrong_before: int = 0
    """Passed and wrong, before the change."""
    passed_before: int = 0
    offered_at: int | None = None
    signed_at: int | None = None
    changed_at: int | None = None
    demoted_at: int | None = None
    audits_to_alarm: int | None = None
    wrong_after: int = 0
    """Passed and wrong, from the change to the demotion."""
    verified: bool | None = None
    """Whether the audit log of all this verifies."""
    scenes: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


class Rehearsal:
    """Plays the story on an opened desk; `tell` hears of every turn it takes."""

    def __init__(self, desk: Desk, agent: Agent, cast: RehearsedAgent, known: Iterable[Part], tell: Tell) -> None:
        self.desk, self.agent, self.cast, self.told = desk, agent, cast, Chronicle()
        self._parts = list(known)
        self._known = {part.text: part for part in self._parts}
        self._tell = tell

    async def play(self, sign: Sign, *, calm: int, right_after: float) -> Chronicle:
        """Play all scenes; `calm` cases lie between the signature and the change, after which so many clear cases are right.

        It ends early, saying so, when the cases run out before a certificate is offered, or before the alarm.
        """
        left = iter(self._parts)
        self._scene("full review", "Every proposal waits for a person; nothing is certified.")
        if not await self._until(left, self._is_offered):
            self._scene("the end", "The cases ran out before any threshold kept the promise; nothing was certified.")
            return self.told
        self.told.offered_at = self.told.cases
        self._scene("offered", await self._offer_in_words())
        await sign(self.desk)
        self.told.signed_at = self.told.cases
        self._scene("signed", "A lead has signed; what is confident enough passes from now on, and a fifth of it is audited.")
        await self._until(left, self._is_signed_and_calm(calm))
        self.told.passed_before, self.told.wrong_before = self.told.passed, self._wrong
        self.cast.skill, self.told.changed_at, self._wrong = Skill(right_if_clear=right_after), self.told.cases, 0
        audits = self.told.audited
        self._scene("changed", "The agent has just got worse, as sure of itself as before; no part of the key has changed.")
        if not await self._until(left, self._is_demoted):
            self._scene("the end", "The cases ran out before the monitor raised its alarm.")
            return self.told
        self.told.demoted_at, self.told.wrong_after = self.told.cases, self._wrong
        self.told.audits_to_alarm = self.told.audited - audits
        self._scene("demoted", await self._demotion_in_words())
        before = self.told.passed
        for _, part in zip(range(10), left, strict=False):
            await self._case(part)
        after = self.told.passed - before
        self._scene("the end", f"Of the next 10 proposals {after} passed without a person. {await self._log_in_words()}")
        return self.told

    _wrong = 0

    async def _until(self, left: Iterable[Part], reached: Callable[[], Awaitable[bool]]) -> bool:
        for part in left:
            await self._case(part)
            if await reached():
                return True
        return False

    async def _case(self, part: Part) -> None:
        """Play one case: the customer writes, the agent proposes, whoever is asked decides, and what was decided runs."""
        config: RunnableConfig = {"configurable": {"thread_id": part.thread, "requester": part.customer}}
        await self.agent.ainvoke({"messages": [("user", part.text)]}, config)
        await self._decide_all()
        await self.desk.drain()
        self.told.cases += 1
        if self.told.cases % LEARN_EVERY == 0 and self.desk.learner is not None:
            await self.desk.learner.learn()
        lines = await self.desk.history(REVIEWERS[0], limit=20)
        mine = [line for line in lines if line.thread == part.thread]
        if any(line.decision == "automatic" and line.tool == TOOL for line in mine):
            self.told.passed += 1
            self._wrong += any(line.tool == TOOL and line.args.get("team") != part.team for line in mine)

    async def _decide_all(self) -> None:
        for number in range(50):
            who = REVIEWERS[(self.told.reviewed + number) % len(REVIEWERS)]
            cards = await self.desk.pending(who, limit=20, mine=True)
            if not cards:
                who = REVIEWERS[(self.told.reviewed + number + 1) % len(REVIEWERS)]
                cards = await self.desk.pending(who, limit=20, mine=True)
            if not cards:
                return
            for card in cards:
                done = await self.desk.decide(card.id, decision_on(card, self._known, card.choices or []), who)
                self.told.reviewed += not done.probe
                self.told.audited += done.probe == "audit"

    def _scene(self, name: str, sentence: str) -> None:
        self.told.scenes.append({"scene": name, "case": self.told.cases, "told": sentence})
        self._tell(name, self.told.cases, sentence)

    async def _is_offered(self) -> bool:
        async with self.desk.store.read() as tx:
            found = await autonomy.certificates(tx, self.desk.tenant, AGENT, TOOL, 1)
            return bool(found) and found[0].status == "offered"

    async def _level(self) -> int:
        async with self.desk.store.read() as tx:
            row = await autonomy.get(tx, self.desk.tenant, AGENT, TOOL)
            return row.level if row is not None and not row.suspended else int(Level.SUPERVISED)

    def _is_signed_and_calm(self, calm: int) -> Callable[[], Awaitable[bool]]:
        async def reached() -> bool:
            return self.told.cases >= (self.told.signed_at or 0) + calm

        return reached

    async def _is_demoted(self) -> bool:
        return await self._level() < Level.CERTIFIED

    async def _offer_in_words(self) -> str:
        async with self.desk.store.read() as tx:
            (found,) = await autonomy.certificates(tx, self.desk.tenant, AGENT, TOOL, 1)
            return (
                f"A certificate is offered: at a confidence of {found.threshold:.2f} or more, {found.k} of {found.n} proposals "
                f"were wrong, so at most {found.bound:.1%} are (sure to {1 - found.delta:.0%}). It covers {found.coverage:.0%}."
            )

    async def _demotion_in_words(self) -> str:
        async with self.desk.store.read() as tx:
            (last,) = await autonomy.changes(tx, self.desk.tenant, AGENT, TOOL, 1)
            return (
                f"The monitor has rung {self.told.audits_to_alarm} audits after the change, and took the class from level "
                f"{last.before} to {last.after}: {last.reason} Meanwhile {self.told.wrong_after} wrong proposals had passed."
            )

    async def _log_in_words(self) -> str:
        items = [item async for item in exported(self.desk.store, self.desk.clock, self.desk.tenant)]
        found = await asyncio.to_thread(verify, items)
        kinds = [item["kind"] for item in items if item["type"] == "event"]
        told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in TOLD)
        self.told.verified = not found.bad
        return f"The audit log of {len(kinds)} records {'does NOT verify' if found.bad else 'verifies'}: {told}."


TOLD = ("verdict", "execution.claimed", "probe.answered", "autonomy.promoted", "autonomy.demoted")
"""The events that tell the story."""


async def signed_in_the_desk(desk: Desk) -> None:
    """Wait until somebody signs the certificate in the desk."""
    while True:
        async with desk.store.read() as tx:
            row = await autonomy.get(tx, desk.tenant, AGENT, TOOL)
            if row is not None and row.level >= Level.CERTIFIED and not row.suspended:
                return
        await asyncio.sleep(0.5)
