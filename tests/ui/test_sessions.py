from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from assent.ui import create_app

from .conftest import PASSWORD, Shop, client, settings


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].lower()


async def test_the_password_opens_a_session_with_a_strict_cookie(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    assert "httponly" in cookie_of(answer) and "samesite=strict" in cookie_of(answer)
    assert (await anonymous.get("/api/me")).json()["name"] == "ada"


async def test_a_wrong_name_and_a_wrong_password_look_the_same(anonymous: httpx.AsyncClient) -> None:
    wrong = [await anonymous.post("/sign-in", data={"name": name, "password": "wrong"}) for name in ("ada", "nobody", "lin")]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.text for answer in wrong}) == 1
    assert "set-cookie" not in wrong[0].headers


async def test_after_five_failures_not_even_the_right_password_opens(anonymous: httpx.AsyncClient) -> None:
    for _ in range(5):
        await anonymous.post("/sign-in", data={"name": "ada", "password": "wrong"})
    answer = await anonymous.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert answer.status_code == 429


async def test_looking_at_a_link_does_not_use_it_up_and_pressing_the_button_does(
    shop: Shop, app: Any, anonymous: httpx.AsyncClient
) -> None:
    token = await shop.desk.users.mint_sign_in("lin")
    for _ in range(3):
        page = await anonymous.get(f"/sign-in?token={token}")
        assert page.status_code == 200 and token in page.text and "set-cookie" not in page.headers
    assert (await anonymous.post("/sign-in/link", data={"token": token})).status_code == 303
    assert (await anonymous.get("/api/me")).json()["name"] == "lin"
    async with client(app) as second:
        assert (await second.post("/sign-in/link", data={"token": token})).status_code == 401


async def test_signing_in_ends_the_session_before_and_signing_out_ends_it_too(shop: Shop, app: Any) -> None:
    old = await shop.desk.users.open_session("ada")
    async with client(app, old) as ada:
        answer = await ada.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        fresh = answer.cookies["assent_session"]
    assert fresh != old
    async with client(app, old) as before, client(app, fresh) as after:
        assert (await before.get("/api/me")).status_code == 401
        assert (await after.get("/api/me")).status_code == 200
        assert (await after.post("/sign-out")).status_code == 303
    async with client(app, fresh) as ended:
        assert (await ended.get("/api/me")).status_code == 401


async def test_a_browser_without_a_session_gets_the_sign_in_page_as_a_401(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/inbox", headers={"accept": "text/html"})
    assert answer.status_code == 401 and "<form" in answer.text
    assert "script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_hostile_token_is_text(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/sign-in", params={"token": '"><script>alert(1)</script>'})
    assert "<script" not in answer.text


async def test_a_sign_in_leads_to_the_page_that_was_asked_for_and_nowhere_else(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/?review=rev_1", headers={"accept": "text/html"})
    assert 'name="then" value="/?review=rev_1"' in page.text
    places = {"/inbox": "/inbox", "/?review=rev_1": "/?review=rev_1"}
    places |= dict.fromkeys(("//evil.example", "https://evil.example", "/\\evil.example", "/inbox/../x", "/?review=a&b=c"), "/")
    for then, place in places.items():
        answer = await anonymous.post("/sign-in", data={"name": "ada", "password": PASSWORD, "then": then})
        assert answer.headers["location"] == place


async def test_coming_from_another_site_the_browser_is_asked_to_come_again(anonymous: httpx.AsyncClient) -> None:
    headers = {"accept": "text/html", "sec-fetch-site": "cross-site"}
    answer = await anonymous.get("/?review=rev_1", headers=headers)
    assert answer.status_code == 401 and 'http-equiv="refresh"' in answer.text
    assert "refresh" not in (await anonymous.get("/", headers={**headers, "sec-fetch-site": "same-origin"})).text


async def test_a_session_whose_hour_has_come_hands_the_browser_its_next_secret(shop: Shop, app: Any, monkeypatch: Any) -> None:
    token = await shop.desk.users.open_session("ada")
    async with client(app, token) as ada:
        assert "set-cookie" not in (await ada.get("/api/me")).headers
        sessions = shop.desk.users.sessions
        monkeypatch.setattr(sessions, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=59))
        await ada.get("/api/me")
        monkeypatch.setattr(sessions, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=61))
        fresh = await ada.get("/api/me")
        assert "httponly" in cookie_of(fresh) and "samesite=strict" in cookie_of(fresh)
        assert token not in cookie_of(fresh) and (await ada.get("/api/me")).json()["name"] == "ada"


async def test_over_https_the_cookie_is_one_that_no_sibling_can_set(shop: Shop) -> None:
    secure = create_app(shop.desk, settings(secure_cookies=True))
    async with client(secure) as browser:
        answer = await browser.post("/sign-in", data={"name": "ada", "password": PASSWORD})
        assert cookie_of(answer).startswith("__host-assent_session=") and "; secure" in cookie_of(answer)
        assert "path=/;" in cookie_of(answer) + ";" and "domain" not in cookie_of(answer)
    async with client(secure, await shop.desk.users.open_session("ada")) as tossed:
        assert (await tossed.get("/api/me")).status_code == 401, "a cookie without the prefix counts for nothing"


async def test_a_reset_link_sets_a_password_once_and_only_when_its_form_is_sent(
    shop: Shop, ada: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    await shop.desk.users.first_admin("root")
    token = await shop.desk.users.mint_reset("ada", "root")
    assert (await ada.get("/api/me")).status_code == 401
    for _ in range(2):
        page = await anonymous.get("/sign-in/reset", params={"token": token})
        assert page.status_code == 200 and token in page.text and "script" not in page.text
    form = {"token": token, "password": "a brand new one", "again": "a brand new two"}
    for wrong in (form, {**form, "password": "short", "again": "short"}):
        assert (await anonymous.post("/sign-in/reset", data=wrong)).status_code == 422
    form["again"] = form["password"]
    assert (await anonymous.post("/sign-in/reset", data=form)).status_code == 200
    assert (await anonymous.post("/sign-in/reset", data=form)).status_code == 401
    assert (await anonymous.post("/sign-in", data={"name": "ada", "password": PASSWORD})).status_code == 401
    assert (await anonymous.post("/sign-in", data={"name": "ada", "password": form["password"]})).status_code == 303


async def test_a_password_is_changed_by_who_knows_the_old_one_and_every_other_session_ends(
    shop: Shop, app: Any, ada: httpx.AsyncClient
) -> None:
    async with client(app, await shop.desk.users.open_session("ada")) as other:
        body = {"old": PASSWORD, "new": "a brand new one"}
        assert (await ada.post("/api/me/password", json={**body, "old": "a guess"})).status_code == 403
        assert (await other.get("/api/me")).status_code == 200
        assert (await ada.post("/api/me/password", json=body)).status_code == 200
        assert (await other.get("/api/me")).status_code == 401
        assert (await ada.get("/api/me")).json()["name"] == "ada"
    assert await shop.desk.users.verify("ada", "a brand new one")
