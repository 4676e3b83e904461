"""Every door, found by itself, tried by everybody who may not: refused, nothing changed, on record once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from assent.ui import mount
from assent.ui.paths import GRADIO_DOORS, OPEN_PATHS
from assent.ui.scopes import scopes_of
from fastapi import FastAPI

from .conftest import Shop, client, done, settings
from .walking import ENDLESS, OWN, Door, Seeded, every_route, seed


@pytest.fixture
async def seeded(shop: Shop, tmp_path: Path) -> Seeded:
    return await seed(shop, tmp_path)


@pytest.fixture
async def eve(shop: Shop, app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The admin of another tenant."""
    await shop.desk.users.add("eve", None, "admin", tenant="rival")
    async with client(app, await shop.desk.users.open_session("eve")) as signed_in:
        yield signed_in


async def token_client(shop: Shop, app: Any, name: str, *scopes: str) -> httpx.AsyncClient:
    secret, _ = await shop.desk.users.tokens.make(name, scopes, name)
    opened = client(app)
    opened.headers["authorization"] = f"Bearer {secret}"
    return opened


async def refuses(seeded: Seeded, doors: list[Door], who: httpx.AsyncClient, allowed: tuple[int, ...], **knock: Any) -> None:
    """Knock at all doors: every answer is one of `allowed`, nothing has changed, every refusal is on record once."""
    await who.get("/api/me")
    before, known = seeded.rows(), await seeded.denials()
    refused = 0
    for door in doors:
        answer = await door.knock(who, **knock)
        assert answer.status_code in allowed, (door.method, door.route, answer.status_code, answer.text[:200])
        assert "set-cookie" not in answer.headers and "SECRET" not in answer.text, door
        refused += answer.status_code in (401, 403)
    await seeded.shop.desk.drain()
    assert done == []
    assert seeded.rows() == before
    assert await seeded.denials() - known == refused


async def test_a_stranger_gets_in_nowhere(seeded: Seeded, app: Any, anonymous: httpx.AsyncClient) -> None:
    doors = [door for door in seeded.doors(app) if door.path not in OPEN_PATHS]
    assert len(doors) > 130 and len([door for door in doors if door.is_ours and door.changes]) >= 7
    await refuses(seeded, doors, anonymous, (401,))


async def test_a_viewer_changes_nothing(seeded: Seeded, app: Any, vic: httpx.AsyncClient) -> None:
    doors = [door for door in seeded.doors(app) if door.changes and door.path not in OPEN_PATHS | OWN]
    await refuses(seeded, [door for door in doors if door.is_ours], vic, (403,))
    await refuses(seeded, [door for door in doors if not door.is_ours], vic, (403, 404))


FORGED = {"actor": "ada", "user": "ada", "username": "ada", "role": "admin", "tenant": "main", "requester": "ada", "by": "lin"}


async def test_forged_fields_and_headers_give_a_viewer_nothing(seeded: Seeded, app: Any, vic: httpx.AsyncClient) -> None:
    doors = [door for door in seeded.doors(app) if door.changes and door.is_ours]
    headers = {"x-user": "ada", "x-forwarded-user": "ada", "remote-user": "ada", "x-assent-role": "admin"}
    await refuses(seeded, doors, vic, (403, 422), forged=FORGED, headers=headers)


