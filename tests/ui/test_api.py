from __future__ import annotations

import json
from typing import Any

import httpx

from .conftest import Shop, client, done


async def digest_of(client: httpx.AsyncClient, review: str) -> str:
    return str((await client.get(f"/api/reviews/{review}")).json()["digest"])


async def decide(client: httpx.AsyncClient, review: str, decision: dict[str, Any], **more: Any) -> httpx.Response:
    digest = more.pop("digest", None) or await digest_of(client, review)
    return await client.post(f"/api/reviews/{review}/decision", json={"digest": digest, "decision": decision, **more})


async def test_an_approval_runs_what_was_shown(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    answer = await decide(ada, review, {"type": "approve"}, seen_ms=1200)
    assert answer.status_code == 200 and answer.json()["ok"] is True
    await shop.desk.drain()
    assert done == [("refund", {"order_id": "1001", "amount": "34.00", "reason": "damaged"})]
    line = (await ada.get("/api/history")).json()["history"][0]
    assert (line["who"], line["decision"], line["seen_ms"], line["outcome"]) == ("ada", "approve", 1200, "succeeded")


async def test_the_same_click_twice_decides_once_and_gives_the_same_answer(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    digest = await digest_of(ada, review)
    first, second = [await decide(ada, review, {"type": "approve"}, digest=digest, key="one-and-the-same") for _ in range(2)]
    assert first.json()["decided"] == second.json()["decided"]
    await shop.desk.drain()
    assert len(done) == 1


async def test_a_late_decision_is_told_who_decided_what_and_when(shop: Shop, app: Any, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    assert (await decide(ada, review, {"type": "reject", "reason": "not_needed"})).status_code == 200
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        late = await decide(lin, review, {"type": "approve"})
    assert late.status_code == 409
    body = late.json()
    assert (body["error"], body["by"], body["decision"]) == ("already_decided", "ada", "reject")
    assert body["at"] and "ada" in body["message"]
    await shop.desk.drain()
    assert done == []


async def test_a_digest_of_something_else_is_refused_with_the_card_as_it_is_now(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    for decision in ({"type": "approve"}, {"type": "edit", "changes": {"amount": '"1.00"'}}):
        answer = await decide(ada, review, decision, digest="0" * 64)
        assert answer.status_code == 409
        assert answer.json()["error"] == "stale_digest"
        assert answer.json()["card"]["id"] == review


async def test_an_edit_keeps_what_nobody_changed_to_the_last_digit(shop: Shop, ada: httpx.AsyncClient) -> None:
    proposed = {"text": "one", "copies": 2**60 + 1, "urgent": True, "weight": 1.0, "extra": {"big": 2**63, "one": 1.0}}
    review = await shop.ask("note", proposed)
    card = (await ada.get(f"/api/reviews/{review}")).json()
    assert card["shown"]["copies"]["text"] == str(2**60 + 1)
    assert card["shown"]["weight"]["text"] == "1.0"
    assert (await decide(ada, review, {"type": "edit", "changes": {"text": '"two"'}})).status_code == 200
    await shop.desk.drain()
    assert done == [("note", {**proposed, "text": "two"})]


async def test_a_wrong_edit_says_which_field_and_why_and_decides_nothing(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.ask("note", {"text": "one"})
    for changes in ({"copies": '"many"'}, {"copies": "NaN"}, {"copies": "1,"}):
        answer = await decide(ada, review, {"type": "edit", "changes": changes})
        assert answer.status_code == 422, changes
        assert answer.json()["error"] == "invalid_edit"
        assert list(answer.json()["problems"]) == ["copies"]
    assert (await decide(ada, review, {"type": "edit", "changes": {"unknown": "1"}})).status_code == 422
    assert (await decide(ada, review, {"type": "edit", "changes": ["text"]})).status_code == 422
    assert (await ada.get(f"/api/reviews/{review}")).json()["status"] == "pending"


async def test_a_viewer_sees_and_decides_nothing(shop: Shop, vic: httpx.AsyncClient) -> None:
    review = await shop.refund()
    assert (await vic.get("/api/reviews")).json()["reviews"][0]["id"] == review
    for decision in (
        {"type": "approve"},
        {"type": "edit", "changes": {"amount": '"1.00"'}},
        {"type": "reject", "reason": "unclear"},
        {"type": "respond", "message": "no"},
    ):
        answer = await decide(vic, review, decision)
        assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
    assert (await vic.post(f"/api/reviews/{review}/withdraw")).status_code == 403
    await shop.desk.drain()
    assert done == []


async def test_forged_fields_name_nobody_and_change_nothing(shop: Shop, vic: httpx.AsyncClient) -> None:
    review = await shop.refund()
    digest = await digest_of(vic, review)
    body = {"digest": digest, "decision": {"type": "approve"}}
    for forged in ({"actor": "ada"}, {"role": "admin"}, {"username": "ada"}, {"tenant": "other"}):
        assert (await vic.post(f"/api/reviews/{review}/decision", json={**body, **forged})).status_code == 422
        assert (
            await vic.post(f"/api/reviews/{review}/decision", json={**body, "decision": {"type": "approve", **forged}})
        ).status_code == 422
    for name, value in (("x-user", "ada"), ("x-forwarded-user", "ada"), ("cookie", "user=ada")):
        assert (await vic.post(f"/api/reviews/{review}/decision", json=body, headers={name: value})).status_code in (401, 403)
    assert (await vic.get(f"/api/reviews/{review}")).json()["status"] == "pending"


async def test_an_edit_cannot_name_another_tool(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    answer = await decide(ada, review, {"type": "edit", "tool": "delete_account", "args": {"customer": "C100"}})
    assert answer.status_code == 422
    await shop.desk.drain()
    assert done == []


async def test_another_tenants_review_is_unknown(shop: Shop, app: Any, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    digest = await digest_of(ada, review)
    await shop.desk.users.add("eve", None, "admin", tenant="other")
    async with client(app, await shop.desk.users.open_session("eve")) as eve:
        assert (await eve.get(f"/api/reviews/{review}")).status_code == 404
        assert (await decide(eve, review, {"type": "approve"}, digest=digest)).status_code == 404
        assert (await eve.get("/api/reviews")).json()["reviews"] == []
        assert (await eve.get("/api/history")).json()["history"] == []


async def test_a_withdrawn_decision_is_pending_again(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    assert (await decide(ada, review, {"type": "approve"})).status_code == 200
    answer = await ada.post(f"/api/reviews/{review}/withdraw")
    assert answer.status_code == 200
    assert answer.json()["card"]["status"] == "pending"
    await shop.desk.drain()
    assert done == []


async def test_taking_back_what_has_been_started_is_refused(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    await decide(ada, review, {"type": "approve"})
    await shop.desk.drain()
    answer = await ada.post(f"/api/reviews/{review}/withdraw")
    assert (answer.status_code, answer.json()["error"]) == (409, "too_late")


async def test_a_decision_brings_the_next_cards_and_not_the_ones_at_hand(shop: Shop, ada: httpx.AsyncClient) -> None:
    reviews = [await shop.refund(number) for number in range(1, 10)]
    opening = (await ada.get("/api/desk")).json()
    held = [item["id"] for item in opening["items"]]
    assert len(held) == 6 and opening["stats"]["waiting"] == 9 and opening["you"]["name"] == "ada"
    answer = (await decide(ada, held[0], {"type": "approve"}, holding=held)).json()
    assert {item["id"] for item in answer["items"]} == set(reviews) - set(held)
    assert answer["stats"]["waiting"] == 8


async def test_malformed_requests_get_one_sentence(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.refund()
    digest = await digest_of(ada, review)
    for body in (
        {},
        {"digest": digest},
        {"digest": digest, "decision": {"type": "approve_all"}},
        {"digest": "short", "decision": {"type": "approve"}},
        {"digest": digest, "decision": {"type": "reject", "reason": ""}},
        [1],
        None,
    ):
        answer = await ada.post(f"/api/reviews/{review}/decision", json=body)
        assert answer.status_code == 422, body
        assert set(answer.json()) == {"error", "message"} and "\n" not in answer.json()["message"]
    assert (await ada.get("/api/reviews/nothing")).json()["error"] == "unknown_review"


async def test_a_thread_belongs_to_its_user(shop: Shop, app: Any, ada: httpx.AsyncClient) -> None:
    sent = await ada.post("/api/threads/mine/messages", json={"text": "a note please", "requester": "C100"})
    assert sent.status_code == 200
    await shop.desk.drain()
    thread = (await ada.get("/api/threads/mine")).json()
    assert thread["waiting"][0]["tool"] == "note"
    assert (await ada.get(f"/api/reviews/{thread['waiting'][0]['review']}")).json()["requester"] == "C100"
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        assert (await lin.get("/api/threads/mine")).status_code == 404
        assert (await lin.get("/api/threads/ada%2Fmine")).status_code in (404, 422)
    for requester in ("ada", "C999", "lin"):
        assert (await ada.post("/api/threads/other/messages", json={"text": "x", "requester": requester})).status_code == 422


async def test_the_export_is_one_json_object_a_line_whatever_was_written(shop: Shop, ada: httpx.AsyncClient) -> None:
    review = await shop.ask("note", {"text": 'a"}\n{"forged": true}\u2028\u2029'})
    await decide(ada, review, {"type": "reject", "reason": "suspicious", "feedback": "no\n{}\r\n"})
    answer = await ada.get("/api/history.jsonl")
    assert "attachment" in answer.headers["content-disposition"]
    lines = answer.text.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["reason"] == "suspicious"


async def test_an_example_is_taken_out_by_a_lead_with_a_reason(
    shop: Shop, app: Any, ada: httpx.AsyncClient, vic: httpx.AsyncClient
) -> None:
    review = await shop.refund()
    await decide(ada, review, {"type": "approve"})
    example = (await ada.get("/api/examples")).json()["examples"][0]["id"]
    assert (await vic.post(f"/api/examples/{example}/retire", json={"reason": "because"})).status_code == 403
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        assert (await lin.post(f"/api/examples/{example}/retire", json={"reason": ""})).status_code == 422
        assert (await lin.post(f"/api/examples/{example}/retire", json={"reason": "wrong order"})).status_code == 200
    assert (await ada.get("/api/examples")).json()["examples"][0]["retired_by"] == "lin"
