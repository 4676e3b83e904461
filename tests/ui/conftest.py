"""A real desk on a real SQLite file, behind the real web application, and a real browser where there is one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import assent
import httpx
import pytest
import uvicorn
from assent.graph.desk import Desk
from assent.graph.proposing import Step
from assent.graph.rules.checks import always
from assent.graph.rules.terms import Terms
from assent.ui import Requester, UiSettings, create_app
from langchain_core.messages import AIMessage, HumanMessage

PASSWORD = "a long enough password"
PEOPLE = {"ada": "operator", "bob": "operator", "lin": "lead", "vic": "viewer"}
CUSTOMERS = (Requester("C100", "Maud Ellery"), Requester("C101", "Tom Bright"))

done: list[tuple[str, dict[str, Any]]] = []
"""What the tools were really called with, in order."""


async def refundable(order_id: str, amount: str, reason: str) -> str:
    """Say what is known of the order."""
    return f"Order {order_id} was delivered."


@assent.action(consequence="costly", title="Refund an order", dry_run=refundable)
async def refund(order_id: str, amount: str, reason: Literal["damaged", "late"] = "damaged") -> str:
    """Pay money back to the customer."""
    if not amount.replace(".", "").isdigit():
        raise assent.ActionRefused("The amount is no number.")
    done.append(("refund", {"order_id": order_id, "amount": amount, "reason": reason}))
    return f"refunded {amount}"


@assent.action(consequence="reversible", title="Write a note")
async def note(text: str, copies: int = 1, urgent: bool = False, weight: float = 1.0, extra: dict[str, Any] | None = None) -> str:
    """Keep a note with the order."""
    done.append(("note", {"text": text, "copies": copies, "urgent": urgent, "weight": weight, "extra": extra}))
    return "noted"


@assent.action(consequence="irreversible", title="Delete an account")
async def delete_account(customer: str) -> str:
    """Delete everything that is known of a customer."""
    done.append(("delete_account", {"customer": customer}))
    return "deleted"


@assent.action(consequence="costly", title="Book a courier")
async def courier(order_id: str) -> str:
    """Have a parcel fetched."""
    done.append(("courier", {"order_id": order_id}))
    raise assent.OutcomeUnknown("The courier's server did not answer.")


@assent.action(consequence="costly", title="Wire money")
async def wire(to: str, amount: int, note: str = "") -> str:
    """Send money to an account."""
    done.append(("wire", {"to": to, "amount": amount, "note": note}))
    return f"wired {amount}"


async def take_back(text: str) -> str:
    """Take a label off again."""
    done.append(("take_back", {"text": text}))
    return "taken off"


@assent.action(consequence="reversible", title="Label an order", undo=take_back)
async def label(text: str) -> str:
    """Put a label on an order."""
    done.append(("label", {"text": text}))
    return "labelled"


@assent.action(consequence="reversible", title="Remind a customer")
async def remind(text: str) -> str:
    """Send a reminder in a while."""
    done.append(("remind", {"text": text}))
    return "reminded"


REVIEWED = ("refund", "note", "delete_account", "courier")
RULES = (
    assent.on(REVIEWED, always("review", "A person looks at everything here.")),
    assent.on("wire", always("review", "Two people look at money.", Terms(quorum=2, second_for_edits=True, due=3600.0))),
    assent.on("label", always("allow", "It can be undone.", Terms(undo=600.0))),
    assent.on("remind", always("allow", "It can wait a moment.", Terms(veto=600.0))),
)


async def scripted(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    """Propose what the requester wrote as JSON; say something plain once it is done."""
    last = step.messages[-1]
    if not isinstance(last, HumanMessage):
        return AIMessage("That is settled.")
    try:
        wish = json.loads(str(last.content))
    except ValueError:
        wish = {"tool": "note", "args": {"text": str(last.content)}}
    if "lines" in wish["args"]:  # a message may not be that long, an argument may
        lines = [f"line {number}" for number in range(int(wish["args"].pop("lines")))]
        wish["args"]["text"] = "\n".join([*lines, wish["args"]["text"]])
    if "letters" in wish["args"]:
        wish["args"]["text"] = "x" * int(wish["args"].pop("letters")) + wish["args"]["text"]
    return AIMessage(wish.get("say", ""), tool_calls=[{"name": wish["tool"], "args": wish["args"], "id": "call"}])


@dataclass
class Shop:
    """A desk with an agent and four people."""

    desk: Desk
    counter: int = 0

    async def ask(self, tool: str, args: dict[str, Any], say: str = "", requester: str = "C100") -> str:
        """Have the agent propose an action; returns the id of its review."""
        self.counter += 1
        thread = f"case-{self.counter}"
        await self.desk.send(thread, json.dumps({"tool": tool, "args": args, "say": say}), requester=requester)
        await self.desk.drain()
        waiting = (await self.desk.conversation(thread)).waiting
        return str(waiting[0]["review"])

    async def run(self, tool: str, args: dict[str, Any]) -> str:
        """Have the agent propose an action that nobody is asked about; returns its thread."""
        self.counter += 1
        thread = f"case-{self.counter}"
        await self.desk.send(thread, json.dumps({"tool": tool, "args": args}), requester="C100")
        await self.desk.drain()
        return thread

    async def refund(self, number: int = 1) -> str:
        """Have the agent propose a refund."""
        return await self.ask("refund", {"order_id": str(1000 + number), "amount": "34.00", "reason": "damaged"})


@pytest.fixture(autouse=True)
def fresh_ledger() -> None:
    """Forget what earlier tests did."""
    done.clear()


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    """A desk on a new database."""
    async with assent.open(url) as desk:
        desk.agent(
            tools=[refund, note, delete_account, courier, wire, label, remind],
            policy=assent.Policy(RULES),
            propose=scripted,
        )
        for name, role in PEOPLE.items():
            await desk.users.add(name, PASSWORD if name == "ada" else None, role)  # type: ignore[arg-type]
        yield Shop(desk)


def settings(**changes: Any) -> UiSettings:
    """Return the settings of the tests."""
    defaults: dict[str, Any] = {
        "hosts": frozenset({"desk.test", "127.0.0.1"}),
        "requesters": lambda: CUSTOMERS,
        "undo_window": 0.0,
        "run_worker": False,
    }
    return UiSettings(**{**defaults, **changes})


def client(app: Any, session: str | None = None) -> httpx.AsyncClient:
    """Return a client of the application in this process."""
    cookies = {"assent_session": session} if session else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk.test", cookies=cookies)


@pytest.fixture
async def app(shop: Shop) -> Any:
    """The web application of the desk."""
    return create_app(shop.desk, settings())


@pytest.fixture
async def ada(shop: Shop, app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in operator."""
    async with client(app, await shop.desk.users.open_session("ada")) as signed_in:
        yield signed_in


