from __future__ import annotations

from typing import Any

import pytest

from .conftest import PASSWORD, Shop, done, eventually, served, settings, signed_in_page

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NOT_OURS: set[str] = set()


async def violations(page: Any) -> list[str]:
    from axe_playwright_python.async_playwright import Axe

    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found.response["violations"]
        if one["id"] not in NOT_OURS
        for node in one["nodes"]
    ]


async def test_what_happens_in_the_playground_waits_and_goes_on_without_a_reload(shop: Shop, browser: Any) -> None:
    async with signed_in_page(shop, browser, "ada", path="/playground") as page:
        await page.get_by_label("Message").fill("please note this")
        await page.get_by_role("button", name="Send").click()
        await page.wait_for_selector("text=Waiting for approval RQ-1")
        review = await page.context.new_page()
        await review.goto(page.address + (await page.get_attribute(".cv-waiting a", "href") or ""))
        await review.wait_for_selector(".rc-card")
        await review.keyboard.press("a")
        await page.wait_for_selector(".cv-waiting", state="detached")
        await page.wait_for_selector(".cv-action >> text=succeeded")
        await page.wait_for_selector("text=That is settled.")
        assert done[0][1]["text"] == "please note this"


async def test_seven_tabs_of_one_browser_all_load(shop: Shop, browser: Any) -> None:
    await shop.refund()
    async with signed_in_page(shop, browser, "ada") as first:
        paths = ("/", "/playground", "/", "/inbox", "/playground", "/history")
        tabs = [await first.context.new_page() for _ in paths]
        for tab, path in zip(tabs, paths, strict=True):
            await tab.goto(first.address + path)
        for tab, path in zip(tabs, paths, strict=True):
            await tab.wait_for_selector(
                {"/": ".rc-card", "/playground": ".cv-list", "/inbox": "table", "/history": ".rv-empty"}[path]
            )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_there_is_no_accessibility_violation(shop: Shop, browser: Any, scheme: str, width: int) -> None:
    await shop.refund(1)
    await shop.ask("note", {"text": "a\u202eb " + "long " * 400})
    context = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
    async with signed_in_page(shop, browser, "lin", context=context, undo_window=60.0) as page:
        await page.wait_for_selector(".rc-card")
        assert await violations(page) == []
        for keys in ("e", "r", "t"):
            await page.keyboard.press(keys)
            assert await violations(page) == [], keys
            await page.keyboard.press("Escape")
        await page.keyboard.press("a")
        await page.wait_for_selector("text=Undo")
        assert await violations(page) == []
        await page.keyboard.press("?")
        assert await violations(page) == []
        for path, ready in (("/inbox", "table"), ("/history", ".rv-list"), ("/playground", ".cv-list")):
            await page.goto(page.address + path)
            await page.wait_for_selector(ready)
            await page.wait_for_timeout(400)
            assert await violations(page) == [], path
            wide = "[...document.querySelectorAll('html, .rv-scroll')].some((one) => one.scrollWidth > one.clientWidth)"
            assert not await page.evaluate(wide), f"something on {path} is wider than the screen"


async def test_signing_in_and_out_by_hand(shop: Shop, browser: Any) -> None:
    from assent.ui import create_app

    await shop.refund()
    async with served(create_app(shop.desk, settings())) as address:
        page = await browser.new_page()
        await page.goto(address + "/history")
        await page.get_by_label("User name").fill("ada")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_selector("text=Nothing has been decided yet.")
        await page.get_by_role("link", name="Review").click()
        await page.wait_for_selector(".rc-card")
        assert await page.evaluate("document.cookie") == ""
        assert "run-history" not in await page.evaluate("JSON.stringify(localStorage)")
        assert "34.00" not in await page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_selector("text=Sign in to the desk.")
        await page.goto(address + "/")
        assert await page.get_by_label("Password").is_visible()
        await page.goto(address + "/sign-in?token=" + await shop.desk.users.mint_sign_in("lin"))
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_selector("text=lin")
        await page.close()


async def test_the_inbox_is_searched_filtered_and_leads_to_the_card(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.ask("note", {"text": "about the larch"})
    await shop.ask("delete_account", {"customer": "C100"})
    async with signed_in_page(shop, browser, "ada", path="/inbox") as page:
        await page.wait_for_selector("text=3 waiting")
        await page.get_by_label("Consequence").select_option("irreversible")
        await page.wait_for_selector("text=1 waiting")
        assert await page.locator("tbody tr").count() == 1
        await page.get_by_label("Consequence").select_option("any")
        await page.get_by_label("Tool").select_option("note")
        assert await page.locator("tbody tr").count() == 1
        await page.get_by_role("link", name="RQ-2").click()
        await page.wait_for_selector(".rc-facts >> text=about the larch")


async def test_an_execution_nobody_can_vouch_for_is_settled_by_a_person(shop: Shop, browser: Any) -> None:
    await shop.ask("courier", {"order_id": "1001"})
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("a")
        await page.wait_for_selector("text=Nothing waits for you")
        await eventually(lambda: has_tasks(shop, 1))
        await page.goto(page.address + "/inbox")
        await page.wait_for_selector("text=The courier's server did not answer.")
        await page.wait_for_selector("text=Find out whether it happened")
        await page.get_by_role("link", name="1 action needs a person").click()
        await page.get_by_label("What you found").fill("booked by telephone")
        await page.get_by_role("button", name="It happened").click()
        await page.wait_for_selector("text=Nothing is stuck.")
        await page.wait_for_selector(".ib-stuck", state="hidden")
        assert len(done) == 1
        assert (await shop.desk.history("lin"))[0].outcome == "succeeded"


async def has_tasks(shop: Shop, count: int) -> bool:
    return len(await shop.desk.tasks("lin")) == count


async def test_the_history_shows_what_an_edit_changed_and_a_lead_takes_an_example_out(shop: Shop, browser: Any) -> None:
    review = await shop.refund(1)
    card = await shop.desk.card(review, "ada")
    await shop.desk.decide(review, {"type": "edit", "digest": card.digest, "args": {**card.args, "amount": "12.00"}}, "ada")
    async with signed_in_page(shop, browser, "lin", path="/history") as page:
        await page.wait_for_selector(".rv-list ins")
        assert await page.text_content(".rv-list del") == "34"
        await page.get_by_role("button", name="Take out").click()
        await page.get_by_label("Why should it teach no longer?").fill("wrong customer")
        await page.get_by_role("button", name="Take out").click()
        await page.wait_for_selector("text=taken out")
        assert (await shop.desk.examples("lin"))[0].retired_reason == "wrong customer"
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name="Export JSONL").click()
        assert (await waiting.value).suggested_filename == "assent-history.jsonl"


async def test_it_works_under_a_path_of_another_application(shop: Shop, browser: Any) -> None:
    from assent.ui import mount
    from fastapi import FastAPI

    await shop.refund()
    async with served(mount(FastAPI(), shop.desk, "/desk", settings(run_worker=True))) as address:
        page = await browser.new_page()
        await page.goto(address + "/desk/")
        await page.get_by_label("User name").fill("ada")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("a")
        await page.wait_for_selector("text=Nothing waits for you")
        await page.get_by_role("link", name="Open the Playground").click()
        await page.wait_for_selector(".cv-list")
        assert page.url == address + "/desk/playground"
        await page.get_by_role("link", name="Inbox").click()
        await page.wait_for_selector("text=Nothing waits.")
        await page.close()
        assert [line.decision for line in await shop.desk.history("lin")] == ["approve"]
