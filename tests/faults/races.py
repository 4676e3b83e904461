"""Races: processes meet at a barrier, case after case, and go through doors of the desk at the same moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import assent
import sqlalchemy as sa
from assent.graph.errors import (
    AlreadyApproved,
    AlreadyDecided,
    Expired,
    HeldByAnother,
    NotAllowed,
    StaleDigest,
    ThreadBusy,
    ThreadClosed,
    TooLate,
)
from crashes import places
from desk import LATER, Place, actions_of, all_drained, asked, cards_of, jitter, opened, payees_of
from fakes import later_clock
from oracle import Found, judge
from processes import asking, barrier, one, together

WHO = ("ada", "bob", "lee")


@dataclass(frozen=True, slots=True)
class Round:
    """One case that a racer runs for: who it is, and what waits, by payee."""

    desk: assent.Desk
    racer: int
    thread: str
    cards: dict[str, tuple[str, str]]
    actions: dict[str, str]
    """What ran, or will run, without a person, by payee."""

    @property
    def who(self) -> str:
        """The person this racer speaks for."""
        return WHO[self.racer % len(WHO)]

    @property
    def review(self) -> str:
        """The review of the first payment."""
        return self.cards[payees_of(self.thread)[0]][0]

    def answer(self, type: str, payee: str | None = None) -> dict[str, Any]:
        """Return a decision on what was shown."""
        digest = self.cards[payee or payees_of(self.thread)[0]][1]
        extra = {"args": {"to": payees_of(self.thread)[0], "amount": 7}} if type == "edit" else {}
        return {"type": type, "digest": digest, **extra, **({"reason": "no"} if type == "reject" else {})}


Act = Callable[[Round], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Race:
    """What is raced: one act per racer; what is done before; how many may win."""

    name: str
    acts: tuple[Act, ...]
    before: Act | None = None
    winners: tuple[int, ...] | None = None
    """How many racers may report `won` in one round; None if it does not matter."""
    payees: int = 1
    prefix: str = "t"
    """How the cases are called; see `desk.POLICY` for what follows from that."""
    ahead: tuple[float, ...] = (0, 0, 0)
    """By how many seconds each racer's clock is ahead."""


def decides(type: str, *, drains: bool = True, key: str | None = None, as_: str | None = None) -> Act:
    """Return an act: decide, then do what is due."""

    async def act(on: Round) -> str:
        try:
            await on.desk.decide(on.review, on.answer(type), as_ or on.who, key=f"{key}-{on.thread}" if key else None)
        except (AlreadyDecided, AlreadyApproved, Expired, HeldByAnother, StaleDigest, NotAllowed):
            won = "late"
        else:
            won = "won"
        if drains:
            await on.desk.drain()
        return won

    return act


async def drains(on: Round) -> str:
    """Do what is due."""
    await jitter()
    await on.desk.drain()
    return ""


async def drives(on: Round) -> str:
    """Drive the thread at once, as a wake-up that comes twice does."""
    with suppress(ThreadBusy):
        await on.desk.agents["assent"].drive(on.thread, patience=0.05)
    return ""


async def withdraws(on: Round) -> str:
    """Take the decision back."""
    await jitter()
    try:
        await on.desk.withdraw(on.review, "ada")
    except TooLate:
        return "late"
    return "won"


async def cancels(on: Round) -> str:
    """Cancel the case."""
    await jitter()
    await on.desk.cancel(on.thread, "bob")
    return ""


async def sends(on: Round) -> str:
    """Send a message more."""
    with suppress(ThreadClosed):
        await on.desk.send(on.thread, f"Pay {on.thread}x{on.racer}-0.", requester="carol")
    await on.desk.drain()
    return ""


async def halves(on: Round) -> str:
    """Decide this racer's share of five payments in random order: even ones are approved, odd ones rejected."""
    mine = [index for index in range(5) if index % 2 == on.racer or index == 4]
    for index in random.sample(mine, len(mine)):
        payee = payees_of(on.thread, 5)[index]
        answer = on.answer("approve" if index % 2 == 0 else "reject", payee)
        with suppress(AlreadyDecided):
            await on.desk.decide(on.cards[payee][0], answer, on.who)
        if random.random() < 0.5:
            await on.desk.drain()
    await on.desk.drain()
    return ""


async def takes(on: Round) -> str:
    """Take the card."""
    try:
        await on.desk.take(on.review, on.who)
    except HeldByAnother:
        return "late"
    return "won"


async def sweeps(on: Round) -> str:
    """Do what is due, such as closing what nobody decided in time."""
    await jitter()
    await on.desk.sweeper.sweep()
    return ""


async def undoes(on: Round) -> str:
    """Ask for the payment to be taken back, and do what is due."""
    try:
        await on.desk.undo(on.actions[payees_of(on.thread)[0]], on.who, "a mistake")
    except TooLate:
        return "late"
    finally:
        await on.desk.drain()
    return "won"


