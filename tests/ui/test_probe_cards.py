"""What is asked to measure a reviewer looks like what is asked to let something run, field by field, until it is answered."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from assent.graph.authority import probing, reviewing
from assent.graph.authority.reviewing import DRAWN
from assent.graph.store import reviews, settings

from .conftest import Shop, client, done, signed_in_page

PROMISED = {"refund": {"order_id": "1001", "amount": "34.00", "reason": "damaged"}, "wire": {"to": "ann", "amount": 5, "note": ""}}
OWN = {"id", "number", "digest", "created", "due", "warn", "evidence"}
"""What two cards of the same action never have in common: ids, and moments."""
TELLING = re.compile(r"probe|known|audit|shadow|second look|control card|not_for", re.IGNORECASE)


async def blinded(shop: Shop) -> None:
    """Let every ordinary review be blind from now on."""
    async with shop.desk.store.begin() as tx:
        drawn = {"seed": "s", "settings": {}, "cursor": 0, "owed": 0, "seconds": [], "asked": 0}
        await settings.put(tx, "main", DRAWN, drawn, shop.desk.clock())
    await reviewing.change(shop.desk.store, shop.desk.clock, "lin", {"blind": 1})


async def both(shop: Shop, tool: str, kind: str = "known") -> tuple[str, str]:
    """Return an ordinary review, and a probe about the same action that lin rejected before."""
    first = await shop.ask(tool, PROMISED[tool], say="I think this is right.")
    card = await shop.desk.card(first, "lin")
    await shop.desk.decide(first, {"type": "reject", "digest": card.digest, "reason": "wrong"}, "lin")
    await shop.desk.drain()
    await blinded(shop)
    ordinary = await shop.ask(tool, PROMISED[tool], say="I think this is right.")
    async with shop.desk.store.begin() as tx:
        source = await reviews.action(tx, (await reviews.by_id(tx, first)).action)  # type: ignore[union-attr]
        assert source is not None
        review = await probing.ask(tx, source, kind, shop.desk.clock(), expected="wrong", not_for="lin")
    assert review is not None
    return ordinary, review.id


async def shown(who: httpx.AsyncClient, review: str) -> dict[str, Any]:
    answer = await who.get(f"/api/reviews/{review}")
    found: dict[str, Any] = answer.json()
    assert answer.status_code == 200, found
    return found


def shape(value: Any) -> Any:
    """Return what a value is made of: its type, and for a text of letters and digits how it is built."""
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return re.sub(r"[0-9a-f]", "x", value) if isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize("kind", ["known", "second", "audit"])
@pytest.mark.parametrize("tool", PROMISED)
async def test_a_probes_card_is_an_ordinary_blind_card_field_by_field(
    shop: Shop, ada: httpx.AsyncClient, tool: str, kind: str
) -> None:
    ordinary, probe = [await shown(ada, one) for one in await both(shop, tool, kind)]
    assert set(ordinary) == set(probe)
    assert {name: ordinary[name] for name in set(ordinary) - OWN} == {name: probe[name] for name in set(probe) - OWN}
    assert {name: shape(ordinary[name]) for name in OWN} == {name: shape(probe[name]) for name in OWN}
    assert ordinary["thread"] == probe["thread"] == "" and ordinary["confidence"] is None
    assert [item["at"] > ordinary["created"][:10] for item in probe["evidence"]] == [True] * len(ordinary["evidence"])
    if tool == "wire":
        assert probe["quorum"] == 2 and probe["due"] is not None, "terms are those of the policy"


async def test_nothing_that_is_answered_over_http_tells_a_probe_before_it_is_answered(
    shop: Shop, app: Any, ada: httpx.AsyncClient
) -> None:
    ordinary, probe = await both(shop, "refund")
    card = await shown(ada, probe)
    paths = (
        "/api/desk", "/api/reviews", "/api/reviews?search=1001", "/api/inbox", "/api/inbox?search=maud", "/api/history",
        "/api/history?search=C100", "/api/history.jsonl", "/api/tasks", "/api/feed", "/api/examples", "/api/reviewers", "/api/me",
        f"/api/reviews/{probe}", f"/api/trail/{probe}", "/api/people", "/api/stops",
    )  # fmt: skip
    for path in paths:
        answer = await ada.get(path)
        assert answer.status_code == 200, path
        assert TELLING.findall(answer.text) == [], path
    lines = {line["id"]: line for line in (await ada.get("/api/inbox")).json()["inbox"]}
    own = ("id", "number", "created")
    assert {name: value for name, value in lines[probe].items() if name not in own} == {
        name: value for name, value in lines[ordinary].items() if name not in own
    }
    two = [(await ada.get(f"/api/trail/{one}")).json() for one in (ordinary, probe)]
    assert shape(two[0]) == shape(two[1]) and two[0]["lines"] == []
    takes = [await ada.post(f"/api/reviews/{one}/take", json={"version": 1, "digest": card["digest"]}) for one in (ordinary, probe)]
    assert takes[0].status_code == takes[1].status_code == 200 and set(takes[0].json()) == set(takes[1].json())
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        assert probe not in (await lin.get("/api/reviews")).text and (await lin.get(f"/api/reviews/{probe}")).status_code == 404


async def test_the_answer_tells_and_there_is_nothing_to_undo(shop: Shop, ada: httpx.AsyncClient) -> None:
    ordinary, probe = await both(shop, "refund")
    bodies = []
    for review in (ordinary, probe):
        card = await shown(ada, review)
        body = {"digest": card["digest"], "decision": {"type": "approve"}, "seen_ms": 60_000}
        answer = await ada.post(f"/api/reviews/{review}/decision", json=body)
        bodies.append(answer.json())
    assert [body["decided"]["probe"] for body in bodies] == ["", "known"] and bodies[1]["undo_seconds"] == 0
    assert "got past you" in bodies[1]["decided"]["revealed"], "lin decided it first, and no other lead could settle it"
    assert (await ada.post(f"/api/reviews/{probe}/withdraw", json={})).status_code == 409
    await shop.desk.drain()
    assert len(done) == 1, "the ordinary one was carried out"


async def test_an_operator_sees_their_own_line_and_a_lead_everybodys(shop: Shop, app: Any, ada: httpx.AsyncClient) -> None:
    for who in ("ada", "bob"):
        card = await shop.desk.card(await shop.refund(), who)
        await shop.desk.decide(card.id, {"type": "approve", "digest": card.digest, "seen_ms": 5}, who)
    mine = (await ada.get("/api/reviewers")).json()
    assert [(line["name"], line["hasty"], line["today"]) for line in mine["reviewers"]] == [("ada", 1, 1)] and "catch" not in mine
    assert (await ada.post("/api/reviewers/settings", json={"values": {"daily_cap": 1}})).status_code == 403
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        every = (await lin.get("/api/reviewers")).json()
        assert (
            [line["name"] for line in every["reviewers"]] == ["ada", "bob"] and every["needed"] == 14 and every["healthy"] is None
        )
        changed = await lin.post("/api/reviewers/settings", json={"values": {"daily_cap": 1}})
        assert changed.json()["settings"]["daily_cap"] == 1
        assert (await lin.post("/api/reviewers/settings", json={"values": {"daily_cap": "many"}})).status_code == 422
    card = await shop.desk.card(await shop.refund(), "ada")
    over = await ada.post(f"/api/reviews/{card.id}/decision", json={"digest": card.digest, "decision": {"type": "approve"}})
    assert over.status_code == 429 and over.json()["error"] == "enough_today"


@pytest.mark.browser
async def test_the_desk_tells_what_a_card_was_and_offers_nothing_to_undo(shop: Shop, browser: Any) -> None:
    ordinary, probe = await both(shop, "refund")
    await shop.desk.decide(
        ordinary, {"type": "reject", "digest": (await shop.desk.card(ordinary, "bob")).digest, "reason": "no"}, "bob"
    )
    async with signed_in_page(shop, browser, "ada", undo_window=600.0) as page:
        await page.wait_for_selector(f"[data-review={probe}]")
        assert "blind" in (await page.text_content(".rc-why")).lower()
        await page.keyboard.press("a")
        await page.wait_for_selector(".rc-notice >> text=got past you")
        assert await page.locator(".rc-strip button").count() == 0, "its answer stands"
        assert "That was quick" in await page.text_content(".rc-hint")
