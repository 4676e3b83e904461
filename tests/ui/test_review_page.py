from __future__ import annotations

from typing import Any

import pytest
from assent.graph.rules.hidden import hidden_in

from .conftest import Shop, done, eventually, signed_in_page

pytestmark = pytest.mark.browser


async def latest(shop: Shop) -> Any:
    lines = await shop.desk.history("lin")
    return lines[0] if lines else None


async def decided(shop: Shop, count: int = 1) -> None:
    async def enough() -> bool:
        return len(await shop.desk.history("lin", limit=500)) >= count

    await eventually(enough)


async def test_one_key_approves_and_the_next_card_is_there_at_once(shop: Shop, browser: Any) -> None:
    for number in range(1, 4):
        await shop.refund(number)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector("text=1001")
        await page.wait_for_timeout(300)
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-facts >> text=1002", timeout=1000)
        await page.wait_for_selector(".rc-strip >> text=RQ-1 approved")
        await decided(shop)
        line = await latest(shop)
        assert (line.who, line.decision) == ("ada", "approve")
        assert 100 < line.seen_ms < 60_000
        assert "approved" in await page.text_content("[aria-live=polite].rc-live")

        async def ran() -> bool:
            return done == [("refund", {"order_id": "1001", "amount": "34.00", "reason": "damaged"})]

        await eventually(ran)


async def test_an_edit_shows_what_changes_and_runs_as_edited(shop: Shop, browser: Any) -> None:
    await shop.refund()
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("e")
        await page.get_by_label("Amount").fill("12.00")
        assert await page.text_content(".rc-change del") == "34"
        assert await page.text_content(".rc-change ins") == "12"
        await page.get_by_label("Reason").select_option(label="late")
        await page.keyboard.press("Control+Enter")
        await decided(shop)
        line = await latest(shop)
        assert line.decision == "edit"
        assert line.accepted == {"order_id": "1001", "amount": "12.00", "reason": "late"}


async def test_types_survive_the_form(shop: Shop, browser: Any) -> None:
    await shop.ask("note", {"text": "x", "copies": 2, "urgent": False, "weight": 1.0, "extra": {"deep": [1, {"b": True}]}})
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("e")
        await page.get_by_label("Copies").fill("two")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("text=Write a whole number.")
        await page.get_by_label("Copies").fill("12")
        await page.get_by_label("Urgent").select_option(label="true")
        await page.get_by_label("Extra").fill('{"deep": [2, {"b": null}]')
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("text=This is not valid JSON.")
        await page.get_by_label("Extra").fill('{"deep": [2, {"b": null}]}')
        await page.keyboard.press("Control+Enter")
        await decided(shop)
        extra = {"deep": [2, {"b": None}]}
        assert (await latest(shop)).accepted == {"text": "x", "copies": 12, "urgent": True, "weight": 1.0, "extra": extra}


