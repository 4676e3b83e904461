"""Takes the pictures of the desk in docs/images: a real desk and shop, the messages' labels in place of a model, a real Chromium.

Run `python docs/screenshots.py [FOLDER]`; with `--serve PORT` it only serves that desk and prints a sign-in link.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import uvicorn
from assent.evals.opening import open_desk
from assent.graph.confidence import agreement, precedent
from assent.graph.desk import Desk
from assent.graph.models.embeddings import Lexical
from assent.graph.proposing import Step
from assent.tools.shop.actions import shop_tools
from assent.tools.shop.seeding import read_customers
from assent.tools.shop.tables import open_shop
from assent.ui import Requester, UiSettings, create_app
from langchain_core.messages import AIMessage, HumanMessage

OPERATOR, COLLEAGUE = "ada", "bob"
UNDOABLE = """  - name: undoable
    tools: [hand_over, change_address]
    ruling: gate
    reason: It can be undone, so it may run by itself once the agent has earned it.
"""
TERMS = """  - name: two people
    tools: [refund]
    ruling: review
    reason: Two people look at every refund.
    terms: {quorum: 2, second_for_edits: true, due: 20m, warn: 25m}

  - name: under watch, before
    tools: [hand_over]
    ruling: allow
    reason: It can be undone, and somebody watches.
    terms: {veto: 10m}

  - name: under watch, after
    tools: [change_address]
    ruling: allow
    reason: It can be undone, and somebody watches.
    terms: {undo: 45m}
