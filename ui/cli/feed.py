"""Feeds messages to the demo: a case each, only as fast as people keep up, never the same one twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...graph.errors import AssentError
from ...tools.shop.messages import MessageFileError, packaged_messages, read_messages
from ...tools.shop.seeding import read_customers
from .place import OPERATOR, Place
from .say import Failed, tell

WAITING = 12
"""The feed pauses while so many reviews wait."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with the thread it opens and the customer who wrote it."""

    thread: str
    customer: str
    text: str


def letters(file: Path | None, seed: int) -> list[Letter]:
    """Return what is fed: the packaged messages (held-out ones stay out) in an order drawn by `seed`, or somebody's own."""
    if file is None:
        packaged = [Letter(f"case-{one.id}", one.customer, one.text) for one in packaged_messages("train")]
        random.Random(seed).shuffle(packaged)  # noqa: S311 - an order, not a secret
        return packaged
    try:
        inbox = read_messages(file)
    except MessageFileError as error:
        raise Failed(str(error), 2) from None
    for line in inbox.skipped:
        tell(f"assent: {line}")
    anybody = read_customers()[0].id
    return [Letter(f"{file.stem}-{one.id or one.line}", one.customer or anybody, one.text) for one in inbox.messages]


async def feed(place: Place, given: Sequence[Letter]) -> None:
    """Hand the letters in one by one, while fewer than `WAITING` reviews wait."""
    for letter in given:
        await _room(place)
        await hand_in(place, letter)


async def _room(place: Place) -> None:
    """Wait until people have decided enough and the agent has read what it was given."""
    # rows of a database raise no event to wait for
    while await place.desk.count_pending(OPERATOR) >= WAITING or await place.desk.backlog() >= 2:  # noqa: ASYNC110
        await asyncio.sleep(0.5)


async def hand_in(place: Place, letter: Letter) -> bool:
    """Hand one letter in unless its case is open already; what is wrong with it is told in one line."""
    if await place.desk.has_thread(letter.thread):
        return False
    try:
        await place.desk.send(letter.thread, letter.text, requester=letter.customer, agent=place.agent.name)
    except AssentError as error:
        tell(f"assent: {letter.thread}: {error}")
        return False
    return True
