"""Advice over HTTP and as a page in a real Chromium: costs are tried out by anybody and kept by a lead."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from assent.evals.advising.kept_costs import SETTING
from assent.evals.advising.oversight_costs import Costs
from assent.graph.store import events

from .conftest import Shop, client, signed_in_page
from .test_pages import violations


@pytest.fixture
async def lin(shop: Shop, app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in lead."""
    async with client(app, await shop.desk.users.open_session("lin")) as signed_in:
        yield signed_in


async def decide(shop: Shop, **more: Any) -> None:
    """Have a note proposed, with an injection for a name's sake, and decided."""
    review = await shop.ask("note", {"text": "hello"})
    card = await shop.desk.card(review, "ada")
    await shop.desk.decide(review, {"type": "approve", "digest": card.digest, "seen_ms": 4_000, **more}, "ada")
    await shop.desk.drain()


def of(found: httpx.Response, tool: str) -> dict[str, Any]:
    assert found.status_code == 200, found.text
    return next(one for one in found.json()["advice"] if one["tool"] == tool)


async def test_every_tool_of_the_agents_is_advised_before_anything_was_proposed(shop: Shop, vic: httpx.AsyncClient) -> None:
    found = await vic.get("/api/advice")
    modes = {one["tool"]: one["mode"] for one in found.json()["advice"]}
    assert set(modes) == {"refund", "note", "delete_account", "courier", "wire", "label", "remind"}
    assert set(modes.values()) == {"in the loop"}
    assert of(found, "label")["undo"] and not of(found, "note")["undo"]
    assert of(found, "delete_account")["ceiling_mode"] == "in the loop" and of(found, "note")["ceiling_mode"] == "automatic"
    assert found.json()["costs"] == Costs().as_json() and not found.json()["may_keep"]


async def test_labels_and_times_are_the_desks_own(shop: Shop, ada: httpx.AsyncClient) -> None:
    await decide(shop)
    await decide(shop, type="reject", reason="wrong")
    note = of(await ada.get("/api/advice"), "note")
    assert (note["labelled"], note["wrong"], note["edited"], note["review_seconds"], note["volume"]) == (2, 1, 0, 4.0, 60)


async def test_costs_are_tried_out_by_anybody_and_kept_on_record_by_a_lead(
    shop: Shop, ada: httpx.AsyncClient, vic: httpx.AsyncClient, lin: httpx.AsyncClient
) -> None:
    costs = {**Costs().as_json(), "reviewer_hour": 80.0}
    tried = (await vic.get("/api/advice", params={"costs": json.dumps(costs)})).json()
    assert (tried["costs"]["reviewer_hour"], tried["kept"]) == (80.0, False)
    assert (await vic.get("/api/advice")).json()["costs"]["reviewer_hour"] == 40.0
    for who in (vic, ada):
        assert (await who.post("/api/advice/costs", json=costs)).status_code == 403
    assert (await vic.get("/api/advice")).json()["costs"]["reviewer_hour"] == 40.0
    kept = (await lin.post("/api/advice/costs", json=costs)).json()
    assert kept["kept"] and kept["may_keep"]
    assert (await vic.get("/api/advice")).json()["costs"]["reviewer_hour"] == 80.0
    await lin.post("/api/advice/costs", json=costs)
    async with shop.desk.store.read() as tx:
        (event,) = await events.of_subject(tx, "main", SETTING)
    assert (event.kind, event.actor, event.body["from"], event.body["to"]["reviewer_hour"]) == ("advice.costs", "lin", None, 80.0)


NONSENSE = ("no json", '{"wrong": {"costly": -1}}', '{"undo_saves": 0.9}', '{"reviewer_hour": "NaN"}', '{"tenant": "rival"}', "[]")


async def test_costs_that_mean_nothing_are_refused_in_words(vic: httpx.AsyncClient, lin: httpx.AsyncClient) -> None:
    for costs in NONSENSE:
        asked = await vic.get("/api/advice", params={"costs": costs})
        assert (asked.status_code, asked.json()["error"]) == (422, "invalid_request") and asked.json()["message"]
        kept = await lin.post("/api/advice/costs", content=costs, headers={"content-type": "application/json"})
        assert kept.status_code == 422, costs
    assert (await vic.get("/api/advice")).json()["costs"] == Costs().as_json()


@pytest.mark.browser
async def test_a_lead_tries_costs_out_keeps_them_and_goes_back(shop: Shop, browser: Any) -> None:
    await decide(shop)
    async with signed_in_page(shop, browser, "lin", path="/advice") as page:
        note = page.get_by_role("region", name="Note of assent")
        await note.get_by_text("0 of 1 labelled actions were wrong").wait_for()
        advised = note.locator(".ad-advised")
        assert "In the loop" in await advised.inner_text() and "no measured catch rate" in await note.inner_text()
        await page.get_by_text("What things cost").click()
        box = page.get_by_label("An hour of a reviewer")
        before = await advised.locator(".ad-money").inner_text()
        await box.fill("none")
        await box.press("Enter")
        await page.wait_for_selector("[role=alert] >> text=An hour of a reviewer: write a number from 0 on.")
        await box.fill("400")
        await box.press("Enter")
        await page.wait_for_function("(was) => document.querySelector('.ad-advised .ad-money').textContent !== was", arg=before)
        await page.get_by_role("button", name="Back to the costs that are kept").click()
        await page.wait_for_function("() => document.querySelector('#ad-reviewer_hour').value === '40'")
        await box.fill("90")
        await page.get_by_role("button", name="Keep these costs for everybody").click()
        await page.wait_for_selector("text=These are the costs that are kept.")
        await page.reload()
        await page.wait_for_function("() => document.querySelector('#ad-reviewer_hour')?.value === '90'")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_the_page_has_no_accessibility_violation_and_offers_a_viewer_nothing_to_keep(
    shop: Shop, browser: Any, width: int, scheme: str
) -> None:
    context = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
    async with signed_in_page(shop, browser, "vic", path="/advice", context=context) as page:
        await page.wait_for_selector(".ad-type")
        await page.get_by_text("What things cost").click()
        assert await page.get_by_role("button", name="Keep these costs").count() == 0
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
