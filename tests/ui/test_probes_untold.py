"""Somebody who looks everything up finds no probe: neither what became of its action, nor its absence from what is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import assent
import httpx
import pytest
from assent.graph.authority import probing
from assent.graph.control import notices
from assent.graph.store import reviews
from assent.graph.store.control_models import NoticeRow
from sqlmodel import select

from .conftest import PEOPLE, RULES, Shop, client, refund, scripted
from .test_hostile_fields import Alike
from .test_probe_cards import blinded

MARK = "7731-mark"
"""An order that only one action is about."""
LOOKED_UP = (
    "/api/history", f"/api/history?search={MARK}", "/api/history?automatic=true", "/api/history.jsonl", "/api/examples",
    "/api/tasks",
)  # fmt: skip


async def rejected(shop: Shop, by: str = "lin") -> str:
    """Have a refund of the marked order rejected; returns its review."""
    review = await shop.ask("refund", {"order_id": MARK, "amount": "34.00"})
    card = await shop.desk.card(review, by)
    await shop.desk.decide(review, {"type": "reject", "digest": card.digest, "reason": "wrong"}, by)
    await shop.desk.drain()
    return review


async def probed(shop: Shop, review: str, kind: str = "known", by: str = "lin") -> str:
    """Ask about it once more."""
    async with shop.desk.store.begin() as tx:
        source = await reviews.action(tx, (await reviews.by_id(tx, review)).action)  # type: ignore[union-attr]
        assert source is not None
        asked = await probing.ask(tx, source, kind, shop.desk.clock(), expected="wrong", not_for=by)
    assert asked is not None
    return asked.id


async def found(who: httpx.AsyncClient, *more: str) -> list[str]:
    """Return the doors behind which the marked order is seen."""
    answers = {path: await who.get(path) for path in (*LOOKED_UP, *more)}
    return [path for path, answer in answers.items() if MARK in answer.text]


@pytest.mark.parametrize("kind", ["known", "second"])
async def test_what_became_of_it_is_held_back_while_it_is_asked_about_and_is_there_again_after_the_answer(
    shop: Shop, app: Any, ada: httpx.AsyncClient, vic: httpx.AsyncClient, kind: str
) -> None:
    first = await rejected(shop)
    doors = (f"/api/reviews/{first}", f"/api/trail/{first}")
    before = await found(ada, *doors)
    assert before == [*LOOKED_UP[:5], *doors]
    probe = await probed(shop, first, kind)
    assert await found(ada, *doors) == [] and await found(vic, *doors) == []
    assert [(await ada.get(door)).status_code for door in doors] == [404, 404]
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        assert await found(lin, *doors) == before, "a lead sees all"
    card = await shop.desk.card(probe, "ada")
    await shop.desk.decide(probe, {"type": "reject", "digest": card.digest, "reason": "no"}, "ada")
    assert await found(ada, *doors) == before


async def test_whoever_knows_the_answer_misses_nothing_in_the_history(shop: Shop, ada: httpx.AsyncClient) -> None:
    first = await rejected(shop, "ada")
    before, waiting = await found(ada), (await ada.get("/api/desk")).json()["stats"]["waiting"]
    await probed(shop, first, by="ada")
    assert await found(ada) == before and before
    assert (await ada.get("/api/desk")).json()["stats"]["waiting"] == waiting, "nor is a card counted that they are not shown"


async def test_what_passed_is_held_back_while_it_is_audited(shop: Shop, ada: httpx.AsyncClient) -> None:
    thread = await shop.run("remind", {"text": MARK})
    assert await found(ada) == ["/api/history?automatic=true"]
    async with shop.desk.store.begin() as tx:
        (source,) = await reviews.actions_of_thread(tx, thread)
        await probing.ask(tx, source, "audit", shop.desk.clock())
    assert await found(ada) == [] and (await ada.get(f"/api/trail/{source.id}")).status_code == 404


async def test_a_similar_card_does_not_tell_what_was_decided(tmp_path: Path) -> None:
    async with assent.open(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        desk.agent(tools=[refund], policy=assent.Policy(RULES), propose=scripted, memory=Alike())
        for name, role in PEOPLE.items():
            await desk.users.add(name, None, role)  # type: ignore[arg-type]
        shop = Shop(desk)
        first = await shop.refund()
        digest = (await desk.card(first, "lin")).digest
        await desk.decide(first, {"type": "approve", "digest": digest}, "lin")
        await desk.drain()
        like = await shop.refund()
        assert [one["decision"] for one in (await desk.card(like, "ada")).precedents] == ["approve"]
        probe = await probed(shop, first)
        assert (await desk.card(like, "ada")).precedents == [] != (await desk.card(like, "lin")).precedents
        await desk.decide(probe, {"type": "approve", "digest": (await desk.card(probe, "ada")).digest}, "ada")
        assert [one["decision"] for one in (await desk.card(like, "ada")).precedents] == ["approve"]


async def counts(who: httpx.AsyncClient) -> list[float]:
    """Return what is counted of refunds: on Insights in the list and alone, and in the advice."""
    (line,) = (await who.get("/api/insights")).json()["classes"]
    one = (await who.get(f"/api/insights/{line['agent']}/refund")).json()["class"]
    (advice,) = [one for one in (await who.get("/api/advice")).json()["advice"] if one["tool"] == "refund"]
    return [line["volume"]["proposed"], line["volume"]["reviewed"], one["volume"]["proposed"], advice["volume"]]


async def test_whoever_watches_what_is_counted_sees_a_probe_come_in_like_any_other_card(
    shop: Shop, app: Any, ada: httpx.AsyncClient
) -> None:
    first = await rejected(shop)
    await blinded(shop)
    start = await counts(ada)
    await shop.refund()
    ordinary = [now - before for now, before in zip(await counts(ada), start, strict=True)]
    start = await counts(ada)
    await probed(shop, first)
    assert [now - before for now, before in zip(await counts(ada), start, strict=True)] == ordinary != [0, 0, 0, 0]
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        assert (await counts(lin))[0] == 2, "a lead is told what was proposed"


async def test_what_is_sent_out_about_a_blind_card_names_no_case(shop: Shop) -> None:
    first = await rejected(shop)
    await blinded(shop)
    ordinary, probe = await shop.refund(), await probed(shop, first)
    async with shop.desk.store.begin() as tx:
        for review in (ordinary, probe):
            row = await reviews.by_id(tx, review)
            assert row is not None
            await notices.about_review(tx, "warning", row, shop.desk.clock(), "expires soon.")
    async with shop.desk.store.read() as tx:
        told = [row.body["thread"] for row in (await tx.exec(select(NoticeRow))).all()]
    assert told == ["", ""]


async def refusals(who: httpx.AsyncClient, review: str, digest: str) -> dict[tuple[int, str], list[str]]:
    """Return what each door that changes a review answers, by the answer."""
    later, doors = "2099-01-01T00:00:00+00:00", f"/api/reviews/{review}"
    answers: dict[tuple[int, str], list[str]] = {}
    for door, body in (
        ("decision", {"digest": digest, "decision": {"type": "reject", "reason": "no"}}),
        ("decision", {"digest": digest, "decision": {"type": "edit", "args": {"order_id": MARK, "amount": "1.00"}}}),
        ("withdraw", None), ("take", {}), ("release", None), ("snooze", {"until": later}), ("unsnooze", None),
        ("escalate", {"to": "role:lead", "reason": "odd"}), ("extend", {"until": later, "reason": "odd"}),
    ):  # fmt: skip
        answer = await who.post(f"{doors}/{door}", json=body)
        answers.setdefault((answer.status_code, answer.text), []).append(door)
    return answers


@pytest.mark.parametrize("kind", ["known", "second"])
async def test_no_refusal_tells_what_became_of_it_while_it_is_asked_about(
    shop: Shop, app: Any, ada: httpx.AsyncClient, kind: str
) -> None:
    first = await rejected(shop)
    digest = (await shop.desk.card(first, "lin")).digest
    told = [text for _, text in await refusals(ada, first, digest)]
    assert any("rejected" in text for text in told) and any("lin" in text for text in told)
    await probed(shop, first, kind)
    none = await ada.get(f"/api/reviews/{first}")
    assert list(await refusals(ada, first, digest)) == [(404, none.text)]
    async with client(app, await shop.desk.users.open_session("lin")) as lin:
        assert all(status != 404 for status, _ in await refusals(lin, first, digest)), "a lead is told as ever"


async def test_who_decided_can_take_it_back_while_a_second_look_waits_and_what_is_asked_again_can_be_decided(
    shop: Shop, app: Any, ada: httpx.AsyncClient
) -> None:
    review = await shop.refund()
    await shop.desk.users.add("ben", None, "operator")
    digest = (await shop.desk.card(review, "ada")).digest
    await shop.desk.decide(review, {"type": "approve", "digest": digest}, "ada", undo_window=60.0)
    await probed(shop, review, "second", by="ada")
    async with client(app, await shop.desk.users.open_session("ben")) as ben:
        assert list(await refusals(ben, review, digest)) == [(404, (await ben.get(f"/api/reviews/{review}")).text)]
        assert (await ada.post(f"/api/reviews/{review}/withdraw")).status_code == 200
        assert (
            await ben.post(f"/api/reviews/{review}/decision", json={"digest": digest, "decision": {"type": "approve"}})
        ).status_code == 200