"""
"""What the pictures' policy says in place of the shop's rule on what can be undone, so that every state of the desk is shown."""
DECIDED, WAITING = 12, 22
VIEWS = {"light": (1280, 860, "light"), "dark": (1280, 860, "dark"), "phone": (390, 844, "light")}
LINES = [json.loads(line) for line in (files("assent.tools.shop.data") / "messages-1.jsonl").read_text("utf-8").splitlines()]
LABELS = {line["text"].strip(): line["action"] for line in LINES}


async def labelled(step: Step, *, temperature: float = 0.0, seed: int | None = None) -> AIMessage:
    """Propose the labelled action; when resampled, now and then something else, so that agreement has something to say."""
    asked = next((message for message in reversed(step.messages) if isinstance(message, HumanMessage)), None)
    if asked is not step.messages[-1]:
        return AIMessage("Done. Is there anything else?")
    action = LABELS.get(str(asked.content).strip(), {"tool": "send_reply", "args": {"topic": "ask_details"}})
    if temperature and seed is not None and (len(str(asked.content)) + seed) % 4 == 0:
        action = {"tool": "send_reply", "args": {"topic": "ask_details"}}
    return AIMessage("", tool_calls=[{"name": action["tool"], "args": _completed(step, action), "id": "call"}])


def _completed(step: Step, action: dict[str, Any]) -> dict[str, Any]:
    """Fill in what a label leaves out from the legal choices of the case."""
    offer = next((one for one in step.offers if one.name == action["tool"]), None)
    choices = (offer.choices if offer else None) or ()
    label = action["args"]
    fitting = (choice for choice in choices if all(choice.get(name, value) == value for name, value in label.items()))
    return {**next(fitting, {}), **label}


async def fill(desk: Desk) -> None:
    """Have some cases decided and more of them wait."""
    await desk.users.add(OPERATOR, role="lead")
    await desk.users.add(COLLEAGUE, role="operator")
    chosen = [line for line in LINES if line["action"]["tool"] not in ("look_up_order", "look_up_customer")]
    for number, line in enumerate(chosen[: DECIDED + WAITING]):
        await desk.send(f"case-{number}", line["text"], requester=line["customer"])
        await desk.drain()
        if number < DECIDED:
            await _decide(desk, number)
    await desk.drain()
    await _work_of_a_colleague(desk)


async def _work_of_a_colleague(desk: Desk) -> None:
    """Have somebody else approve one refund of two people, and veto and undo what runs under watch."""
    refund = next((card for card in await desk.pending(COLLEAGUE, limit=100) if card.tool == "refund" and not card.approvals), None)
    if refund is not None:
        await desk.decide(refund.id, {"type": "approve", "digest": refund.digest}, COLLEAGUE)
    feed = await desk.feed(COLLEAGUE, limit=50)
    held = [line for line in feed if line.kind == "held"]
    undoable = [line for line in feed if line.kind == "undoable"]
    if held:
        await desk.veto(held[-1].action, COLLEAGUE, "This one is for the returns team.")
    if undoable:
        await desk.undo(undoable[-1].action, COLLEAGUE, "That is the old address.")
    await desk.drain()


async def _decide(desk: Desk, number: int) -> None:
    for card in await desk.pending(OPERATOR, limit=1, mine=True):
        decision: dict[str, Any] = {"type": "approve", "digest": card.digest, "seen_ms": 4_000 + 300 * number}
        if number % 5 == 3:
            decision |= {"type": "reject", "reason": "not_needed", "feedback": "They only ask when it comes."}
        await desk.decide(card.id, decision, OPERATOR)


def _with_terms(policy: Path, folder: Path) -> Path:
    text = policy.read_text("utf-8")
    if UNDOABLE not in text:
        raise SystemExit("The shop's policy has changed; change UNDOABLE here with it.")
    path = folder / "policy.yaml"
    path.write_text(text.replace(UNDOABLE, TERMS), "utf-8")
    return path


@asynccontextmanager
async def served(port: int) -> AsyncIterator[tuple[str, Desk]]:
    """Serve a filled desk; yields its address and the desk."""
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="assent-pictures-")
    try:
        with as_file(files("assent.tools.shop") / "policy.yaml") as policy:
            watched = await asyncio.to_thread(_with_terms, policy, Path(folder))
            async with open_shop(Path(folder, "shop.db")) as shop, open_desk(f"sqlite:///{folder}/desk.db") as desk:
                signals = (agreement(), precedent())
                desk.agent(None, shop_tools(shop), policy=watched, propose=labelled, signals=signals, memory=Lexical())
                await fill(desk)
                customers = [Requester(one.id, one.name) for one in read_customers()]
                app = create_app(desk, UiSettings(requesters=lambda: customers, undo_window=5.0))
                server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
                running = asyncio.create_task(server.serve())
                while not server.started and not running.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                yield f"http://127.0.0.1:{port}", desk
                server.should_exit = True
                await running
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def take(folder: Path) -> None:
    """Take all pictures."""
    from playwright.async_api import async_playwright

    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with served(port) as (address, desk), async_playwright() as play:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, (width, height, scheme) in VIEWS.items():
            context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            token = await desk.users.open_session(OPERATOR)
            await context.add_cookies([{"name": "assent_session", "value": token, "url": address}])
            page = await context.new_page()
            await _pages(page, desk, address, folder, name)
            if name != "phone":
                await _stopped(page, desk, address, folder, name)
            await context.close()
        await browser.close()


async def _stopped(page: Any, desk: Desk, address: str, folder: Path, name: str) -> None:
    stop = await desk.stop("tool", "send_reply", OPERATOR, "The letters carry the wrong address since noon.")
    for card in [card for card in await desk.pending(OPERATOR, limit=100) if card.tool == "send_reply"][:3]:
        await desk.decide(card.id, {"type": "approve", "digest": card.digest}, OPERATOR)
    await desk.drain()
    await page.goto(f"{address}/control")
    await page.wait_for_selector(".sb-banner")
    await page.get_by_label("Why", exact=True).fill("Refunds are paid twice")
    await page.wait_for_timeout(900)
    await page.screenshot(path=folder / f"desk-control-{name}.png")
    await desk.lift(stop.id, OPERATOR, "The letters are right again.")


async def _pages(page: Any, desk: Desk, address: str, folder: Path, name: str) -> None:
    waiting = await desk.pending(OPERATOR, limit=100, mine=True)
    shown = max(waiting, key=lambda card: (len(card.approvals), card.tool == "refund"))
    await page.goto(f"{address}/?review={shown.id}")
    await page.wait_for_selector(".rc-card")
    await page.wait_for_timeout(400)
    await page.screenshot(path=folder / f"desk-review-{name}.png")
    if name == "phone":
        return
    if name == "light":
        await page.keyboard.press("e")
        if shown.tool == "refund":
            await page.get_by_label("Reason").select_option(label="missing_item")
        await page.screenshot(path=folder / "desk-edit.png")
    for where, ready in (
        ("inbox", "table"),
        ("watch", ".rv-list"),
        ("history", ".rv-list"),
        ("advice", ".ad-type"),
        ("playground", ".cv-list"),
    ):
        await page.goto(f"{address}/{where}")
        await page.wait_for_selector(ready)
        await page.wait_for_timeout(900)
        if where == "playground":
            await page.get_by_label("Message").fill("Hello, my order has not come. Can you cancel it please?")
            await page.get_by_role("button", name="Send").click()
            await page.wait_for_selector(".cv-waiting")
        await page.screenshot(path=folder / f"desk-{where}-{name}.png")


async def stay(port: int) -> None:
    """Serve until stopped."""
    async with served(port) as (address, desk):
        print(f"{address}/sign-in?token={await desk.users.mint_sign_in(OPERATOR)}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--serve", type=int, metavar="PORT")
    chosen = parser.parse_args()
    asyncio.run(stay(chosen.serve) if chosen.serve else take(chosen.folder))
    if not chosen.serve:
        import insights_screenshots

        asyncio.run(insights_screenshots.take(chosen.folder))
