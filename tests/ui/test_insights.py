"""What classes of actions have earned, as the desk tells it and as a lead signs it: over HTTP, and in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from assent.evals.ladder.evidence import evidence_of
from assent.evals.watch.monitor import monitor_of
from assent.graph.audit.auditing import exported
from assent.graph.store import autonomy

from .conftest import Shop, client, signed_in_page
from .earning import Class, earn
from .test_hostile_text import PAYLOADS
from .test_pages import violations

NOTE = Class("note", "Write a note", before=150, offered=True)
SEVEN: dict[str, dict[str, Any]] = {
    "refund": {"order_id": "1", "amount": "2"},
    "wire": {"to": "x", "amount": 1},
    **{name: {"text": "t"} for name in ("note", "label", "remind")},
    "delete_account": {"customer": "C100"},
    "courier": {"order_id": "1"},
}
LABEL = Class("label", "Label an order", before=150, after=120)


@pytest.fixture
async def lin(shop: Shop, app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in lead."""
    async with client(app, await shop.desk.users.open_session("lin")) as signed_in:
        yield signed_in


async def told(who: httpx.AsyncClient, one: Class) -> dict[str, Any]:
    answer = await who.get(f"/api/insights/{quote(one.agent)}/{one.tool}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["class"]
    return found


def signature(insight: dict[str, Any], **changes: Any) -> dict[str, Any]:
    offered = insight["offered"] or {"id": ""}
    named = {"agent": insight["agent"], "tool": insight["tool"], "to": insight["to"], "certificate": offered["id"]}
    return {**named, "evidence": insight["evidence_digest"], "reason": "Right for weeks.", **changes}


async def test_the_figures_are_those_of_the_store(shop: Shop, vic: httpx.AsyncClient) -> None:
    await earn(shop.desk, LABEL)
    found = await told(vic, LABEL)
    async with shop.desk.store.read() as tx:
        row = await autonomy.get(tx, "main", "assent", "label")
        assert row is not None
        certificate = await autonomy.certificate(tx, "main", row.certificate)
    assert certificate is not None
    signed = found["signed"]
    assert [signed[name] for name in ("alpha", "delta", "threshold", "rows", "n", "k", "coverage", "bound")] == [
        certificate.alpha,
        certificate.delta,
        certificate.threshold,
        certificate.rows,
        certificate.n,
        certificate.k,
        certificate.coverage,
        certificate.bound,
    ]
    monitor = monitor_of(row.monitor or {})
    assert monitor.audits > 0
    assert found["watch"]["series"][-1] | {"at": ""} == {
        "at": "",
        "evidence": monitor.evidence,
        "audits": monitor.audits,
        "errors": monitor.errors,
    }
    assert found["volume"]["proposed"] == 270 == sum(found["volume"][name] for name in ("passed", "reviewed", "refused"))
    shown = await evidence_of(shop.desk.store, shop.desk.clock, "main", "assent", "label")
    assert (found["evidence_digest"], found["signable"]) == (shown.digest, False)
    (line,) = (await vic.get("/api/insights")).json()["classes"]
    assert (line["level"], line["signed"], line["volume"]) == (2, signed, found["volume"])


async def test_a_card_of_a_certified_class_names_its_certificate(shop: Shop, ada: httpx.AsyncClient) -> None:
    await earn(shop.desk, LABEL)
    signed = (await told(ada, LABEL))["signed"]
    lines = [
        line for line in (await ada.get("/api/history?limit=200")).json()["history"] if line["action"].startswith("act_label-")
    ]
    cards = [(await ada.get(f"/api/reviews/{line['review']}")).json() for line in (lines[0], lines[-1])]
    after, before = cards[0]["confidence"], cards[1]["confidence"]
    assert (after["certified"], after["certificate"], after["threshold"], after["level"]) == (
        True,
        signed["id"],
        signed["threshold"],
        2,
    )
    assert after["value"] < signed["threshold"], "what reaches it passes and is on no card"
    assert (before["certified"], before["certificate"]) == (False, "")


async def test_a_lead_signs_what_was_shown_and_it_is_frozen_into_the_audit_log(shop: Shop, lin: httpx.AsyncClient) -> None:
    await earn(shop.desk, NOTE)
    found = await told(lin, NOTE)
    answer = await lin.post("/api/autonomy/promote", json=signature(found))
    assert answer.status_code == 200, answer.text
    after = answer.json()["class"]
    assert (after["level"], after["signed"]["id"], after["offered"]) == (2, found["offered"]["id"], None)
    assert after["history"][0]["evidence"] == found["evidence"] and after["history"][0]["by"] == "lin"
    log = [item async for item in exported(shop.desk.store, shop.desk.clock, "main") if item.get("kind") == "autonomy.promoted"]
    assert log[0]["body"]["evidence"] == found["evidence"] and log[0]["body"]["digest"] == found["evidence_digest"]
    assert (log[0]["actor"], log[0]["payload"]["reason"]) == ("lin", "Right for weeks.")
    down = await lin.post("/api/autonomy/demote", json={"agent": "assent", "tool": "note", "to": 1, "reason": "New prompt soon."})
    assert down.json()["class"]["level"] == 1 and down.json()["class"]["history"][0]["after"] == 1


async def test_stale_evidence_is_refused_and_the_answer_says_what_changed(shop: Shop, lin: httpx.AsyncClient) -> None:
    await earn(shop.desk, NOTE)
    found = await told(lin, NOTE)
    body = {"agent": "assent", "tool": "note", "to": 0, "reason": "Look at it first."}
    assert (await lin.post("/api/autonomy/demote", json=body)).status_code == 200
    answer = await lin.post("/api/autonomy/promote", json=signature(found, to=1, shown=found["evidence"]))
    assert answer.status_code == 409 and answer.json()["error"] == "stale_evidence"
    assert {"level", "version"} <= set(answer.json()["changed"]) and "Changed: " in answer.json()["message"]
    now = answer.json()["class"]
    assert now["level"] == 0 and now["evidence_digest"] != found["evidence_digest"]
    assert (await lin.post("/api/autonomy/promote", json=signature(now))).json()["class"]["level"] == 1


async def test_whoever_is_no_lead_signs_nothing_and_is_told_why(
    shop: Shop, app: Any, ada: httpx.AsyncClient, vic: httpx.AsyncClient
) -> None:
    await earn(shop.desk, NOTE)
    found = await told(vic, NOTE)
    assert "A lead or an admin signs. You are viewer" in (await vic.get("/api/insights")).json()["why_not"]
    for who in (ada, vic):
        for door in ("promote", "demote"):
            body = signature(found) if door == "promote" else {"agent": "assent", "tool": "note", "to": 0, "reason": "no"}
            assert (await who.post(f"/api/autonomy/{door}", json=body)).status_code == 403
    secret, _ = await shop.desk.users.tokens.make("lin", ("decide",), "lin")
    async with client(app) as holder:
        holder.headers["authorization"] = f"Bearer {secret}"
        assert (await holder.post("/api/autonomy/promote", json=signature(found))).status_code == 403
    assert await told(vic, NOTE) == found


async def test_what_was_never_proposed_has_no_insight_and_is_not_demoted(shop: Shop, lin: httpx.AsyncClient) -> None:
    assert (await lin.get("/api/insights/assent/nothing")).status_code == 404
    body = {"agent": "assent", "tool": "nothing", "to": 0, "reason": "no"}
    assert (await lin.post("/api/autonomy/demote", json=body)).status_code == 404
    assert (await lin.get("/api/insights")).json()["classes"] == []
    await shop.refund()
    assert "more decided actions" in (await told(lin, Class("refund", "Refund an order")))["raw"]["note"]


pages = pytest.mark.browser


@pages
async def test_a_lead_signs_with_the_keyboard_and_demotes_and_the_history_shows_both(shop: Shop, browser: Any) -> None:
    await earn(shop.desk, NOTE)
    async with signed_in_page(shop, browser, "lin", path="/insights") as page:
        await page.get_by_role("button", name="Promote to certified…").press("Enter")
        bound = (await told_by(shop, "note")).bound
        await page.wait_for_selector(f".sg-sentences >> text=at most {bound:.2%} of what passes is wrong")
        await page.get_by_role("button", name="Sign for certified").press("Enter")
        await page.wait_for_selector("text=Say why.")
        await page.get_by_label("Why are you convinced?").fill("Seven good weeks.")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=Promoted to certified.")
        await page.wait_for_selector("[aria-label='Level history'] >> text=Seven good weeks.")
        assert (await page.inner_text("[aria-current=step]")).startswith("L2 Certified")
        await page.get_by_role("button", name="Demote…").click()
        await page.get_by_label("Why?").fill("The prompt changes tomorrow.")
        await page.get_by_role("button", name="Demote", exact=True).click()
        await page.wait_for_selector("[aria-label='Level history'] >> text=The prompt changes tomorrow.")
        assert await page.locator("[aria-label='Level history'] > li").count() == 2


async def told_by(shop: Shop, tool: str) -> Any:
    async with shop.desk.store.read() as tx:
        return (await autonomy.certificates(tx, "main", "assent", tool))[0]


@pages
async def test_an_operator_sees_the_figures_and_cannot_sign_on_a_phone_in_the_dark(shop: Shop, browser: Any) -> None:
    for tool, args in SEVEN.items():
        await shop.run(tool, args)
    await earn(shop.desk, NOTE)
    context = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "reduced_motion": "reduce"}
    async with signed_in_page(shop, browser, "ada", path="/insights", context=context) as page:
        await page.wait_for_selector("text=A lead or an admin signs. You are operator, so you look.")
        assert await page.get_by_role("button", name="Promote to certified…").is_disabled()
        assert await page.get_by_role("button", name="Demote…").is_disabled()
        assert "Write a note" in await page.inner_text(".in-line >> nth=0"), "what is to be signed comes first"
        assert await page.locator(".in-line").count() == 6
        await page.get_by_role("button", name="Show all 7 classes").click()
        assert await page.locator(".in-line").count() == 7
        assert await page.locator("svg[role=img] desc", has_text="Agreement alone is off by").count() == 1
        await page.locator("[data-chart=reliability] summary").click()
        assert await page.locator("[data-chart=reliability] tbody tr").count() >= 4
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the screen"


