"""The desk under fault: an agent that pays whom it is told to pay, on a bank of its own; the same in every process."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import assent
from assent.graph.errors import AlreadyApproved
from assent.graph.opening import open_desk
from fakes import Bank, calls, later_clock, says, staff
from processes import bank_tool


def _terms(facts: assent.Facts) -> assent.Ruling:
    payee = str(facts.args["to"])
    if payee.startswith("q"):
        return assent.Ruling("review", "Two people have to agree.", terms=assent.Terms(quorum=2))
    if payee.startswith("d"):
        return assent.Ruling("review", "Soon, or not at all.", terms=assent.Terms(due=300))
    if payee.startswith("u"):
        return assent.Ruling("allow", "This can be taken back for an hour.", terms=assent.Terms(undo=3600))
    if payee.startswith("h"):
        return assent.Ruling("allow", "This can be vetoed for five minutes.", terms=assent.Terms(veto=300))
    return assent.Ruling("review", "Money goes out.")


POLICY = assent.Policy((assent.on("pay", _terms),))
"""Payees called q... need two people, d... are due in five minutes; u... need nobody and can be undone, h... can be vetoed."""

DOUBTS = ("unknown", "undo unknown")
"""Tasks that ask a person to find out what happened."""

LATER = 600.0
"""Seconds after which every lease of a dead process has run out."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch of runs happens: a database, a bank, and whether the bank takes a key."""

    url: str
    bank: Bank
    idempotent: bool


async def pays(step: Any, **_: Any) -> Any:
    """Propose what the last message of the requester asks for, `Pay a, b.`; when that is done, say so."""
    if step.messages and step.messages[-1].type != "human":
        return says()
    payees = re.findall(r"[\w-]+", str(step.messages[-1].content).removeprefix("Pay "))
    return calls(*[("pay", {"to": payee, "amount": 5}) for payee in payees])


@asynccontextmanager
async def opened(place: Place, clock: Callable[[], datetime] | None = None, **settings: Any) -> AsyncIterator[assent.Desk]:
    """Open the desk of a place with its agent."""
    extra = {"clock": clock} if clock else {}
    async with open_desk(place.url, **extra) as desk:
        tool = settings.pop("tool", None) or bank_tool(place.bank, idempotent=place.idempotent)
        desk.agent(tools=[tool], policy=POLICY, propose=pays, **settings)
        yield desk


async def people(place: Place) -> None:
    """Add the staff."""
    async with open_desk(place.url) as desk:
        await staff(desk)


async def asked(place: Place, threads: Sequence[str], payees: int = 1) -> None:
    """Add the staff and let each thread ask for its payments, so that they wait."""
    async with opened(place) as desk:
        await staff(desk)
        for thread in threads:
            await desk.send(thread, f"Pay {', '.join(payees_of(thread, payees))}.", requester="carol")
        await desk.drain()


def payees_of(thread: str, payees: int = 1) -> list[str]:
    """Return whom a thread pays."""
    return [f"{thread}-{index}" for index in range(payees)]


async def card_of(desk: assent.Desk, payee: str, actor: str = "ada") -> Any:
    """Return the pending review of a payment."""
    return next(card for card in await desk.pending(actor, limit=1000) if card.args["to"] == payee)


async def cards_of(place: Place, answer: Any) -> None:
    """Send what waits, by payee: review id and digest, so that a racer need not look first."""
    async with opened(place) as desk:
        answer.send({card.args["to"]: (card.id, card.digest) for card in await desk.pending("lee", limit=1000)})


async def all_drained(place: Place) -> None:
    """Do all work that is left, ten minutes later."""
    async with opened(place, later_clock(LATER)) as desk:
        await desk.drain()


async def approved_and_drained(place: Place) -> None:
    """Do all work that is left, approving what waits."""
    async with opened(place, later_clock(LATER)) as desk:
        await desk.drain()
        for who in ("bob", "lee"):
            for card in await desk.pending(who, limit=1000):
                with suppress(AlreadyApproved):
                    await desk.decide(card.id, {"type": "approve", "digest": card.digest}, who)
        await desk.drain()


async def settled(place: Place) -> None:
    """Say of every doubtful payment what the bank's statement says, and let the agents go on."""
    async with opened(place, later_clock(2 * LATER)) as desk:
        paid, refunded = ({payee for payee, _ in found} for found in (place.bank.payments, place.bank.refunds))
        for task in await desk.tasks("lee"):
            if task.kind in DOUBTS:
                done = refunded if task.kind == "undo unknown" else paid
                await desk.settle(task.action, "done" if task.args["to"] in done else "not_done", "lee", "see the statement")
        await desk.drain()


async def actions_of(place: Place, answer: Any) -> None:
    """Send the actions that ran or will run without a person, by payee."""
    async with opened(place) as desk:
        answer.send({line.args["to"]: line.action for line in await desk.feed("lee", limit=1000)})


async def jitter(seconds: float = 0.004) -> None:
    """Let another one be first now and then."""
    await asyncio.sleep(random.random() * seconds)


def sqlite_place(folder: Path, idempotent: bool) -> Place:
    """Return a place on a SQLite database that does not exist yet."""
    return Place(f"sqlite:///{folder}/desk.db", Bank(folder / "bank.db"), idempotent)
