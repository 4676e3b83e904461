from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from assent.graph.errors import StoreError
from assent.ui import create_app, mount
from assent.ui.paths import GRADIO_DOORS, OPEN_PATHS
from fastapi import FastAPI
from starlette.routing import Mount, Route

from .conftest import Shop, client, settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def paths(routes: Any, prefix: str = "") -> set[str]:
    found = set()
    for route in routes:
        if isinstance(route, Mount):
            found |= paths(route.routes, prefix + route.path)
        elif included := getattr(route, "original_router", None):  # what include_router leaves behind
            found |= paths(included.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Route):
            found.add(prefix + route.path)
    return found


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path)


async def test_every_route_refuses_the_anonymous(app: Any, anonymous: httpx.AsyncClient) -> None:
    known = {filled(path) for path in paths(app.routes)} - OPEN_PATHS
    assert "/api/reviews" in known and "/gradio_api/queue/join" in known and len(known) > 60
    for path in sorted(known):
        for method in METHODS:
            answer = await anonymous.request(method, path)
            assert answer.status_code == 401, (method, path, answer.status_code)


SPELLINGS = (
    *("//", "//config", "/config/", "/./config", "/sign-in/", "//sign-in", "/sign-in/../config", "/sign-in%2f..%2fconfig"),
    *("/%2e%2e/config", "/sign-in;/config", "/SIGN-IN", "/gradio_api/heartbeat/abc", "/gradio_api/token"),
    *("/gradio_api/file=/etc/passwd", "/theme.css", "/nothing"),
)


async def test_no_spelling_of_a_path_gets_around_the_guard(anonymous: httpx.AsyncClient) -> None:
    for path in SPELLINGS:
        assert (await anonymous.get(path)).status_code == 401, path


