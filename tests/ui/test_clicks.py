"""Clicks in a real browser: double, again after going back, in two tabs, and into a process that is killed: decided once or not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import assent
import pytest
from assent.ui import create_app
from faults.processes import start

from .conftest import PEOPLE, Shop, done, eventually, refund, scripted, settings, signed_in_page

pytestmark = pytest.mark.browser


async def decisions(desk: assent.Desk) -> list[tuple[str, str]]:
    return [(line.review or "", str(line.decision)) for line in await desk.history("lin", limit=100, automatic=False)]


async def all_done(shop: Shop, count: int) -> None:
    async def there() -> bool:
        return len(await decisions(shop.desk)) >= count and len(done) >= count

    await eventually(there)


async def test_a_double_click_decides_the_shown_card_once_and_never_the_next(shop: Shop, browser: Any) -> None:
    first, _ = await shop.refund(1), await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=1001")
        await page.wait_for_timeout(800)
        await page.get_by_role("button", name="Approve").dblclick(delay=20)
        await all_done(shop, 1)
        await page.wait_for_timeout(500)
    assert await decisions(shop.desk) == [(first, "approve")]
    assert [call["order_id"] for _, call in done] == ["1001"]


async def test_going_back_and_sending_the_same_request_again_changes_nothing(shop: Shop, browser: Any) -> None:
    review = await shop.refund()
    async with signed_in_page(shop, browser, "ada") as page:
        sent: list[Any] = []
        page.on("request", lambda request: sent.append(request) if "/decision" in request.url else None)
        await page.wait_for_selector(".rc-card")
        await page.wait_for_timeout(800)
        await page.keyboard.press("a")
        await all_done(shop, 1)
        await page.goto(page.address + "/history")
        await page.go_back()
        await page.wait_for_selector("text=Nothing waits for you")
        again = """([url, body]) => fetch(url, {method: 'POST', headers: {'content-type': 'application/json'}, body})
            .then(async (answer) => [answer.status, await answer.json()])"""
        status, told = await page.evaluate(again, [sent[0].url, sent[0].post_data])
        assert (status, told["ok"], told["decided"]["status"]) == (200, True, "approved"), "the recorded result"
        status, told = await page.evaluate(
            again, [sent[0].url, json.dumps({**json.loads(sent[0].post_data), "key": "another key"})]
        )
        assert (status, told["error"], told["by"]) == (409, "already_decided", "ada")
    assert await decisions(shop.desk) == [(review, "approve")] and len(done) == 1


async def test_two_tabs_that_show_the_same_card_decide_it_once_and_the_second_is_told(shop: Shop, browser: Any) -> None:
    review = await shop.refund()
    async with signed_in_page(shop, browser, "ada") as page:
        other = await page.context.new_page()
        await other.goto(page.address + "/")
        for tab in (page, other):
            await tab.wait_for_selector(".rc-card")
        await page.wait_for_timeout(800)
        answers: list[int] = []
        for tab in (page, other):
            tab.on("response", lambda answer: answers.append(answer.status) if "/decision" in answer.url else None)
        await page.keyboard.press("a")
        await other.keyboard.press("r")
        await other.keyboard.press("4")

        async def both() -> bool:
            return len(answers) >= 2

        await eventually(both)
        assert sorted(answers) == [200, 409]
    assert len(await decisions(shop.desk)) == 1 and (await decisions(shop.desk))[0][0] == review
    assert len(done) == (1 if (await decisions(shop.desk))[0][1] == "approve" else 0)


POINTS = ("asked", "decided")
"""The UI's process dies when the click has arrived, or when its decision is committed and before the answer is sent."""


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def desk_process(url: str, at: int, dies: str) -> None:
    """Serve the desk as a process of its own, which is killed at a point of the first decision."""
    import uvicorn

    async with assent.open(url) as desk:
        desk.agent(tools=[refund], policy=assent.Policy([]), propose=scripted)
        decide = desk.decide

        async def dying(*args: Any, **more: Any) -> Any:
            if dies == "asked":
                os.kill(os.getpid(), signal.SIGKILL)
            found = await decide(*args, **more)
            if dies == "decided":
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        desk.decide = dying  # type: ignore[method-assign]
        app = create_app(desk, settings())
        await uvicorn.Server(uvicorn.Config(app, port=at, log_level="error", ws="none")).serve()


async def answering(at: int) -> None:
    async def there() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", at)
        except OSError:
            return False
        writer.close()
        return True

    await eventually(there, 30)


@pytest.mark.parametrize("dies", POINTS)
async def test_a_desk_killed_between_click_and_answer_has_decided_fully_or_not_at_all(
    tmp_path: Path, browser: Any, dies: str
) -> None:
    url, at = f"sqlite:///{tmp_path / 'desk.db'}", port()
    async with assent.open(url) as desk:
        desk.agent(tools=[refund], policy=assent.Policy([]), propose=scripted)
        for name, role in PEOPLE.items():
            await desk.users.add(name, None, role)  # type: ignore[arg-type]
        review = await Shop(desk).refund()
        token = await desk.users.open_session("ada")
    process = start(desk_process, url, at, dies)
    try:
        await answering(at)
        context = await browser.new_context()
        address = f"http://127.0.0.1:{at}"
        await context.add_cookies([{"name": "assent_session", "value": token, "url": address}])
        page = await context.new_page()
        page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))  # "leave this page?": yes
        await page.goto(address)
        await page.wait_for_selector(".rc-card")
        await page.wait_for_timeout(800)
        await page.keyboard.press("a")
        await asyncio.to_thread(process.join, 20)
        assert process.exitcode == -signal.SIGKILL
        async with assent.open(url) as desk:
            expected = [] if dies == "asked" else [(review, "approve")]
            assert await decisions(desk) == expected, "nothing in between"
            assert (await desk.card(review, "lin")).status == ("pending" if dies == "asked" else "approved")
        process = start(desk_process, url, at, "never")
        await answering(at)
        await page.reload()  # the tab kept the decision and sends it again, under the same key
        await page.wait_for_selector("text=Nothing waits for you", timeout=30_000)
        async with assent.open(url) as desk:

            async def decided() -> bool:
                return await decisions(desk) == [(review, "approve")]

            await eventually(decided)
        await context.close()
    finally:
        process.kill()
        process.join()