@pytest.fixture
async def vic(shop: Shop, app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in viewer."""
    async with client(app, await shop.desk.users.open_session("vic")) as signed_in:
        yield signed_in


@pytest.fixture
async def anonymous(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in."""
    async with client(app) as nobody:
        yield nobody


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an application on a free port of this machine; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none", timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


def chromium() -> str:
    """Return where Chromium is; skips without one, or fails where one is required."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None and os.environ.get("ASSENT_REQUIRE_BROWSER") == "1":
        pytest.fail("No Chromium is installed, and ASSENT_REQUIRE_BROWSER is 1.")
    if found is None:
        pytest.skip("No Chromium is installed.")
    return found


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A real Chromium."""
    path = chromium()
    from playwright.async_api import async_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as play:
        opened = await play.chromium.launch(executable_path=path, args=arguments)
        yield opened
        await opened.close()


@asynccontextmanager
async def signed_in_page(
    shop: Shop, browser: Any, name: str, *, path: str = "/", context: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[Any]:
    """Open a page of the served desk as a user; the worker runs, as in production."""
    app = create_app(shop.desk, settings(run_worker=True, **changes))
    async with served(app) as address:
        opened = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **(context or {})})
        token = await shop.desk.users.open_session(name)
        cookie = {"name": "assent_session", "value": token, "url": address, "httpOnly": True, "sameSite": "Strict"}
        await opened.add_cookies([cookie])
        page = await opened.new_page()
        page.address = address
        page.set_default_timeout(20_000)
        await page.goto(address + path)
        yield page
        await opened.close()


async def eventually(truth: Any, seconds: float = 15.0) -> None:
    """Wait until an async question is answered with yes."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await truth():
        assert asyncio.get_running_loop().time() < deadline, "it never came true"
        await asyncio.sleep(0.1)
