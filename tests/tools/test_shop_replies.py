from __future__ import annotations

import asyncio
import email
import os
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from assent.tools.declaration import ActionRefused, Case, at_hand, dry_run, legal_choices, plain
from assent.tools.shop.actions import shop_tools
from assent.tools.shop.outbox import compose, file_name
from assent.tools.shop.tables import Shop


async def send(shop: Shop, key: str | None = "a1", **args: Any) -> str:
    tool = next(each for each in shop_tools(shop) if each.name == "send_reply")
    with at_hand(Case("main", "t", "C1", action_id=key, idempotency_key=key)):
        return str(await tool.ainvoke(plain(tool, {"topic": "contact", "body": "Hello"} | args)))


async def evidence(shop: Shop, **args: Any) -> str:
    tool = next(each for each in shop_tools(shop) if each.name == "send_reply")
    arguments = plain(tool, {"topic": "contact", "body": "Hello"} | args)
    return str(await dry_run(tool, arguments, Case("main", "t", "C1")))


async def standard(shop: Shop, topic: str, order_id: str | None = None) -> str:
    tool = next(each for each in shop_tools(shop) if each.name == "send_reply")
    choices = await legal_choices(tool, Case("main", "t", "C1"))
    assert choices is not None
    return str(next(each["body"] for each in choices if (each["topic"], each["order_id"]) == (topic, order_id)))


def sent(shop: Shop, key: str = "a1") -> EmailMessage:
    message = email.message_from_bytes((shop.outbox / f"{key}.eml").read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n").strip()


async def test_a_reply_is_a_whole_message_in_the_outbox(shop: Shop) -> None:
    body = await standard(shop, "order_status", "3")
    done = await send(shop, topic="order_status", order_id="3", body=body)
    assert done == "An e-mail has been sent to zoe@example.org: Your order 3."
    message = sent(shop)
    assert message.defects == []
    assert message["To"].addresses[0].addr_spec == "zoe@example.org"
    assert message["To"].addresses[0].display_name == "Zoë O'Hara"
    assert message["From"].addresses[0].addr_spec == "help@larkspurandfinch.example"
    assert message["Subject"] == "Your order 3"
    assert message["Date"].datetime.timestamp() == 1_795_000_000
    assert text(message) == body
    assert b"\n" not in (shop.outbox / "a1.eml").read_bytes().replace(b"\r\n", b"")


async def test_the_same_reply_twice_is_one_message(shop: Shop) -> None:
    await send(shop)
    first = (shop.outbox / "a1.eml").read_bytes()
    shop.clock = lambda: 1_796_000_000.0
    await asyncio.gather(*(send(shop) for _ in range(4)))
    assert [file.name for file in shop.outbox.iterdir()] == ["a1.eml"]
    assert (shop.outbox / "a1.eml").read_bytes() == first


async def test_without_a_key_every_reply_is_its_own(shop: Shop) -> None:
    await send(shop, key=None)
    await send(shop, key=None)
    assert len(list(shop.outbox.glob("*.eml"))) == 2


async def test_a_body_cannot_make_headers(shop: Shop) -> None:
    body = "Subject: Hello\r\nBcc: everybody@example.org\r\n\r\nFrom here\n.\nQUIT\nContent-Type: text/html"
    await send(shop, body=body)
    message = sent(shop)
    assert message["Bcc"] is None
    assert message["Subject"] == "How to reach Larkspur & Finch"
    assert message.get_content_type() == "text/plain"
    assert text(message) == body.replace("\r", "")
    assert {name.lower() for name in message} == {
        "from", "to", "subject", "date", "message-id", "content-type", "content-transfer-encoding", "mime-version",
    }  # fmt: skip


@pytest.mark.parametrize("body", [" \n", "a\rb", "a\x00b", "a\u202eb", "a\u200bb", "a\U000e0041b", "a\ue000b"])
async def test_a_body_that_people_cannot_read_whole_is_refused(shop: Shop, body: str) -> None:
    with pytest.raises(ActionRefused):
        await evidence(shop, body=body)
    with pytest.raises(ActionRefused):
        await send(shop, body=body)
    assert list(shop.outbox.iterdir()) == []


async def test_a_body_in_any_language_is_sent_as_it_is(shop: Shop) -> None:
    body = "Dzień dobry 👩‍🍳\n\u0633\u0644\u0627\u0645\t\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    await send(shop, body=body)
    assert text(sent(shop)) == body


async def test_the_evidence_says_whether_the_words_are_ours(shop: Shop) -> None:
    body = await standard(shop, "invoice", "4")
    told = await evidence(shop, topic="invoice", order_id="4", body=body)
    assert told == "To zoe@example.org, subject 'Invoice for order 4'; the text is the standard reply, word for word."
    assert "not the standard reply" in await evidence(shop, topic="invoice", order_id="4", body=body + "!")


async def test_a_reply_about_an_order_needs_one_in_the_right_state(shop: Shop) -> None:
    with pytest.raises(ActionRefused, match="needs one of the customer's orders"):
        await send(shop, topic="invoice")
    for order_id in ("4", "5"):
        with pytest.raises(ActionRefused, match="nothing to say about when it comes"):
            await send(shop, topic="order_status", order_id=order_id)


async def test_the_standard_replies_state_the_facts(shop: Shop) -> None:
    shipped = await standard(shop, "order_status", "3")
    assert "left us on 4 November 2026 with DPD, tracking number DPD1" in shipped
    assert "is waiting to be packed" in await standard(shop, "order_status", "1")
    assert "is packed" in await standard(shop, "order_status", "2")
    invoice = await standard(shop, "invoice", "4")
    for fact in ("2 x Mug at £6.25: £12.50", "Delivery: £4.50", "Total paid: £51.00", "Refunded since: £5.00"):
        assert fact in invoice
    assert "was cancelled" in await standard(shop, "invoice", "5")
    for topic in ("returns_terms", "delivery_terms", "contact", "ask_details"):
        assert (await standard(shop, topic)).startswith("Hello Zoë O'Hara,\n\n")


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", ".", "", "k" * 300, "a\nb", "é", "\ud800", "con:1"])
def test_no_key_leaves_the_outbox(key: str) -> None:
    name = file_name(key)
    assert name.isascii()
    assert len(name) == 68
    assert "/" not in name


async def test_a_failed_write_leaves_nothing_behind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        await send(shop)
    assert list(shop.outbox.iterdir()) == []
    monkeypatch.undo()
    await send(shop)
    assert [file.name for file in shop.outbox.iterdir()] == ["a1.eml"]


def test_a_name_on_file_cannot_make_headers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CR or LF"):
        compose(name="Eve\r\nBcc: x@example.org", email="eve@example.org", subject="s", body="b", key="k", moment=0)