async def test_two_keys_reject_with_a_reason_and_words_for_the_agent(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector("text=1001")
        await page.keyboard.press("r")
        await page.keyboard.press("2")
        await page.wait_for_selector(".rc-facts >> text=1002")
        await decided(shop)
        assert ((await latest(shop)).decision, (await latest(shop)).reason) == ("reject", "wrong_details")
        await page.keyboard.press("r")
        await page.get_by_label("Tell the agent more").fill("6 is not the reason, it is the order")
        await page.get_by_role("button", name="Not allowed").click()
        await decided(shop, 2)
        line = await latest(shop)
        assert (line.reason, line.message) == ("not_allowed", "6 is not the reason, it is the order")
        assert done == []


async def test_t_answers_instead_of_acting(shop: Shop, browser: Any) -> None:
    await shop.refund()
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("t")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_selector("text=Write what the agent should know.")
        await page.keyboard.type("Ask for a photo first. a e r t s")
        await page.keyboard.press("Control+Enter")
        await decided(shop)
        line = await latest(shop)
        assert (line.decision, line.message) == ("respond", "Ask for a photo first. a e r t s")
        await page.wait_for_selector("text=Nothing waits for you")


async def test_undo_takes_a_decision_back_before_anything_ran(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada", undo_window=30.0) as page:
        await page.wait_for_selector("text=1001")
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.get_by_role("button", name="Undo RQ-1").filter(has_text=" s").click()
        await page.wait_for_selector(".rc-facts >> text=1001")
        await eventually(lambda: is_pending(shop, 2))
        assert done == []
        await page.wait_for_timeout(800)
        await page.keyboard.press("r")
        await page.keyboard.press("4")
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.keyboard.press("u")
        await page.wait_for_selector(".rc-facts >> text=1001")
        await eventually(lambda: is_pending(shop, 2))


async def is_pending(shop: Shop, count: int) -> bool:
    return await shop.desk.count_pending("lin") == count


async def test_a_burst_of_keys_decides_each_shown_card_once_and_loses_none(shop: Shop, browser: Any) -> None:
    for number in range(12):
        await shop.refund(number)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        for _ in range(12):
            await page.wait_for_selector(".rc-card")
            await page.keyboard.press("a")
        await page.wait_for_selector("text=Nothing waits for you")
        await decided(shop, 12)
        lines = await shop.desk.history("lin", limit=100)
        assert [line.decision for line in lines] == ["approve"] * 12
        assert len({line.review for line in lines}) == 12

        async def all_ran() -> bool:
            return len(done) == 12

        await eventually(all_ran)
        assert len({call["order_id"] for _, call in done}) == 12


async def test_a_lost_network_keeps_the_decision_and_sends_it_once_when_it_is_back(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector("text=1001")
        await page.context.set_offline(True)
        await page.keyboard.press("a")
        await page.wait_for_selector("text=The desk cannot be reached.")
        await page.wait_for_selector("text=1 decision is kept here")
        assert await shop.desk.history("lin") == []
        await page.context.set_offline(False)
        await decided(shop)
        await page.wait_for_selector(".rc-banner", state="hidden")
        assert [line.decision for line in await shop.desk.history("lin")] == ["approve"]


async def test_an_answer_that_got_lost_is_asked_for_again_with_the_same_key(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        lost = []

        async def lose_the_first_answer(route: Any) -> None:
            if lost:
                await route.continue_()
                return
            lost.append(await route.fetch())
            await route.abort()

        await page.route("**/decision", lose_the_first_answer)
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-strip >> text=RQ-1 approved")
        assert [line.decision for line in await shop.desk.history("lin")] == ["approve"]
        assert "was put back" not in await page.inner_text("body")


async def test_a_reload_does_not_lose_an_unsent_decision(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.route("**/decision", lambda route: route.abort())
        await page.keyboard.press("a")
        await page.wait_for_selector("text=1 decision is kept here")
        await page.unroute("**/decision")
        page.on("dialog", lambda dialog: dialog.accept())
        await page.reload()
        await decided(shop)
        assert (await latest(shop)).decision == "approve"


async def test_a_decision_that_came_too_late_says_who_was_first(shop: Shop, browser: Any) -> None:
    review = await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada", path="/history") as page:
        await page.route("**/take", lambda route: route.abort())  # nobody holds the card, so whoever is first decides
        await page.goto(page.address)
        await page.wait_for_selector("text=1001")
        card = await shop.desk.card(review, "lin")
        await shop.desk.decide(review, {"type": "reject", "digest": card.digest, "reason": "suspicious"}, "lin")
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-notice >> text=reject by lin")
        assert await page.is_visible(".rc-facts >> text=1002")
        assert done == []


async def test_a_viewer_is_told_why_no_key_works(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    async with signed_in_page(shop, browser, "vic") as page:
        await page.wait_for_selector(".rc-standing >> text=needs the role operator")
        assert await page.get_by_role("button", name="Approve").is_disabled()
        for key in ("a", "s", "x"):
            await page.keyboard.press(key)
        await page.wait_for_timeout(300)
        assert await page.locator(".rc-panel").count() == 0
        assert await is_pending(shop, 1)


async def test_a_decision_that_is_not_allowed_gives_the_card_back(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    async with signed_in_page(shop, browser, "ada") as page:
        refusal = {"error": "not_allowed", "message": "You may not do this any more."}
        await page.route("**/decision", lambda route: route.fulfill(status=403, json=refusal))
        await page.wait_for_selector("text=1001")
        await page.keyboard.press("a")
        await page.wait_for_selector("text=RQ-1 was put back")
        await page.wait_for_selector(".rc-facts >> text=1001")
        assert await is_pending(shop, 1)


async def test_folded_text_must_be_opened_before_it_can_be_approved(shop: Shop, browser: Any) -> None:
    await shop.ask("note", {"text": "and send it all to evil@example.net", "lines": 50_000})
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector("text=more lines", timeout=20_000)
        assert await page.get_by_role("button", name="Approve").is_disabled()
        await page.keyboard.press("a")
        await page.wait_for_timeout(300)
        assert await is_pending(shop, 1)
        await page.keyboard.press("o")
        await page.wait_for_selector("text=evil@example.net")
        assert await page.get_by_role("button", name="Approve").is_enabled()
        await page.keyboard.press("a")
        await decided(shop)


async def test_keys_can_be_switched_off_and_stay_off(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("?")
        await page.get_by_label("Use single keys").uncheck()
        await page.get_by_role("button", name="Close").click()
        for _ in range(2):
            await page.keyboard.press("a")
            await page.wait_for_timeout(200)
            assert await is_pending(shop, 1)
            await page.reload()
            await page.wait_for_selector(".rc-card")
        await page.get_by_role("button", name="Approve").click()
        await decided(shop)


async def test_hidden_characters_are_shown_and_can_be_taken_out(shop: Shop, browser: Any) -> None:
    await shop.ask("note", {"text": "pay \u202eevil\u200b me \U000e0041"})
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=U+202E")
        shown = await page.inner_text(".rc-facts")
        assert "⟦U+200B⟧" in shown and "⟦U+E0041 A⟧" in shown
        await page.keyboard.press("e")
        await page.get_by_role("button", name="Remove hidden characters").click()
        await page.keyboard.press("Control+Enter")
        await decided(shop)
        assert (await latest(shop)).accepted["text"] == "pay evil me "


async def test_what_is_called_hidden_is_what_the_policy_calls_hidden(shop: Shop, browser: Any) -> None:
    ordinary = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    )
    flags = ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u05d0\u200f!", "line\r\nend\tof it")
    hiding = (
        "a\u200cb",
        "a\u200db",
        "\u200d",
        "x\ufe0f",
        "\U0001f3f4\U000e0061\U000e0062",
        "a\u00adb",
        "\u2800",
        "a\rb",
        "\x1b[2K",
        "\u2066",
        "\ufdd0",
    )
    for text in (*ordinary, *flags, *hiding):
        assert bool(list(hidden_in("text", text))) == (text in hiding), ascii(text)
        await shop.ask("note", {"text": f"<{text}>"})
    async with signed_in_page(shop, browser, "ada") as page:
        for number, text in enumerate((*ordinary, *flags, *hiding), start=1):
            await page.wait_for_selector(f".rc-meta >> text=/^RQ-{number}$/")
            found = await page.locator(".rc-facts .rc-hidden").count()
            assert (found > 0) == (text in hiding), ascii(text)
            await page.keyboard.press("a")


async def test_a_link_to_a_review_opens_that_review(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    review = await shop.refund(2)
    async with signed_in_page(shop, browser, "ada", path=f"/?review={review}") as page:
        await page.wait_for_selector(".rc-facts >> text=1002")


async def test_next_puts_a_card_last_and_it_comes_back(shop: Shop, browser: Any) -> None:
    await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=1001")
        await page.keyboard.press("n")
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.keyboard.press("n")
        await page.wait_for_selector("text=Only what you passed over is left")
        await page.keyboard.press("n")
        await page.wait_for_selector(".rc-facts >> text=1001")
        assert await is_pending(shop, 2)


async def test_an_action_that_is_not_the_one_shown_comes_back_with_what_changed_marked(shop: Shop, browser: Any) -> None:
    review = await shop.refund(1)

    async def show_another_amount(route: Any) -> None:
        body = await (await route.fetch()).json()
        for item in body["items"]:
            item["digest"] = "0" * 64
            item["shown"]["amount"]["text"] = "3.00"
        await route.fulfill(json=body)

    async with signed_in_page(shop, browser, "ada", path="/sign-in") as page:
        await page.route("**/api/desk*", show_another_amount)
        await page.goto(page.address + "/")
        await page.wait_for_selector("text=This changed while you looked.")
        assert await page.text_content(".rc-facts del") == "3"
        assert await page.text_content(".rc-facts ins") == "34"
        assert (await shop.desk.card(review, "lin")).status == "pending"
        await page.keyboard.press("a")
        await page.wait_for_timeout(200)
        assert (await shop.desk.card(review, "lin")).status == "pending", "a card that just came back was decided by a stray key"
        await page.wait_for_timeout(800)
        await page.keyboard.press("a")
        await decided(shop)


async def test_a_choice_narrows_the_ones_after_it(shop: Shop, browser: Any) -> None:
    review = await shop.refund(1)

    async def limit_the_choices(route: Any) -> None:
        body = await (await route.fetch()).json()
        legal = (("1001", "34.00"), ("1001", "4.50"), ("1002", "12.00"))
        for item in body["items"]:
            item["choices"] = [{"order_id": order, "amount": amount} for order, amount in legal]
        await route.fulfill(json=body)

    async with signed_in_page(shop, browser, "ada", path="/sign-in") as page:
        await page.route("**/api/desk*", limit_the_choices)
        await page.goto(page.address + "/")
        await page.wait_for_selector(".rc-card")
        await page.keyboard.press("e")
        assert await page.get_by_label("Amount").locator("option").all_text_contents() == ["34.00", "4.50"]
        await page.get_by_label("Order id").select_option(label="1002")
        assert "12.00" in await page.get_by_label("Amount").locator("option").all_text_contents()
        await page.get_by_label("Amount").select_option(label="12.00")
        await page.keyboard.press("Control+Enter")
        await decided(shop)
        line = await latest(shop)
        assert (line.review, line.accepted["order_id"], line.accepted["amount"]) == (review, "1002", "12.00")


async def test_a_decision_the_desk_keeps_failing_on_is_given_back_and_blocks_no_other(shop: Shop, browser: Any) -> None:
    first = await shop.refund(1)
    await shop.refund(2)
    async with signed_in_page(shop, browser, "ada") as page:
        await page.wait_for_selector(".rc-facts >> text=1001")
        await page.route(f"**/{first}/decision", lambda route: route.fulfill(status=500, body="Internal Server Error"))
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-facts >> text=1002")
        await page.keyboard.press("a")
        await page.wait_for_selector("text=The desk cannot be reached.")
        for _ in range(8):
            await page.evaluate("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Try now')?.click()")
            await page.wait_for_timeout(150)
        await decided(shop)
        await page.wait_for_selector("text=RQ-1 was put back")
        await page.wait_for_selector(".rc-facts >> text=1001")
        assert [line.number for line in await shop.desk.history("lin")] == [2]
