"""Takes the pictures of the page Insights: made-up months of decisions, and from there on the learner, the gate and a lead.

`docs/screenshots.py` runs it with the others; `python docs/insights_screenshots.py [FOLDER]` takes these alone.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from assent.graph.desk import Desk
from assent.graph.opening import open_desk
from assent.ui import UiSettings, create_app

ROOT = Path(__file__).parent.parent
VIEWS = {"light": (1280, 1560), "dark": (1280, 1560), "phone": (390, 1400)}


async def fill(desk: Desk) -> None:
    """Write one class of each kind that the page tells apart, and what reviewers made of known-answer items."""
    sys.path.insert(0, str(ROOT / "tests" / "ui"))
    from earning import Class, earn, measure

    for name, role in (("ada", "operator"), ("bob", "operator"), ("lin", "lead")):
        await desk.users.add(name, role=role)  # type: ignore[arg-type]
    await earn(desk, Class("change_address", "Change a delivery address", before=760, after=420, easy=0.6), seed=3)
    await earn(desk, Class("send_reply", "Send a letter", before=340, offered=True), seed=3)
    await earn(desk, Class("hand_over", "Hand a case over", before=330, after=520, worse=5.5), seed=3)
    await earn(desk, Class("refund", "Refund an order", "costly", before=63, easy=0.6, offered=True), seed=3)
    await measure(desk, Class("refund", "Refund an order", "costly"), {"ada": 3, "bob": 2})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, Desk]]:
    """Serve a filled desk; yields its address and the desk."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="assent-pictures-")
    try:
        async with open_desk(f"sqlite:///{folder}/desk.db") as desk:
            await fill(desk)
            server = uvicorn.Server(uvicorn.Config(create_app(desk, UiSettings(run_worker=False)), port=port, log_level="error"))
            running = asyncio.create_task(server.serve())
            while not server.started and not running.done():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            yield f"http://127.0.0.1:{port}", desk
            server.should_exit = True
            await running
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def take(folder: Path) -> None:
    """Take the pictures."""
    from playwright.async_api import async_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    async with served() as (address, desk), async_playwright() as play:
        browser = await play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, (width, height) in VIEWS.items():
            scheme = "dark" if name == "dark" else "light"
            context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            token = await desk.users.open_session("lin")
            await context.add_cookies([{"name": "assent_session", "value": token, "url": address}])
            page = await context.new_page()
            await page.goto(f"{address}/insights")
            await _classes(page, folder, name)
            await context.close()
        await browser.close()


async def _classes(page: Any, folder: Path, name: str) -> None:
    shown = "Hand a case over" if name == "dark" else "Change a delivery address"
    await page.locator(".in-line", has_text=shown).click()
    await page.wait_for_selector(f"h3 >> text={shown}")
    await page.wait_for_selector("[data-chart=monitor] svg")
    await page.wait_for_timeout(400)
    await page.screenshot(path=folder / f"insights-{name}.png")
    if name == "light":
        reviewers = page.get_by_role("region", name="Reviewers")
        await reviewers.screenshot(path=folder / "insights-reviewers.png")
        await page.set_viewport_size({"width": 1280, "height": 960})
        await page.locator(".in-line", has_text="Send a letter").click()
        await page.get_by_role("button", name="Promote to certified…").click()
        await page.get_by_label("Why are you convinced?").fill("Right for eleven weeks, and a letter can be followed by another.")
        await page.screenshot(path=folder / "insights-signing.png")


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images"))
