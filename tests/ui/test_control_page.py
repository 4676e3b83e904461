"""On the loop: veto, undo and the stop button, in a real Chromium; and what each outcome asks of a person."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .conftest import Shop, done, eventually, signed_in_page
from .test_pages import violations

pytestmark = pytest.mark.browser


async def test_a_held_action_is_vetoed_with_a_reason_and_never_runs(shop: Shop, browser: Any) -> None:
    await shop.run("remind", {"text": "your parcel"})
    async with signed_in_page(shop, browser, "ada", path="/watch") as page:
        await page.wait_for_selector("[role=timer] >> text=to veto")
        await page.get_by_role("button", name="Veto Remind a customer").click()
        await page.get_by_role("button", name="Veto it").click()
        await page.wait_for_selector("text=Say why.")
        await page.get_by_label("Why must it not run?").fill("wrong customer")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=Vetoed: it did not run, and the agent was told: wrong customer.")
        await page.wait_for_selector("text=Nothing is held and nothing can be undone.")
        await shop.desk.drain()
        assert done == []


async def test_what_ran_is_undone_once_and_said_so(shop: Shop, browser: Any) -> None:
    await shop.run("label", {"text": "fragile"})
    async with signed_in_page(shop, browser, "ada", path="/watch") as page:
        await page.wait_for_selector("[role=timer] >> text=to undo")
        await page.get_by_role("button", name="Undo Label an order").click()
        await page.get_by_label("Why undo it?").fill("wrong order")
        await page.get_by_role("button", name="Undo it").dblclick()

        async def undone() -> bool:
            return [name for name, _ in done] == ["label", "take_back"]

        await eventually(undone)
        await page.wait_for_selector("text=Undone: nothing of it stands.")
        await shop.desk.drain()
        assert len(done) == 2


async def test_a_viewer_watches_but_is_offered_nothing(shop: Shop, browser: Any) -> None:
    await shop.run("remind", {"text": "your parcel"})
    async with signed_in_page(shop, browser, "vic", path="/watch") as page:
        await page.wait_for_selector("[role=timer]")
        assert await page.get_by_role("button", name="Veto").count() == 0


async def test_a_lead_stops_everything_all_pages_say_so_and_lifting_lets_it_go_on(shop: Shop, browser: Any) -> None:
    review = await shop.refund(1)
    async with signed_in_page(shop, browser, "lin") as page:
        await page.wait_for_selector(".rc-card")
        await page.get_by_role("link", name="Stop…").click()
        await page.get_by_role("button", name="Stop…").click()
        await page.wait_for_selector("text=Say why.")
        await page.get_by_label("Why", exact=True).fill("paid twice since noon")
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog").get_by_role("button", name="Stop now").click()
        await page.wait_for_selector(".sb-banner >> text=Everything is stopped")
        assert len(await shop.desk.stops("lin")) == 1

        async def given_back() -> bool:
            return (await shop.desk.card(review, "ada")).holder is None

        await eventually(given_back)
        card = await shop.desk.card(review, "ada")
        await shop.desk.decide(review, {"type": "approve", "digest": card.digest}, "ada")
        await shop.desk.drain()
        assert done == []
        for path in ("/", "/inbox", "/watch", "/history", "/playground"):
            await page.goto(page.address + path)
            await page.wait_for_selector(".sb-banner >> text=paid twice since noon")
        await page.wait_for_selector(".sb-banner >> text=1 case waits for it to be lifted")
        await page.get_by_role("button", name="Lift the stop of everything").click()
        await page.get_by_label("Why may it go on?").fill("found and repaired")
        await page.get_by_role("button", name="Lift this stop").click()
        await page.wait_for_selector(".sb-banner", state="detached")

        async def ran() -> bool:
            return len(done) == 1

        await eventually(ran)


async def test_an_operator_sees_the_stop_but_can_neither_stop_nor_lift(shop: Shop, browser: Any, ada: httpx.AsyncClient) -> None:
    stop = await shop.desk.stop("tool", "refund", "lin", "paid twice")
    async with signed_in_page(shop, browser, "ada", path="/control") as page:
        await page.wait_for_selector(".sb-banner >> text=The tool refund is stopped")
        await page.wait_for_selector("text=A lead can lift it.")
        assert await page.get_by_role("button", name="Lift").count() == 0
        assert await page.get_by_role("link", name="Stop…").count() == 0
        assert not await page.is_visible(".ct-maker")
    for path, body in (("/api/stops", {"scope": "all", "reason": "x"}), (f"/api/stops/{stop.id}/lift", {"reason": "x"})):
        assert (await ada.post(path, json=body)).status_code == 403
    assert len(await shop.desk.stops("lin")) == 1


async def test_a_stop_needs_a_second_look_and_a_name_that_exists(shop: Shop, browser: Any) -> None:
    async with signed_in_page(shop, browser, "lin", path="/control") as page:
        await page.get_by_label("What", exact=True).select_option("tool")
        await page.get_by_label("Name").fill("refnd")
        await page.get_by_label("Why", exact=True).fill("a try")
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog").get_by_role("button", name="Back").click()
        assert await shop.desk.stops("lin") == []
        await page.get_by_role("button", name="Stop…").click()
        await page.get_by_role("button", name="Stop now").click()
        await page.wait_for_selector("[role=alert] >> text=There is no tool 'refnd'")
        assert await shop.desk.stops("lin") == []


async def test_the_history_tells_what_ended_without_a_decision_and_shows_the_audit_log(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.desk.cancel("case-1", "lin", "the customer called")
    async with signed_in_page(shop, browser, "ada", path="/history") as page:
        await page.wait_for_selector(".rv-list >> text=The case was cancelled. Nothing of it ran.")
        await page.get_by_text("Audit log").click()
        await page.wait_for_selector(".tr-list >> text=Verdict")
        await page.wait_for_selector(".tr-list >> text=Review: cancelled")
        await page.wait_for_selector("text=each with its own hash")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_pages_of_control_have_no_accessibility_violation(shop: Shop, browser: Any, scheme: str, width: int) -> None:
    await shop.run("remind", {"text": "your parcel"})
    await shop.run("label", {"text": "fragile"})
    review = await shop.ask("wire", {"to": "DE1", "amount": 40})
    card = await shop.desk.card(review, "ada")
    await shop.desk.decide(review, {"type": "edit", "digest": card.digest, "args": {**card.args, "amount": 25}}, "ada")
    await shop.desk.stop("tool", "refund", "lin", "paid twice")
    context = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
    async with signed_in_page(shop, browser, "lin", context=context) as page:
        await page.wait_for_selector(".sb-banner")
        await page.wait_for_selector(".rc-standing li")
        for key in ("s", "x", "d"):
            await page.keyboard.press(key)
            assert await violations(page) == [], key
            await page.keyboard.press("Escape")
        for path, ready in (("/watch", "[role=timer]"), ("/control", ".ct-maker"), ("/history", ".tr-trail")):
            await page.goto(page.address + path)
            await page.wait_for_selector(ready)
            await page.wait_for_selector(".sb-banner")
            if path == "/history":
                await page.get_by_text("Audit log").first.click()
                await page.wait_for_selector(".tr-list")
            assert await violations(page) == [], path
            if path == "/control":
                await page.get_by_label("Why", exact=True).fill("a try")
                await page.keyboard.press("Enter")
                await page.wait_for_selector("dialog[open]")
                assert await violations(page) == [], "dialog"