async def test_every_gradio_dependency_refuses_the_anonymous(ada: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    config = (await ada.get("/config")).json()
    assert config["dependencies"]
    for dependency in config["dependencies"]:
        assert dependency["api_visibility"] == "private"
        assert dependency["queue"] is False
        body = {"fn_index": dependency["id"], "data": ["x" for _ in dependency["inputs"]], "session_hash": "s"}
        for path in ("/gradio_api/run/predict", "/gradio_api/queue/join", f"/gradio_api/call/{dependency['api_name']}"):
            assert (await anonymous.post(path, json=body)).status_code == 401


async def test_an_open_session_is_let_in_and_a_closed_or_invented_one_is_not(shop: Shop, app: Any) -> None:
    token = await shop.desk.users.open_session("ada")
    async with client(app, token) as known:
        assert (await known.get("/api/me")).json() == {"name": "ada", "role": "operator"}
        await shop.desk.users.close_session(token)
        assert (await known.get("/api/me")).status_code == 401
    async with client(app, "invented") as stranger:
        assert (await stranger.get("/api/me")).status_code == 401


async def test_a_deactivated_user_is_out_at_once(shop: Shop, ada: httpx.AsyncClient) -> None:
    await shop.desk.users.add("root", None, "admin")
    assert (await ada.get("/api/me")).status_code == 200
    await shop.desk.users.switch("ada", "root", active=False)
    assert (await ada.get("/api/me")).status_code == 401


FOREIGN = (
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://blog.desk.test"},
    {"origin": ""},
    {"origin": "http://desk.test.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "http://desk.test"},
    {"sec-fetch-site": "none"},
)


async def test_requests_from_elsewhere_are_refused(ada: httpx.AsyncClient) -> None:
    for path in ("/api/reviews/x/decision", "/gradio_api/run/predict", "/gradio_api/queue/join", "/sign-in", "/sign-out"):
        for headers in FOREIGN:
            answer = await ada.post(path, json={}, headers=headers)
            assert answer.status_code == 403, (path, headers)
            assert "access-control-allow-origin" not in answer.headers


async def test_a_text_plain_body_is_not_read_as_json(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    body = '{"digest": "' + "0" * 64 + '", "decision": {"type": "approve"}}'
    answer = await ada.post(f"/api/reviews/{review}/decision", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 403


async def test_no_answer_allows_another_origin_to_read_it(ada: httpx.AsyncClient) -> None:
    for path in ("/", "/config", "/gradio_api/app_id", "/api/me"):
        answer = await ada.get(path, headers={"origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")], path


async def test_every_answer_carries_the_headers(ada: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    for answer in (await ada.get("/"), await ada.get("/api/me"), await anonymous.get("/"), await anonymous.get("/sign-in")):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers.get_list("x-frame-options") == ["DENY"]


async def test_an_unknown_host_name_is_refused(app: Any, ada: httpx.AsyncClient) -> None:
    assert (await ada.get("/api/me", headers={"host": "evil.example"})).status_code == 400
    assert (await ada.get("/api/me", headers={"host": "DESK.test:8080"})).status_code == 200


async def test_gradios_other_doors_are_shut_for_everybody(ada: httpx.AsyncClient) -> None:
    for path in (
        "upload",
        "file=/etc/passwd",
        "proxy=http://evil.example",
        "info",
        "openapi.json",
        "runs",
        "vibe-code",
        "component_server",
    ):
        assert not GRADIO_DOORS.fullmatch(f"/gradio_api/{path}")
        assert (await ada.get(f"/gradio_api/{path}")).status_code == 404
        assert (await ada.post(f"/gradio_api/{path}", json={})).status_code == 404
    for path in ("/monitoring", "/monitoring/summary", "/login", "/logout"):
        assert (await ada.get(path)).status_code == 404


async def test_a_large_body_is_refused_with_one_line_also_when_its_length_is_not_told(ada: httpx.AsyncClient) -> None:
    async def pieces() -> Any:
        for _ in range(30):
            yield b"x" * 100_000

    for content in (b"x" * 1_000_001, pieces()):
        answer = await ada.post("/api/reviews/x/decision", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["message"] == "The request is larger than 1000000 bytes."


async def test_a_websocket_is_closed_without_a_session(app: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket",
        "path": "/gradio_api/queue/data",
        "root_path": "",
        "headers": [(b"host", b"desk.test")],
        "query_string": b"",
    }
    await app(scope, receive, send)
    assert sent[0]["type"] == "websocket.close"


async def test_a_forged_scope_header_names_nobody(anonymous: httpx.AsyncClient) -> None:
    headers = {"x-forwarded-user": "ada", "authorization": "Bearer ada", "remote-user": "ada", "cookie": "assent_session="}
    assert (await anonymous.get("/api/me", headers=headers)).status_code == 401


async def test_mounted_under_a_path_it_guards_only_that_path(shop: Shop) -> None:
    parent = FastAPI()

    @parent.get("/hello")
    async def hello() -> str:
        return "hello"

    mount(parent, shop.desk, "/desk", settings())
    token = await shop.desk.users.open_session("ada")
    async with client(parent) as nobody, client(parent, token) as known:
        assert (await nobody.get("/hello")).json() == "hello"
        assert (await nobody.get("/desk/api/me")).status_code == 401
        assert (await nobody.get("/desk/sign-in")).status_code == 200
        assert (await nobody.get("/desk//sign-in")).status_code == 401
        assert (await known.get("/desk/api/me")).status_code == 200
        assert (await known.get("/desk/config")).json()["root"].endswith("/desk")


async def test_the_application_has_no_open_documentation(app: Any, ada: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await ada.get(path)).status_code == 404


async def test_somebody_elses_gradio_session_gives_nothing(
    shop: Shop, app: Any, ada: httpx.AsyncClient, vic: httpx.AsyncClient
) -> None:
    config = (await ada.get("/config")).json()

    async def run(who: httpx.AsyncClient, index: int, data: list[Any]) -> Any:
        body = {"fn_index": index, "data": data, "session_hash": "adas-session"}
        return (await who.post("/gradio_api/run/predict", json=body)).json()

    (tick,) = [one["id"] for one in config["dependencies"] if one["targets"][0][1] == "tick"]
    (send,) = [one["id"] for one in config["dependencies"] if len(one["inputs"]) == 3]
    await run(ada, send, ["play-1", "C100", "a secret wish"])
    await shop.desk.drain()
    assert "a secret wish" in str(await run(ada, tick, ["play-1", "C100"]))
    for name in ("play-1", "ada/play-1", "../ada/play-1"):
        assert "a secret wish" not in str(await run(vic, tick, [name, "C100"]))


async def test_a_database_that_is_away_lets_nobody_in_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(token: str) -> Any:
        raise StoreError

    monkeypatch.setattr(shop.desk.users.sessions, "find", away)
    async with client(create_app(shop.desk, settings()), "some session") as known:
        answer = await known.get("/api/me")
    assert (answer.status_code, answer.json()["error"]) == (503, "try_again")
