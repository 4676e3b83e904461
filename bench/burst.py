"""Reviewers who decide at once, as fast as keys can be pressed, over HTTP: `python -m bench.burst`; no decision may be lost."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

import httpx
from assent.graph.looking.views import ReviewCard
from assent.graph.opening import open_desk
from assent.graph.store import reviews
from assent.graph.store.events import of_subject
from assent.graph.store.models import DecisionRow
from sqlmodel import col, select

from .databases import KINDS, databases
from .loading import load, people
from .report import machine_line
from .web import served

IN_FLIGHT = 4
"""Decisions that one reviewer has on the way at once: keys are pressed faster than answers come."""

DOUBLED, SHARED = 10, 25
"""Every so many keys one is pressed twice; every so many cards another reviewer rejects the same card at the same moment."""


@dataclass(slots=True)
class Burst:
    """What was pressed, what was acknowledged, and what the database says afterwards."""

    pressed: int = 0
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By review: decision and reviewer of the answer that said it counts."""
    doubled: int = 0
    """Keys pressed twice that were answered with one and the same decision."""
    late: int = 0
    """Answers that told who was faster."""
    again: int = 0
    """Requests sent again under the same key because the first got no usable answer."""
    faults: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    lost: int = 0
    twice: int = 0

    def line(self) -> str:
        """Return it in one line."""
        p50, p95 = median(self.times), quantiles(self.times, n=20)[-1]
        return (
            f"{self.pressed} keys, {len(self.acknowledged)} decisions acknowledged, {self.lost} lost, {self.twice} decided twice; "
            f"{self.doubled} pressed twice and decided once, {self.late} told who was faster, {self.again} sent again; "
            f"acknowledged after p50 {p50:.0f} ms, p95 {p95:.0f} ms; {len(self.acknowledged) / self.seconds:.0f} decisions a second"
        )


def main() -> None:
    """Read the command line, let them decide, print; exits with 1 when a decision was lost or counted twice."""
    options = _options()
    bad = False
    with databases(tuple(options.databases), options.folder) as made:
        for kind in options.databases:
            _say(f"{kind}: {options.reviewers} reviewers, {options.keys} keys each")
            found = burst(made.fresh(kind), options.reviewers, options.keys)
            bad = bad or bool(found.lost or found.twice or found.faults)
            print(f"{kind}: {options.reviewers} reviewers at once: {found.line()}")
            print("\n".join(found.faults[:20]), end="\n" if found.faults else "")
    print(f"{IN_FLIGHT} on the way at once per reviewer, one web process; {datetime.now(UTC):%d %B %Y}; {machine_line()}")
    sys.exit(int(bad))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.burst", description=__doc__)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--keys", type=int, default=200, help="decisions each reviewer makes (default 200)")
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--folder", type=Path, help="where the databases are made and removed (default: temporary files)")
    return parser.parse_args()


def burst(url: str, reviewers: int, keys: int) -> Burst:
    """Fill a database, serve it, and let reviewers decide all of it at once."""
    load(url, reviewers * keys, operators=reviewers)
    with served(url) as address:
        return asyncio.run(_decided(url, address, people(reviewers), keys))


async def _decided(url: str, address: str, names: Sequence[str], keys: int) -> Burst:
    found = Burst()
    async with open_desk(url) as desk:
        cards = await desk.pending(names[0], limit=len(names) * keys)
        sessions = {name: await desk.users.open_session(name) for name in names}
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            progress = group.create_task(_progress(found, len(cards)))
            async with asyncio.TaskGroup() as pressing:
                for number, name in enumerate(names):
                    mine = cards[number :: len(names)]
                    theirs = cards[(number + 1) % len(names) :: len(names)][::SHARED]
                    pressing.create_task(_reviewer(address, name, sessions[name], mine, theirs, found))
            progress.cancel()
        found.seconds = time.perf_counter() - begun
        await _judge(desk, cards, found)
    return found


