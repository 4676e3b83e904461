"""In a real browser: a page of a sibling subdomain, and one of a foreign site, cannot use the operator's session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from json import dumps
from typing import Any

import pytest
from assent.graph.store import events
from assent.ui import create_app
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse

from .conftest import Shop, chromium, done, served, settings

pytestmark = pytest.mark.browser

DESK, SIBLING, FOREIGN = "approvals.corp.test", "blog.corp.test", "evil.example"

ATTACK = """<!doctype html><title>attack</title><iframe name="sink"></iframe><iframe id="framed" src="%(desk)s/"></iframe>
<form id="plain" method="post" enctype="text/plain" target="sink" action="%(desk)s/api/reviews/%(review)s/decision">
<input name='%(json)s' value=''></form>
<form id="coded" method="post" target="sink" action="%(desk)s/api/reviews/%(review)s/withdraw"></form>
<form id="out" method="post" target="sink" action="%(desk)s/sign-out"></form>
<script>
window.told = (async () => {
  const found = {};
  const url = '%(desk)s/api/reviews/%(review)s/decision', body = '%(json)s';
  const tries = {
    json: () => fetch(url, {method: 'POST', credentials: 'include', headers: {'content-type': 'application/json'}, body}),
    simple: () => fetch(url, {method: 'POST', credentials: 'include', mode: 'no-cors', body}),
    blob: () => fetch(url, {method: 'POST', credentials: 'include', mode: 'no-cors', body: new Blob([body])}),
    run: () => fetch('%(desk)s/gradio_api/run/predict', {method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}'}),
    read: () => fetch('%(desk)s/api/reviews', {credentials: 'include'}),
    beacon: async () => ({type: String(navigator.sendBeacon(url, new Blob([body], {type: 'text/plain'})))}),
  };
  for (const [name, attempt] of Object.entries(tries)) {
    try { const answer = await attempt(); found[name] = answer.type; } catch (error) { found[name] = 'blocked'; }
  }
  for (const id of ['plain', 'coded', 'out']) {
    const loaded = new Promise((resolve) => { document.querySelector('[name=sink]').onload = resolve; setTimeout(resolve, 3000); });
    document.getElementById(id).submit();
    await loaded;
  }
  return found;
})();
</script>"""


@dataclass
class Watched:
    """An application, and what reached it: method, path, whether the session came along, and the answer's status."""

    app: Any
    seen: list[tuple[str, str, bool, int]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        carried = any(name == b"cookie" and b"assent_session" in value for name, value in scope["headers"])

        async def sender(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.seen.append((scope["method"], scope["path"], carried, message["status"]))
            await send(message)

        await self.app(scope, receive, sender)


@pytest.fixture
async def far_browser() -> AsyncIterator[Any]:
    """A real Chromium for which every name is this machine."""
    path = chromium()
    from playwright.async_api import async_playwright

    names = ", ".join(f"MAP {name} 127.0.0.1" for name in ("*.corp.test", FOREIGN))
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--host-resolver-rules={names}"]
    async with async_playwright() as play:
        opened = await play.chromium.launch(executable_path=path, args=arguments)
        yield opened
        await opened.close()


@pytest.mark.parametrize("attacker", [SIBLING, FOREIGN])
async def test_a_page_elsewhere_gets_nothing_with_the_operators_cookies(shop: Shop, far_browser: Any, attacker: str) -> None:
    review = await shop.refund()
    digest = (await shop.desk.card(review, "ada")).digest
    watched = Watched(create_app(shop.desk, settings(hosts=frozenset({DESK}), run_worker=True)))
    page_of_attacker: dict[str, str] = {}

    async def evil(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        page = HTMLResponse(page_of_attacker["html"]) if Request(scope).url.path == "/" else PlainTextResponse("")
        await page(scope, receive, send)

    async with served(watched) as desk_address, served(evil) as evil_address:
        desk = desk_address.replace("127.0.0.1", DESK)
        json = dumps({"digest": digest, "decision": {"type": "approve"}})
        page_of_attacker["html"] = ATTACK % {"desk": desk, "review": review, "json": json}
        context = await far_browser.new_context()
        token = await shop.desk.users.open_session("ada")
        cookie = {"name": "assent_session", "value": token, "url": desk, "httpOnly": True, "sameSite": "Strict"}
        await context.add_cookies([cookie])
        operator = await context.new_page()
        await operator.goto(desk + "/")
        await operator.wait_for_selector(".rc-card")
        await operator.close()  # its own requests are none of the attack's; its session stays
        page = await context.new_page()
        watched.seen.clear()
        await page.goto(evil_address.replace("127.0.0.1", attacker) + "/")
        told = await page.evaluate("window.told")
        assert told == {name: told[name] for name in ("json", "simple", "blob", "run", "read", "beacon")}
        assert told["json"] == told["read"] == "blocked", "nothing could be read"
        for frame in page.frames[1:]:
            assert "gradio" not in await frame.content() and "RQ-1" not in await frame.content(), "nothing was framed"
        posts = [one for one in watched.seen if one[0] == "POST"]
        assert posts and {status for *_, status in posts} == {403}
        assert any(carried for _, _, carried, _ in watched.seen) == (attacker == SIBLING), "a sibling's requests carry the session"
        assert (await shop.desk.card(review, "ada")).status == "pending" and done == []
        async with shop.desk.store.read() as tx:
            rows = [row for row in await events.page(tx, "main") if row.kind == "denied" and row.subject.startswith("POST")]
        assert rows and {row.actor for row in rows} == {"ada" if attacker == SIBLING else "anonymous"}
        await context.close()