@pages
async def test_what_changed_under_the_dialog_has_to_be_read_again_and_nothing_is_in_the_way_of_reading(
    shop: Shop, browser: Any
) -> None:
    await earn(shop.desk, LABEL)
    await earn(shop.desk, NOTE)
    context = {"viewport": {"width": 1280, "height": 844}, "color_scheme": "light", "reduced_motion": "reduce"}
    async with signed_in_page(shop, browser, "lin", path="/insights", context=context) as page:
        await page.locator(".in-line", has_text="Label an order").click()
        await page.wait_for_selector("[data-chart=monitor] .ch-beside >> text=alarm at 20")
        await page.wait_for_selector("[data-chart=curve] .ch-ink-certified >> text=/pass, at most .* wrong/")
        await page.locator("[data-chart=curve] summary").click()
        assert await violations(page) == []
        await page.locator(".in-line", has_text="Write a note").click()
        await page.get_by_role("button", name="Promote to certified…").click()
        assert await violations(page) == []
        await page.get_by_label("Why are you convinced?").fill("Seven good weeks.")
        async with shop.desk.store.begin() as tx:
            offered = await autonomy.certificates(tx, "main", "assent", "note")
            await autonomy.turn_certificate(tx, offered[0], "offered", "void")
        await page.get_by_role("button", name="Sign for certified").click()
        await page.wait_for_selector(
            ".sg-dialog .rc-problem >> text=The evidence is not what you were shown, so nothing was signed."
        )
        async with shop.desk.store.read() as tx:
            assert await autonomy.get(tx, "main", "assent", "note") is None


@pages
async def test_no_name_title_or_reason_runs_or_reaches_out(shop: Shop, browser: Any) -> None:
    agent = "a/b <img src=x onerror=window.pwn=1>${window.pwn=2}\u202e"
    evil = Class("note", PAYLOADS[2] + PAYLOADS[8] + "\u202e", agent=agent, before=150, offered=True)
    await earn(shop.desk, evil)
    asked: list[str] = []
    async with signed_in_page(shop, browser, "lin", path="/insights") as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.reload()
        await page.wait_for_selector(".in-class h3 >> text=<img src=")
        await page.wait_for_selector(".in-class .rc-hidden >> text=U+202E")
        await page.get_by_role("button", name="Promote to certified…").click()
        await page.get_by_label("Why are you convinced?").fill(PAYLOADS[1] + PAYLOADS[9])
        await page.get_by_role("button", name="Sign for certified").click()
        await page.wait_for_selector("[aria-label='Level history'] >> text=onerror=window.pwn=2")
        assert await page.locator(".in-class :is(script, img, iframe, style)").count() == 0
        assert await page.evaluate("window.pwn") is None
        assert [url for url in asked if not url.startswith(page.address)] == []