async def test_another_tenants_admin_finds_nothing_here(seeded: Seeded, app: Any, eve: httpx.AsyncClient) -> None:
    doors = [door for door in seeded.doors(app) if door.is_ours and not ENDLESS.fullmatch(door.path)]
    her_own = ("/api/threads/", "/api/stops", "/api/advice", "/api/reviewers/")  # what she says, stops, sets and reckons with
    changing = [door for door in doors if door.changes and not door.path.startswith(her_own)]
    await refuses(seeded, changing, eve, (403, 404, 409, 422))
    looking = [door for door in doors if not door.changes and door.path.startswith("/api/")]
    await refuses(seeded, looking, eve, (200, 403, 404, 405, 422))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://blog.desk.test"},
        {"origin": "http://desk.test.evil.example"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
    ids=str,
)
async def test_a_page_of_another_site_uses_nobodys_session(
    seeded: Seeded, app: Any, ada: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    doors = [door for door in seeded.doors(app) if door.changes]
    if "content-type" in headers:
        doors = [door for door in doors if door.path.startswith(("/api/", "/gradio_api/"))]
    await refuses(seeded, doors, ada, (403,), headers=headers)


async def test_a_token_opens_what_its_scope_says_and_no_page(seeded: Seeded, app: Any) -> None:
    doors = [door for door in seeded.doors(app) if not ENDLESS.fullmatch(door.path)]
    for name, scope in (("ada", "read"), ("ada", "send"), ("lin", "control")):
        async with await token_client(seeded.shop, app, name, scope) as holder:
            held = {scope, "read"} if scope == "control" else {scope}
            beyond = [door for door in doors if not door.path.startswith("/api/") or not scopes_of(door.method, door.path) & held]
            await refuses(seeded, beyond, holder, (403,))
    async with await token_client(seeded.shop, app, "ada", "read") as holder:
        holder.headers["authorization"] += "x"
        await refuses(seeded, doors, holder, (401,))


async def test_every_route_that_changes_something_says_which_token_opens_it(seeded: Seeded, app: Any) -> None:
    ours = [door for door in seeded.doors(app) if door.is_ours and door.changes and door.path.startswith("/api/")]
    shut = [door.path for door in ours if not scopes_of(door.method, door.path)]
    assert shut == ["/api/autonomy/promote"], "a promotion takes a person's signature; everything else of ours has a scope"


async def test_a_token_decides_as_its_user_needs_no_origin_and_gets_no_cookie(seeded: Seeded, app: Any) -> None:
    path = f"/api/reviews/{seeded.pending}/decision"
    body = {"digest": seeded.digest, "decision": {"type": "reject", "reason": "wrong"}}
    async with await token_client(seeded.shop, app, "ada", "decide") as holder:
        holder.cookies.set("assent_session", await seeded.shop.desk.users.open_session("lin"))
        answer = await holder.post(path, json=body, headers={"origin": "http://elsewhere.example"})
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        assert (await holder.get("/api/history")).json()["history"][0]["who"] == "ada", "the token counts, not the cookie"


async def test_a_service_sends_as_a_requester_and_never_decides_or_looks(seeded: Seeded, app: Any) -> None:
    await seeded.shop.desk.users.add("bot", None, "service")
    async with await token_client(seeded.shop, app, "bot", "send") as bot:
        sent = await bot.post("/api/threads/t1/messages", json={"text": "My parcel is late", "requester": "C101"})
        assert sent.status_code == 200
        await seeded.shop.desk.drain()
        assert (await bot.get("/api/threads/t1")).json()["waiting"]
        doors = [door for door in seeded.doors(app) if door.is_ours and not door.path.startswith("/api/threads/")]
        await refuses(seeded, [door for door in doors if not ENDLESS.fullmatch(door.path)], bot, (403,))


# -- Gradio's handlers


async def handlers(ada: httpx.AsyncClient) -> list[Door]:
    """Return every way to call every dependency of the pages."""
    found = []
    config = (await ada.get("/config")).json()
    for one in config["dependencies"]:
        body = {
            "fn_index": one["id"],
            "data": ["play-1", "C100", "walked"][: len(one["inputs"])],
            "session_hash": "adas-session",
            "event_data": None,
            "trigger_id": None,
        }
        named = str(one["api_name"]).strip("/")
        for path in (
            "run/predict",
            "queue/join",
            f"call/{named}",
            f"call/v2/{named}",
            f"run/{named}",
            f"api/{named}",
            "call/predict",
        ):
            found.append(Door("POST", f"/gradio_api/{path}", path, body))
    assert len(found) >= 28
    return found


async def test_no_handler_of_the_pages_does_anything_for_those_who_may_not(
    seeded: Seeded, app: Any, ada: httpx.AsyncClient, vic: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    doors = await handlers(ada)
    run = [door for door in doors if GRADIO_DOORS.fullmatch(door.path)]
    await refuses(seeded, doors, anonymous, (401,))
    await refuses(seeded, run, vic, (403,))
    await refuses(seeded, [door for door in doors if door not in run], vic, (403, 404))
    await refuses(seeded, [door for door in doors if door not in run], ada, (404,))
    for headers in ({"origin": "http://blog.desk.test"}, {"origin": "null"}, {"content-type": "text/plain"}):
        await refuses(seeded, doors, ada, (403,), headers=headers)
    async with await token_client(seeded.shop, app, "lin", "decide", "send", "control") as holder:
        await refuses(seeded, doors, holder, (403,))


# -- other ways to write the same path


SPELT: tuple[Callable[[str], str], ...] = (
    lambda path: "/" + path,
    lambda path: path + "/",
    lambda path: path.replace("/api/", "/api//", 1),
    lambda path: path.replace("/api/", "/./api/", 1),
    lambda path: path.replace("/api/", "/sign-in/../api/", 1),
    lambda path: path.replace("/api/", "/%61pi/", 1),
    lambda path: path + ";/sign-in",
)


@pytest.mark.parametrize("prefix", ["", "/desk"])
async def test_no_spelling_of_a_path_and_no_mount_is_a_way_in(seeded: Seeded, app: Any, prefix: str) -> None:
    if prefix:
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        mount(app, seeded.shop.desk, prefix, settings())
    doors = [door for door in seeded.doors(app) if door.path.startswith(prefix + "/api/") and door.method != "HEAD"]
    assert len(doors) > 15
    before = seeded.rows()
    viewing = await seeded.shop.desk.users.open_session("vic")
    before = seeded.rows()
    async with client(app) as nobody, client(app, viewing) as vic:
        for door in doors:
            for spell in SPELT:
                path = prefix + spell(door.path.removeprefix(prefix))
                again = Door(door.method, path, door.route, door.body)
                assert (await again.knock(nobody)).status_code in ((401,) if path.startswith(prefix + "/") else (401, 404)), path
                if door.changes:
                    assert (await again.knock(vic)).status_code in (307, 403, 404, 405, 422), path
    assert seeded.rows() == before and done == []


async def test_a_websocket_is_closed_for_everybody_without_a_session_and_noted(seeded: Seeded, app: Any) -> None:
    known, before = await seeded.denials(), seeded.rows()
    paths = {path for method, path, _ in every_route(app.routes) if method == "WEBSOCKET"} | {
        "/gradio_api/queue/data",
        "/",
        "/api/me",
    }
    for path in sorted(paths):
        sent: list[Any] = []

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        headers = [(b"host", b"desk.test"), (b"cookie", b"assent_session=invented")]
        await app({"type": "websocket", "path": path, "root_path": "", "headers": headers, "query_string": b""}, receive, send)
        assert [message["type"] for message in sent] == ["websocket.close"]
    assert await seeded.denials() - known == len(paths) and seeded.rows() == before