async def _reviewer(
    address: str, name: str, session: str, mine: Sequence[ReviewCard], theirs: Sequence[ReviewCard], found: Burst
) -> None:
    """Approve one's own cards and reject, too, some that are another's."""
    limits = httpx.Limits(max_connections=IN_FLIGHT * 2)
    cookies = {"assent_session": session}
    waiting = iter([*((card, {"type": "approve"}) for card in mine), *((card, _REJECT) for card in theirs)])
    async with httpx.AsyncClient(base_url=address, cookies=cookies, timeout=60, limits=limits) as client:
        answer = await client.get("/api/desk")
        answer.raise_for_status()

        async def presses() -> None:
            for card, decision in waiting:
                await _press(client, name, card, decision, found)

        await asyncio.gather(*(presses() for _ in range(IN_FLIGHT)))


_REJECT = {"type": "reject", "reason": "wrong", "feedback": ""}


async def _press(client: httpx.AsyncClient, name: str, card: ReviewCard, decision: dict[str, Any], found: Burst) -> None:
    body = {"digest": card.digest, "decision": decision, "key": uuid4().hex, "seen_ms": 400}
    found.pressed += 1
    begun = time.perf_counter()
    if found.pressed % DOUBLED:
        answers = [await _answered(client, card, body, found)]
    else:
        answers = list(await asyncio.gather(*(_answered(client, card, body, found) for _ in range(2))))
    found.times.append((time.perf_counter() - begun) * 1e3)
    told = [(one.status_code, one.json().get("decided", {}).get("decision_id", "")) for one in answers]
    if told[0] != told[-1]:
        found.faults.append(f"{card.id}: one key, two answers: {told}")
    found.doubled += len(told) - 1
    _note(found, name, card, answers[0])


def _note(found: Burst, name: str, card: ReviewCard, answer: httpx.Response) -> None:
    if answer.status_code == 409 and answer.json()["error"] == "already_decided":
        found.late += 1
    elif answer.status_code != 200:
        found.faults.append(f"{card.id}: {answer.status_code} {answer.text[:200]}")
    elif card.id in found.acknowledged:
        found.faults.append(f"{card.id}: acknowledged to two reviewers")
    else:
        found.acknowledged[card.id] = (answer.json()["decided"]["decision_id"], name)


async def _answered(client: httpx.AsyncClient, card: ReviewCard, body: dict[str, Any], found: Burst) -> httpx.Response:
    """Send a decision, again under the same key while there is no usable answer."""
    for attempt in range(20):
        with contextlib.suppress(httpx.TransportError):
            answer = await client.post(f"/api/reviews/{card.id}/decision", json=body)
            if answer.status_code != 503:
                return answer
        found.again += 1
        await asyncio.sleep(0.1 * (attempt + 1))
    raise RuntimeError(f"no answer for {card.id}")


async def _judge(desk: Any, cards: Sequence[ReviewCard], found: Burst) -> None:
    """Compare what was acknowledged with the rows and with the audit log."""
    async with desk.store.read() as tx:
        rows = (await tx.exec(select(DecisionRow).order_by(col(DecisionRow.sequence)))).all()
        counted = Counter(row.review for row in rows)
        kept = {row.review: (row.id, row.actor) for row in rows}
        found.twice = sum(count > 1 for count in counted.values())
        found.lost = sum(kept.get(review) != decision for review, decision in found.acknowledged.items())
        for card in cards:
            review = await reviews.by_id(tx, card.id)
            status = review.status if review is not None else "gone"
            if (status in ("approved", "rejected")) != (card.id in found.acknowledged):
                found.faults.append(f"{card.id} is {status}, acknowledged: {card.id in found.acknowledged}")
            events = await of_subject(tx, desk.tenant, review.action if review is not None else "")
            if sum(event.kind.startswith("decision.") for event in events) != counted[card.id]:
                found.faults.append(f"{card.id}: the audit log does not tell of its decision once")


async def _progress(found: Burst, cards: int) -> None:
    while True:
        await asyncio.sleep(10)
        _say(f"  {len(found.acknowledged)} of {cards} decided")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
