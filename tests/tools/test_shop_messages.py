from __future__ import annotations

import json
from pathlib import Path

import pytest
from assent.tools.shop.messages import (
    LONGEST,
    Incoming,
    Message,
    MessageFileError,
    matches,
    packaged_messages,
    read_messages,
)

LABEL = Message("m", "C1", "text", "refund", {"order_id": "1", "amount": "34.00"}, "train", None, "why")


def write(folder: Path, content: str | bytes) -> Path:
    file = folder / "mine.jsonl"
    file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return file


def test_packaged_messages_are_typed_and_split() -> None:
    first = packaged_messages()[0]
    assert first.id == "m1-001"
    assert first.args == {"order_id": "1001", "amount": "34.00", "reason": "damaged"}
    assert {message.split for message in packaged_messages("held_out")} == {"held_out"}


@pytest.mark.parametrize(
    ("tool", "args", "right"),
    [
        ("refund", {"order_id": "1", "amount": "34.00", "reason": "late"}, True),
        ("refund", {"amount": "34.00", "order_id": "1"}, True),
        ("refund", {"order_id": "1", "amount": "34.0"}, False),
        ("refund", {"order_id": 1, "amount": "34.00"}, False),
        ("refund", {"order_id": "1"}, False),
        ("refund", {}, False),
        ("cancel_order", {"order_id": "1", "amount": "34.00"}, False),
    ],
)
def test_an_action_matches_if_the_tool_and_every_labelled_argument_are_equal(
    tool: str, args: dict[str, object], right: bool
) -> None:
    assert matches(LABEL, tool, args) is right


def test_json_values_that_python_takes_for_equal_do_not_match() -> None:
    label = Message("m", "C1", "text", "pay", {"amount": 1}, "train", None, "why")
    assert matches(label, "pay", {"amount": 1})
    assert not matches(label, "pay", {"amount": True})
    assert not matches(label, "pay", {"amount": 1.0})


def test_a_missing_argument_is_not_a_null() -> None:
    label = Message("m", "C1", "text", "pay", {"note": None}, "train", None, "why")
    assert not matches(label, "pay", {})
    assert matches(label, "pay", {"note": None})


def test_anybodys_messages_are_read(tmp_path: Path) -> None:
    content = '\ufeff{"text": "one", "customer": "C100", "id": "a", "stars": 5}\r\n\r\n{"text": "zw\u2028ei 🌱"}'
    inbox = read_messages(write(tmp_path, content))
    assert inbox.messages == (Incoming(1, "one", "C100", "a"), Incoming(3, "zw\u2028ei 🌱"))
    assert inbox.skipped == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{oops}", "line 2: this is not JSON (Expecting property name enclosed in double quotes at column 2)"),
        ('{"text": "a"', "line 2: this is not JSON (Expecting ',' delimiter at column 13)"),
        ('{"body": "a"}', 'line 2: the key "text" is missing'),
        ('{"text": 7}', 'line 2: "text": Input should be a valid string'),
        ('{"text": null}', 'line 2: "text": Input should be a valid string'),
        ('{"text": "  "}', 'line 2: "text" is empty'),
        ('{"text": "a", "customer": 100}', 'line 2: "customer": Input should be a valid string'),
        ('{"text": "a", "id": ["x"]}', 'line 2: "id": Input should be a valid string'),
        ('["a"]', 'line 2: expected an object such as {"text": "..."}, found a list'),
        ('"a"', 'line 2: expected an object such as {"text": "..."}, found a string'),
        ("null", 'line 2: expected an object such as {"text": "..."}, found null'),
        ("true", 'line 2: expected an object such as {"text": "..."}, found a boolean'),
        ("7", 'line 2: expected an object such as {"text": "..."}, found a number'),
        ('{"text": "a", "n": ' + "1" * 5000 + "}", "line 2: this JSON is too deep or holds a number that is too long"),
        ('{"text": ' + "[" * 100_000, "line 2: this JSON is too deep or holds a number that is too long"),
    ],
)
def test_a_line_that_is_no_message_is_named_in_one_line(tmp_path: Path, line: str, problem: str) -> None:
    file = write(tmp_path, f'{{"text": "fine"}}\n{line}\n')
    with pytest.raises(MessageFileError) as caught:
        read_messages(file)
    assert str(caught.value) == f"{file}, {problem}"


def test_text_that_is_half_a_character_is_named(tmp_path: Path) -> None:
    with pytest.raises(MessageFileError, match='line 1: "text" holds half a character'):
        read_messages(write(tmp_path, '{"text": "\\ud800"}'))


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(MessageFileError, match="line 2: this is not UTF-8 text"):
        read_messages(write(tmp_path, b'{"text": "a"}\n{"text": "\xff"}\n'))


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(MessageFileError, match=r"mine\.jsonl: there is no message in this file$"):
        read_messages(write(tmp_path, content))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MessageFileError, match=r"none\.jsonl: No such file or directory$"):
        read_messages(tmp_path / "none.jsonl")
    with pytest.raises(MessageFileError, match=r"Is a directory$"):
        read_messages(tmp_path)


def test_a_message_that_is_too_long_is_skipped_and_the_others_go_on(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text}) for text in ("a" * LONGEST, "b" * (LONGEST + 1), "c")]
    file = write(tmp_path, "\n".join(lines))
    inbox = read_messages(file)
    assert [message.line for message in inbox.messages] == [1, 3]
    assert inbox.skipped == (f"{file}, line 2: the text has 20,001 characters, more than 20,000; skipped",)


def test_a_file_of_nothing_but_too_long_messages_is_reported_not_refused(tmp_path: Path) -> None:
    inbox = read_messages(write(tmp_path, json.dumps({"text": "b" * (LONGEST + 1)})))
    assert inbox.messages == ()
    assert len(inbox.skipped) == 1
