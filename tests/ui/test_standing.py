"""Several people at one desk: what the card says of the others, of time and of changes, in a real Chromium."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .conftest import Shop, done, eventually, signed_in_page

pytestmark = pytest.mark.browser


async def wire(shop: Shop, amount: int = 40) -> str:
    return await shop.ask("wire", {"to": "DE1", "amount": amount})


async def approve(shop: Shop, review: str, actor: str) -> None:
    card = await shop.desk.card(review, actor)
    await shop.desk.decide(review, {"type": "approve", "digest": card.digest}, actor)


async def test_the_card_says_who_approved_and_runs_when_the_second_person_has(shop: Shop, browser: Any) -> None:
    review = await wire(shop)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-standing >> text=0 of 2 approved")
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-strip >> text=RQ-1 approved, 1 of 2")
        assert done == []
    async with signed_in_page(shop, browser, "bob") as page:
        await page.wait_for_selector(".rc-standing >> text=1 of 2 approved: ada")
        await page.keyboard.press("a")
        await page.wait_for_selector("text=Nothing waits for you")

        async def ran() -> bool:
            return [name for name, _ in done] == ["wire"]

        await eventually(ran)
        assert (await shop.desk.card(review, "lin")).status == "approved"


async def test_whoever_approved_already_is_told_why_no_key_works(shop: Shop, browser: Any) -> None:
    review = await wire(shop)
    await approve(shop, review, "ada")
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-standing >> text=1 of 2 approved: ada")
        await page.wait_for_selector(".rc-hint >> text=You have approved this already")
        for name in ("Approve", "Edit", "Reject", "Respond"):
            assert await page.get_by_role("button", name=name).is_disabled()
        await page.keyboard.press("a")
        await page.keyboard.press("r")
        await page.wait_for_timeout(300)
        assert await page.locator(".rc-panel").count() == 0
        assert len((await shop.desk.card(review, "lin")).approvals) == 1


async def test_an_edit_waits_for_a_second_person_who_sees_what_was_proposed(shop: Shop, browser: Any) -> None:
    review = await wire(shop, 40)
    card = await shop.desk.card(review, "ada")
    await shop.desk.decide(review, {"type": "edit", "digest": card.digest, "args": {**card.args, "amount": 25}}, "ada")
    async with signed_in_page(shop, browser, "bob") as page:
        await page.wait_for_selector(".rc-standing >> text=Edited by ada")
        assert await page.text_content(".rc-facts del") == "40"
        assert await page.text_content(".rc-facts ins") == "25"
        await page.keyboard.press("a")

        async def ran() -> bool:
            return [args["amount"] for _, args in done] == [25]

        await eventually(ran)


async def test_an_edit_by_somebody_else_while_one_looks_is_said_and_shown(shop: Shop, browser: Any) -> None:
    review = await wire(shop, 40)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await holds(shop, review, "ada")
        await shop.desk.take(review, "lin", over=True)
        card = await shop.desk.card(review, "lin")
        await shop.desk.decide(review, {"type": "edit", "digest": card.digest, "args": {**card.args, "amount": 25}}, "lin")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_selector("text=This changed while you looked.")
        assert await page.text_content(".rc-changed del") == "40"
        assert await page.text_content(".rc-changed ins") == "25"
        await page.keyboard.press("a")
        await page.wait_for_timeout(200)
        assert len((await shop.desk.card(review, "bob")).approvals) == 1, "a stray key approved what had just changed"
        await page.wait_for_timeout(700)
        await page.keyboard.press("a")

        async def ran() -> bool:
            return [args["amount"] for _, args in done] == [25]

        await eventually(ran)


async def holds(shop: Shop, review: str, name: str | None) -> None:
    async def held() -> bool:
        return (await shop.desk.card(review, "vic")).holder == name

    await eventually(held)


async def test_a_shown_card_is_held_and_given_back_when_it_is_passed_over(shop: Shop, browser: Any) -> None:
    first, second = await shop.refund(1), await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=1001")
        await holds(shop, first, "ada")
        await page.keyboard.press("n")
        await holds(shop, first, None)
        await holds(shop, second, "ada")
        await page.goto(page.address + "/inbox")
        await holds(shop, second, None)


async def test_two_people_do_not_get_the_same_card_and_a_lead_takes_over(shop: Shop, browser: Any) -> None:
    first = await shop.refund(1)
    await shop.refund(2)
    await shop.desk.take(first, "bob")
    async with signed_in_page(shop, browser, "lin") as page:
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.keyboard.press("n")
        await page.wait_for_selector(".rc-standing >> text=bob works on this card")
        assert await page.get_by_role("button", name="Approve").is_disabled()
        await page.keyboard.press("k")
        await holds(shop, first, "lin")
        await page.wait_for_selector(".rc-approve:enabled")
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-strip >> text=RQ-1 approved")


async def test_snooze_is_for_everybody_and_can_be_taken_back(shop: Shop, browser: Any) -> None:
    review = await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=1001")
        await page.keyboard.press("s")
        await page.keyboard.press("2")
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.wait_for_selector(".rc-strip >> text=RQ-1 snoozed")
        until = datetime.fromisoformat((await shop.desk.card(review, "lin")).snoozed_until or "")
        assert timedelta(minutes=58) < until - datetime.now(UTC) < timedelta(minutes=61)
        assert review not in [card.id for card in await shop.desk.pending("lin")]
        await page.keyboard.press("u")
        await page.wait_for_selector(".rc-facts >> text=1001")
        assert review in [card.id for card in await shop.desk.pending("lin")]


async def test_a_snooze_that_is_refused_puts_the_card_back(shop: Shop, browser: Any) -> None:
    await wire(shop)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("s")
        await page.keyboard.press("3")
        await page.wait_for_selector(".rc-notice >> text=RQ-1 was put back: It is due")
        await page.wait_for_selector(".rc-card")


async def test_x_escalates_with_a_reason_and_a_lead_sees_it_first(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    review = await shop.refund(2)
    async with signed_in_page(shop, browser, "ada", path=f"/?review={review}") as page:
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.keyboard.press("x")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("text=Say why.")
        await page.get_by_label("Why?").fill("This looks like fraud")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector(".rc-strip >> text=RQ-2 escalated")
        await page.wait_for_selector(".rc-facts >> text=1001")
    assert (await shop.desk.card(review, "lin")).escalated_to == "role:lead"
    async with signed_in_page(shop, browser, "lin") as page:
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.wait_for_selector(".rc-standing >> text=Escalated to every lead")


async def test_a_lead_gives_it_longer(shop: Shop, browser: Any) -> None:
    review = await wire(shop)
    before = datetime.fromisoformat((await shop.desk.card(review, "lin")).due or "")
    async with signed_in_page(shop, browser, "lin") as page:
        await page.wait_for_selector(".rc-due >> text=due in")
        await page.keyboard.press("d")
        await page.get_by_label("By how much?").select_option(label="4 hours")
        await page.get_by_label("Why?").fill("The bank is closed")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector(".rc-due >> text=due in 5 h")
        longer = datetime.fromisoformat((await shop.desk.card(review, "lin")).due or "") - before
        assert abs(longer - timedelta(hours=4)) < timedelta(seconds=1)


async def test_a_card_that_expires_on_the_screen_can_be_decided_no_more(shop: Shop, browser: Any) -> None:
    review = await wire(shop)
    soon = ""

    async def almost_due(route: Any) -> None:
        nonlocal soon
        body = await (await route.fetch()).json()
        soon = soon or (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
        for item in [*body.get("items", []), body.get("standing") or {}]:
            item["due"] = soon
        await route.fulfill(json=body)

    async with signed_in_page(shop, browser, "ada", path="/sign-in") as page:
        await page.route("**/api/desk*", almost_due)
        await page.route("**/take", almost_due)
        await page.goto(page.address + "/")
        await page.wait_for_selector(".rc-due-soon")
        await page.wait_for_selector(".rc-standing >> text=Expired at")
        assert await page.get_by_role("button", name="Approve").is_disabled()
        await page.keyboard.press("a")
        await page.wait_for_timeout(300)
        assert (await shop.desk.card(review, "lin")).approvals == []


async def test_a_case_cancelled_while_one_looks_is_said(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=1001")
        await shop.desk.cancel("case-1", "lin", "the customer called")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_selector(".rc-notice >> text=RQ-1 was cancelled")
        await page.wait_for_selector(".rc-facts >> text=1002")
