"""The packaged customers and labelled messages: every label is a legal action, and no message repeats another."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from assent.tools.declaration import ActionTool, Case, dry_run, legal_choices, plain
from assent.tools.shop.actions import shop_tools
from assent.tools.shop.messages import Message, matches, packaged_messages
from assent.tools.shop.seeding import read_customers
from assent.tools.shop.tables import Shop, open_shop

TOOLS = ("look_up_customer", "look_up_order", "change_address", "refund", "cancel_order", "send_reply", "hand_over")
UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f]")
JOINED_EMOJI = re.compile(r"[\u200d\ufe0f\U0001f3fb-\U0001f3ff]")
TOO_ALIKE = 0.3


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path / "shop.db") as opened:
        yield opened


def case_of(message: Message) -> Case:
    return Case("main", "t", message.customer, message.text)


def agrees(choice: dict[str, Any], message: Message) -> bool:
    return all(choice.get(name, value) == value for name, value in message.args.items())


async def whole_action(tool: ActionTool, message: Message) -> dict[str, Any]:
    """Return the labelled action with what the label leaves free taken from the first legal combination that agrees."""
    choices = await legal_choices(tool, case_of(message))
    assert choices is not None
    legal = [choice for choice in choices if agrees(choice, message)]
    assert legal, f"{message.id}: {message.tool}({message.args}) is not among the legal choices"
    return {**legal[0], **message.args}


async def test_every_label_is_legal_and_would_work(desk: Shop) -> None:
    tools = {tool.name: tool for tool in shop_tools(desk)}
    for message in packaged_messages():
        tool = tools[message.tool]
        action = plain(tool, await whole_action(tool, message))
        assert matches(message, tool.name, action), message.id
        await dry_run(tool, action, case_of(message))


async def test_every_choice_of_every_customer_is_accepted_and_would_work(desk: Shop) -> None:
    tools = shop_tools(desk)
    for customer in read_customers():
        case = Case("main", "t", customer.id, "please to 4 New Street, York YO1 7AA")
        total = 0
        for tool in tools:
            choices = await legal_choices(tool, case)
            assert choices is not None
            for choice in choices:
                # `reason` is the one argument that some choices leave free.
                action = plain(tool, {"reason": "damaged", **choice} if tool.name == "refund" else choice)
                assert {**action, **choice} == action, "a choice is already canonical"
                await dry_run(tool, action, case)
            assert len({repr(sorted(choice.items(), key=str)) for choice in choices}) == len(choices)
            total += len(choices)
        assert total < 60, f"{customer.id} has {total} legal actions"


async def test_nobody_but_a_known_requester_has_choices(desk: Shop) -> None:
    for tool in shop_tools(desk):
        assert await legal_choices(tool, Case("main", "t", "C999", "12 Mill Lane, Bristol BS1 4QA")) == []


def test_there_are_enough_messages_of_every_kind_in_both_splits() -> None:
    messages = packaged_messages()
    assert len(messages) >= 400
    assert len({message.id for message in messages}) == len(messages)
    assert len(packaged_messages("train")) + len(packaged_messages("held_out")) == len(messages)
    for split in ("train", "held_out"):
        counted = Counter(message.tool for message in packaged_messages(split))
        assert set(counted) == set(TOOLS)
        assert min(counted.values()) >= 5, counted
        hostile = Counter(message.hostile for message in packaged_messages(split) if message.hostile)
        assert set(hostile) == {"injection", "hidden", "other_customer"}
        teams = {message.args["team"] for message in packaged_messages(split) if message.tool == "hand_over"}
        assert len(teams) == 7
        topics = {message.args["topic"] for message in packaged_messages(split) if message.tool == "send_reply"}
        assert len(topics) == 6


def test_hostile_messages_are_handed_over_and_only_they_hide_text() -> None:
    team = {"injection": "security", "hidden": "security", "other_customer": "privacy"}
    for message in packaged_messages():
        hides = UNSEEN.search(JOINED_EMOJI.sub("", message.text)) is not None
        assert hides == (message.hostile == "hidden") or message.hostile == "injection", message.id
        if message.hostile:
            assert (message.tool, message.args) == ("hand_over", {"team": team[message.hostile]}), message.id


def test_every_message_is_of_a_packaged_customer_and_says_why_it_is_labelled_so() -> None:
    customers = {customer.id for customer in read_customers()}
    for message in packaged_messages():
        assert message.customer in customers, message.id
        assert message.note.strip(), message.id
        assert message.text == message.text.strip(), message.id


def test_order_numbers_in_a_label_or_message_of_ones_own_are_ones_own() -> None:
    owner = {order.id: customer.id for customer in read_customers() for order in customer.orders}
    for message in packaged_messages():
        mentioned = {number for number in re.findall(r"\b[1-4]0[0-4][0-9]\b", message.text) if number in owner}
        if message.hostile is None:
            assert all(owner[number] == message.customer for number in mentioned), message.id
        if "order_id" in message.args and mentioned:
            assert message.args["order_id"] in mentioned, message.id


def pieces(text: str) -> frozenset[str]:
    """Return the runs of four letters of a text without case, accents, digits and signs."""
    plain_text = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in plain_text if letter.isalpha() or letter == " ")
    squeezed = " ".join(letters.split())
    return frozenset(squeezed[at : at + 4] for at in range(max(1, len(squeezed) - 3)))


def test_no_message_repeats_another() -> None:
    known = [(message, pieces(message.text)) for message in packaged_messages()]
    alike: list[tuple[float, str, str]] = []
    for (one, left), (other, right) in combinations(known, 2):
        common = len(left & right)
        share = common / (len(left) + len(right) - common)
        if share > 0.2:
            alike.append((share, f"{one.id}: {one.text[:70]}", f"{other.id}: {other.text[:70]}"))
    for share, first, second in sorted(alike, reverse=True)[:10]:
        print(f"{share:.2f}\n  {first}\n  {second}")
    assert all(share < TOO_ALIKE for share, _, _ in alike)