async def vetoes(on: Round) -> str:
    """Say no to what is held."""
    await jitter()
    with suppress(TooLate):
        await on.desk.veto(on.actions[payees_of(on.thread)[0]], on.who, "no")
    return ""


async def stops(on: Round) -> str:
    """Press the button; from then on nothing may begin until it is lifted."""
    await jitter()
    stop = await on.desk.stop("all", "", "lee", "wait")
    before = await begun(on.desk)
    await asyncio.sleep(0.1)
    assert await begun(on.desk) == before, "something began although everything was stopped"
    await on.desk.lift(stop.id, "lee", "go on")
    await on.desk.drain()
    return ""


async def begun(desk: assent.Desk) -> set[str]:
    """Return the actions that were claimed."""
    async with desk.store.read() as tx:
        return {row[0] for row in (await tx.exec(sa.text("SELECT action FROM executions"))).all()}


approved = decides("approve", drains=False, as_="ada")

RACES = (
    Race("two people approve", (decides("approve"), decides("approve")), winners=(1,)),
    Race("one approves, one rejects", (decides("approve"), decides("reject")), winners=(1,)),
    Race("one approves, one edits", (decides("approve"), decides("edit")), winners=(1,)),
    Race("one person decides twice under one key", (decides("approve", key="k", as_="ada"),) * 2, winners=(2,)),
    Race("three workers drain the outbox", (drains, drains, drains), before=approved),
    Race("a wake-up comes three times", (drives, drives, drives), before=approved),
    Race("two processes decide five parallel calls", (halves, halves), payees=5),
    Race("a decision is withdrawn while it is claimed", (withdraws, drains, drains), before=approved),
    Race("a case is cancelled while its action is claimed", (cancels, drains, drains), before=approved),
    Race("a case is cancelled while it is approved", (cancels, decides("approve"))),
    Race(
        "two people give the last approval",
        (decides("approve", as_="bob"), decides("approve", as_="lee")),
        approved,
        (1,),
        prefix="q",
    ),
    Race("two people give the first approval", (decides("approve"), decides("approve")), winners=(2,), prefix="q"),
    Race("one person approves twice where two are needed", (decides("approve", as_="ada"),) * 2, winners=(1,), prefix="q"),
    Race(
        "one approval is withdrawn while the other is given",
        (withdraws, decides("approve", as_="bob"), drains),
        approved,
        prefix="q",
    ),
    Race("an edit and an approval meet where two are needed", (decides("edit"), decides("approve")), prefix="q"),
    Race("two people take one card", (takes, takes), winners=(1,)),
    Race("a review expires while it is approved", (sweeps, decides("approve", as_="bob")), prefix="d", ahead=(LATER, 0)),
    Race("two sweeps at once", (sweeps, sweeps, sweeps), prefix="d", ahead=(LATER, LATER, LATER)),
    Race("everything is stopped while an action is claimed", (stops, drains, drains), before=approved),
    Race("two people undo one action", (undoes, undoes), winners=(1,), prefix="u"),
    Race("an action is vetoed while its window ends", (vetoes, drains), prefix="h", ahead=(0, LATER)),
    Race("two messages arrive while one approves", (sends, sends, decides("approve"))),
)
"""Every race; each is run on both databases, with a tool that takes a key and with one that does not."""


async def racer(place: Place, race: Race, index: int, threads: Sequence[str], known: Any, gate: Any, answer: Any) -> None:
    """Run every round of one racer."""
    try:
        async with opened(place, later_clock(race.ahead[index])) as desk:
            told = []
            for thread in threads:
                on = Round(desk, index, thread, *known)
                if index == 0 and race.before is not None:
                    await race.before(on)
                gate.wait(60)
                told.append(await race.acts[index](on))
    except BaseException:
        gate.abort()  # the others need not wait for one who fell
        raise
    answer.send(told)


def run_race(race: Race, database: str, size: int, *, idempotent: bool) -> Found:
    """Run `size` rounds of a race on a fresh database; returns what the judge found."""
    threads = [f"{race.prefix}{index}" for index in range(size)]
    with places(database, idempotent=idempotent) as place:
        assert one(asked, place, threads, race.payees) == 0
        known = asking(cards_of, place), asking(actions_of, place) if race.prefix in "uh" else {}
        gate = barrier(len(race.acts))
        told = together(racer, [(place, race, index, threads, known, gate) for index in range(len(race.acts))])
        assert one(all_drained, place) == 0
        found = asking(judge, place, [payee for thread in threads for payee in payees_of(thread, race.payees)])
    if race.winners is not None:
        for thread, results in zip(threads, zip(*told, strict=True), strict=True):
            if results.count("won") not in race.winners:
                found.twice.append(f"{thread}: {results.count('won')} were told that they had decided")
    return found
