"""The judge: reads the bank and the rows, believes nothing the desk says of itself, and names what was lost, done twice or done
without assent.

Lost: an accepted message nobody answers, or a payment that was asked for and is in no terminal state and in no list people look at.
Twice: more payments than one. Without assent: a payment that no standing approval by enough people, and no verdict, covers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from desk import DOUBTS, LATER, Place, opened
from fakes import later_clock

ACTIONS = """
SELECT a.id, a.thread, a.requester, a.digest, a.args, a.verdict, r.id AS review, r.status, r.version, r.quorum,
    e.status AS ran, e.undo_status, h.vetoed_by
FROM actions a LEFT JOIN reviews r ON r.action = a.id LEFT JOIN executions e ON e.action = a.id
LEFT JOIN holds h ON h.action = a.id
"""
DECISIONS = "SELECT id, review, type, actor, digest, args, withdraws FROM decisions ORDER BY sequence"
INBOUND = "SELECT thread, status FROM inbound"
THREADS = "SELECT id, status FROM threads"
EVENTS = "SELECT subject, kind, count(*) AS times FROM events GROUP BY subject, kind"
ONCE = ("execution.claimed", "execution.succeeded", "review.expired", "verdict")
"""What the audit log may say of one action at most once."""

ENDED = ("succeeded", "failed", "undone")


@dataclass(slots=True)
class Found:
    """What the judge has to say of a batch; empty lists are what we want."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    unknown: int = 0
    """Payments that a person is asked to look into: allowed for a tool without a key, and never tried again."""

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, done twice or done without assent."""
        return not (self.lost or self.twice or self.without)


async def judge(place: Place, payees: Sequence[str], answer: Any) -> None:
    """Send what became of the payments that were asked for, seen twenty minutes later by a process that did nothing."""
    async with opened(place, later_clock(2 * LATER)) as desk:
        async with desk.store.read() as tx:
            rows = {name: await _all(tx, query) for name, query in _QUERIES.items()}
        seen = {card.args["to"] for card in await desk.pending("lee", limit=1000)}
        tasks = await desk.tasks("lee")
        open_threads = [row["id"] for row in rows["threads"] if row["status"] == "open"]
        next_of = {thread: await _rest(desk, thread) for thread in open_threads}
    found = Found(unknown=sum(task.kind in DOUBTS for task in tasks))
    paid = Counter(place.bank.payments)
    _effects(found, rows, paid)
    found.twice += [
        f"{row['subject']}: {row['kind']} {row['times']} times"
        for row in rows["events"]
        if row["kind"] in ONCE and row["times"] > 1
    ]
    taken_back = Counter(place.bank.refunds)
    found.twice += [f"{payee}: taken back {times} times" for (payee, _), times in taken_back.items() if times > 1]
    asked = {row["args"]["to"] for row in rows["actions"] if row["undo_status"]}
    found.without += [f"{payee}: taken back, and nobody asked" for payee, _ in taken_back if payee not in asked]
    watched = seen | {task.args["to"] for task in tasks if task.kind in DOUBTS}
    stuck = {task.thread for task in tasks}
    _losses(found, rows, paid, payees, watched, stuck)
    _silences(found, rows, next_of, stuck | {row["thread"] for row in rows["actions"] if row["args"]["to"] in watched})
    answer.send(found)


_QUERIES = {"actions": ACTIONS, "decisions": DECISIONS, "inbound": INBOUND, "threads": THREADS, "events": EVENTS}


async def _all(tx: Any, query: str) -> list[dict[str, Any]]:
    return [_plain(row) for row in (await tx.exec(sa.text(query))).mappings()]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(row)
    if isinstance(found.get("args"), str):
        found["args"] = json.loads(found["args"])
    return found


async def _rest(desk: Any, thread: str) -> str:
    """Return how a thread's graph stands: `done`, `waits` or what kind of message it ended on."""
    snapshot = await desk.agents["assent"].aget_state({"configurable": {"thread_id": thread}})
    messages = snapshot.values.get("messages", [])
    return "waits" if snapshot.next else "done" if messages and messages[-1].type == "ai" else "in the middle"


def _effects(found: Found, rows: dict[str, Any], paid: Counter[tuple[str, int]]) -> None:
    for (payee, amount), times in paid.items():
        if times > 1 or sum(other == payee for other, _ in paid) > 1:
            found.twice.append(f"{payee}: {amount} paid {times} times")
        if not any(_covers(row, rows["decisions"], amount) for row in rows["actions"] if row["args"]["to"] == payee):
            found.without.append(f"{payee}: {amount}")


def _covers(row: dict[str, Any], decisions: Sequence[dict[str, Any]], amount: int) -> bool:
    if row["verdict"] == "allow":
        return bool(row["args"]["amount"] == amount) and row["vetoed_by"] is None
    if row["verdict"] != "review" or row["status"] != "approved":
        return False
    mine = [one for one in decisions if one["review"] == row["review"]]
    taken_back = {one["withdraws"] for one in mine}
    mine = [one for one in mine if one["type"] in ("approve", "edit") and one["id"] not in taken_back]
    agreed = [one for one in mine if one["digest"] == mine[-1]["digest"]]
    args = next((one["args"] for one in agreed if one["args"] is not None), row["args"])
    people = {one["actor"] for one in agreed} - {row["requester"]}
    return len(people) >= (row["quorum"] or 1) and args["amount"] == amount


def _losses(
    found: Found, rows: dict[str, Any], paid: Counter[tuple[str, int]], payees: Sequence[str], watched: set[str], stuck: set[str]
) -> None:
    by_payee = {row["args"]["to"]: row for row in rows["actions"]}
    for payee in payees:
        row = by_payee.get(payee)
        if row is None:
            if payee.rsplit("-", 1)[0] not in stuck:
                found.lost.append(f"{payee}: was never proposed")
            continue
        live = (row["verdict"] == "allow" and row["vetoed_by"] is None) or row["status"] in ("pending", "approved")
        if live and row["ran"] not in ENDED and payee not in watched and row["thread"] not in stuck:
            found.lost.append(f"{payee}: {row['status']}, execution {row['ran']}, and nobody is told")
        if row["ran"] == "succeeded" and not any(other == payee for other, _ in paid):
            found.lost.append(f"{payee}: said to be paid, and is not")


def _silences(found: Found, rows: dict[str, Any], next_of: dict[str, str], told: set[str]) -> None:
    for row in rows["inbound"]:
        if row["status"] == "waiting" and row["thread"] not in told:
            found.lost.append(f"{row['thread']}: a message was accepted and never delivered")
    for thread, rest in next_of.items():
        if rest != "done" and thread not in told:
            found.lost.append(f"{thread}: the agent stands {rest}, and nobody is told")
